//! The builder of the page: what a service says of it before it nests the router.

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::request::Parts,
    middleware::{from_fn, from_fn_with_state},
};
use futures_util::FutureExt as _;
use steps::Engine;

use crate::{
    access::{Access, gate::Gate, token::Tokens},
    api,
    app::{App, Until},
    error::WebError,
    guard, headers, pages,
    secrets::Secrets,
};

/// The largest body of a request, in bytes: a signal's value, with what stands around it in a form.
const BODY: usize = 4 * 1024 * 1024;

/// A page for the executions of an engine, before it is [built](Self::build). See the
/// [crate](crate) for what it shows and who may see it.
#[must_use = "it is served when it is built"]
pub struct Web {
    engine: Engine,
    title: String,
    prefix: String,
    tokens: Tokens,
    reporters: Tokens,
    gate: Option<Gate>,
    operator: String,
    secrets: Secrets,
    until: Option<Until>,
}

/// Begins a page for the executions of this engine.
///
/// ```
/// # use steps::{Engine, prelude::*};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = Engine::open("memory:").await?.start().await?;
/// let page = steps_web::router(engine)
///     .title("Shop")
///     .token("ann", "8c1e5f0e9a7d4b7fa7e1")
///     .build()?;
/// let app: axum::Router = axum::Router::new().nest("/steps", page);
/// # Ok(())
/// # }
/// ```
pub fn router(engine: Engine) -> Web {
    Web {
        engine,
        title: "steps".to_owned(),
        prefix: String::new(),
        tokens: Tokens::default(),
        reporters: Tokens::default(),
        gate: None,
        operator: "local".to_owned(),
        secrets: Secrets::default(),
        until: None,
    }
}

impl Web {
    /// The name that stands on each page, such as that of the service; by default `steps`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Lets in whoever has this token, under this name: the page asks for the token and remembers that
    /// by a cookie for 12 hours, and the API takes it as `Authorization: Bearer …`. What is done is
    /// recorded under the name. Called again, it adds a token; each person has one of their own.
    ///
    /// [`build`](Self::build) refuses a token of less than 16 bytes: make one with
    /// `openssl rand -hex 20`.
    pub fn token(mut self, name: impl Into<String>, token: impl Into<String>) -> Self {
        self.tokens.add(Access::operator(name), token.into());
        self
    }

    /// The same as [`token`](Self::token), for one who may look at everything and change nothing.
    pub fn reader_token(mut self, name: impl Into<String>, token: impl Into<String>) -> Self {
        self.tokens.add(Access::reader(name), token.into());
        self
    }

    /// Lets whoever has this token [report](steps::Engine::report) on external tasks whose ids they know, and do
    /// nothing else: `POST /api/tasks/{task}/report`, with `Authorization: Bearer …`. Give one to each program
    /// that runs tasks. It is there beside tokens and an [`auth`](Self::auth) function, and without
    /// either of them, when the page is for this machine alone, it lets reports in from elsewhere.
    ///
    /// [`build`](Self::build) refuses one of less than 16 bytes, and one that is a token of the page, too.
    pub fn reporter_token(mut self, name: impl Into<String>, token: impl Into<String>) -> Self {
        self.reporters.add(Access::reporter(name), token.into());
        self
    }

    /// Asks this function who may do what, at each request: the service's own way, such as its session.
    /// It is given the request without its body; what a layer around the router has found out stands
    /// in the extensions. Tokens are asked for no more than: a page has an `auth` function or tokens.
    ///
    /// ```
    /// # use steps::{Engine, prelude::*};
    /// use steps_web::Access;
    ///
    /// # async fn page(engine: Engine) -> Result<axum::Router, steps_web::WebError> {
    /// let page = steps_web::router(engine).auth(|request| async move {
    ///     // Set by a proxy that alone can reach this port.
    ///     match request.headers.get("x-remote-user").and_then(|name| name.to_str().ok()) {
    ///         Some(name) => Access::operator(name),
    ///         None => Access::denied(),
    ///     }
    /// });
    /// page.build()
    /// # }
    /// ```
    pub fn auth<F, A>(mut self, who: F) -> Self
    where
        F: Fn(Parts) -> A + Send + Sync + 'static,
        A: Future<Output = Access> + Send + 'static,
    {
        self.gate = Some(Gate::own(who));
        self
    }

    /// The name under which acts are recorded where nobody is asked who they are: without a token and
    /// without an [`auth`](Self::auth) function, on loopback. By default `local`.
    pub fn operator(mut self, name: impl Into<String>) -> Self {
        self.operator = name.into();
        self
    }

    /// What a proxy in front of this service removes from the path of each request, such as `/ops`, so
    /// that links work. Where the router is nested is known without this.
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> Self {
        let prefix = prefix.as_ref().trim_matches('/');
        self.prefix = if prefix.is_empty() {
            String::new()
        } else {
            format!("/{prefix}")
        };
        self
    }

    /// Hides the values of fields with this name, wherever they are in an input, an output, attributes
    /// or what else is saved as JSON: `card_number` also hides `cardNumber` and `Card-Number`. Hidden by
    /// default are `password`, `secret`, `token`, `api_key`, `authorization`, `credentials`,
    /// `private_key` and some more: see the [crate](crate). Names and texts, such as labels, ids and
    /// errors, are not looked into.
    pub fn hide(mut self, field: impl AsRef<str>) -> Self {
        self.secrets.hide(field.as_ref());
        self
    }

    /// Shows the values of fields with this name, which would be hidden.
    pub fn show(mut self, field: impl AsRef<str>) -> Self {
        self.secrets.show(field.as_ref());
        self
    }

    /// Hides all that is saved as JSON of executions of this flow: inputs, outputs and attributes; and
    /// what its steps have logged. Filters can't ask for attributes then, whatever the flow.
    pub fn hide_payloads_of(mut self, flow: impl Into<String>) -> Self {
        self.secrets.hide_flow(flow.into());
        self
    }

    /// Hides the same of all executions.
    pub fn hide_payloads(mut self) -> Self {
        self.secrets.hide_all();
        self
    }

    /// Ends the streams by which pages are kept up to date when this does. A server that is shut down
    /// gracefully waits for open requests, and a stream is open for a minute: give it what tells the
    /// server to shut down.
    pub fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.until = Some(end.boxed().shared());
        self
    }

    /// Builds the router, to be [nested](Router::nest) anywhere, or served as it is.
    ///
    /// Without a token and without an [`auth`](Self::auth) function, it answers only requests from this
    /// machine; for that it must be served with
    /// [`into_make_service_with_connect_info::<SocketAddr>()`](Router::into_make_service_with_connect_info).
    ///
    /// # Errors
    ///
    /// [`WebError`] where a token is too short or has no name, where two are the same, or where there are
    /// both tokens and an `auth` function.
    pub fn build<S: Clone + Send + Sync + 'static>(self) -> Result<Router<S>, WebError> {
        self.reporters.apart_from(&self.tokens)?;
        let gate = match self.gate {
            Some(_) if !self.tokens.is_empty() => return Err(WebError::Both),
            Some(own) => own,
            None if self.tokens.is_empty() => Gate::loopback(self.operator),
            None => Gate::tokens(self.tokens.checked()?),
        };
        let app = Arc::new(App::new(
            self.engine,
            self.title,
            self.prefix,
            gate,
            self.reporters.checked()?,
            self.secrets,
            self.until,
        ));
        let router = Router::new()
            .merge(pages::routes())
            .nest("/api", api::routes())
            .fallback(pages::not_found)
            .method_not_allowed_fallback(pages::wrong_method)
            .layer(DefaultBodyLimit::max(BODY))
            .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
            .layer(from_fn(headers::secure));
        Ok(router.with_state(app))
    }
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}
