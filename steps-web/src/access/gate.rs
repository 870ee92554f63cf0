//! Whom to ask who may come in.

use std::{future::Future, sync::Arc};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::WWW_AUTHENTICATE, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::future::BoxFuture;

use super::{
    Access, Inner, loopback,
    token::{Tokens, bearer},
};
use crate::{
    error::Refused,
    visit::{Login, Role, encoded, is_inside},
};

/// Who may come in.
pub(crate) struct Gate(Kind);

enum Kind {
    /// Whoever is on this machine, under this name.
    Loopback(String),
    Tokens(Tokens),
    Own(Arc<dyn Fn(Parts) -> BoxFuture<'static, Access> + Send + Sync>),
}

/// What becomes of a request.
pub(crate) enum Admitted {
    Granted {
        name: String,
        role: Role,
        login: Login,
    },
    /// It is for nothing that needs a name: a style sheet, the login.
    Public,
    Refused(Refused),
    Answered(Box<Response>),
}

impl Gate {
    pub(crate) fn loopback(name: String) -> Self {
        Self(Kind::Loopback(name))
    }

    pub(crate) fn tokens(tokens: Tokens) -> Self {
        Self(Kind::Tokens(tokens))
    }

    pub(crate) fn own<F, A>(who: F) -> Self
    where
        F: Fn(Parts) -> A + Send + Sync + 'static,
        A: Future<Output = Access> + Send + 'static,
    {
        Self(Kind::Own(Arc::new(move |parts| Box::pin(who(parts)))))
    }

    /// The tokens, if it is they that say who may come in.
    pub(crate) fn as_tokens(&self) -> Option<&Tokens> {
        match &self.0 {
            Kind::Tokens(tokens) => Some(tokens),
            _ => None,
        }
    }

    pub(crate) async fn admit(&self, request: &mut Request, base: &str, is_api: bool) -> Admitted {
        let is_asset = request.uri().path().starts_with("/assets/");
        match &self.0 {
            Kind::Loopback(name) => match loopback::check(request) {
                Ok(()) => Admitted::Granted {
                    name: name.clone(),
                    role: Role::Operator,
                    login: Login::Elsewhere,
                },
                Err(why) => Admitted::Refused(why),
            },
            Kind::Tokens(_) if is_asset || request.uri().path() == "/login" => Admitted::Public,
            Kind::Tokens(tokens) => match by_token(tokens, request.headers()) {
                Some((name, role)) => Admitted::Granted {
                    name,
                    role,
                    login: Login::Own,
                },
                None if is_api => Admitted::Answered(Box::new(no_token())),
                None => Admitted::Answered(Box::new(to_login(request, base))),
            },
            Kind::Own(_) if is_asset => Admitted::Public,
            Kind::Own(who) => {
                let (parts, body) = std::mem::take(request).into_parts();
                let access = who(parts.clone()).await;
                *request = Request::from_parts(parts, body);
                match access.0 {
                    Inner::Granted { name, role } => Admitted::Granted {
                        name,
                        role,
                        login: Login::Elsewhere,
                    },
                    Inner::Answered(response) => Admitted::Answered(response),
                }
            }
        }
    }
}

/// Who has sent this token, or the cookie that stands for one.
fn by_token(tokens: &Tokens, headers: &HeaderMap) -> Option<(String, Role)> {
    match bearer(headers) {
        Some(token) => tokens.whose(token),
        None => tokens.by_cookie(headers),
    }
}

fn no_token() -> Response {
    let why = "a token is missing, or is none of this page: send it as `Authorization: Bearer …`";
    let mut response = Refused::new(StatusCode::UNAUTHORIZED, why).as_json();
    let bearer = HeaderValue::from_static("Bearer realm=\"steps\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    response
}

/// Sends a browser to the login, and from there back to where it wanted to go.
fn to_login(request: &Request, base: &str) -> Response {
    if *request.method() != Method::GET {
        let why = "you are not logged in any more: log in, and do it again";
        return (StatusCode::UNAUTHORIZED, why).into_response();
    }
    let wanted = request.uri().path_and_query();
    let wanted = wanted.map_or("/", |wanted| wanted.as_str());
    let back = match wanted {
        wanted if wanted != "/" && is_inside(wanted) => format!("?to={}", encoded(wanted)),
        _ => String::new(),
    };
    Redirect::to(&format!("{base}/login{back}")).into_response()
}
