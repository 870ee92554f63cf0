//! The login, where there are tokens.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use serde::Deserialize;

use super::{
    extract::PageForm,
    layout::{Page, page as whole, refusal},
};
use crate::{
    access::token::{Over, logout as ended},
    app::App,
    error::Refused,
    visit::{Visit, is_inside},
};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Back {
    /// Where to go afterwards.
    #[serde(default)]
    to: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    #[serde(default)]
    token: String,
    #[serde(default)]
    to: String,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    back: Result<Query<Back>, QueryRejection>,
) -> Response {
    let to = back.map(|Query(back)| back.to).unwrap_or_default();
    show(&app, &visit, &to, None)
}

fn show(app: &App, visit: &Visit, to: &str, why: Option<&Refused>) -> Response {
    if app.gate.as_tokens().is_none() {
        let none = Refused::new(StatusCode::NOT_FOUND, "this page has no login of its own");
        return refusal(app, visit, &none);
    }
    let content = html! {
        h1 { "Log in" }
        @if let Some(why) = why { p .error role="alert" { (why.why) } }
        form .login method="post" action=(visit.path("/login")) {
            input type="hidden" name="to" value=(to);
            // A password manager wants to know whose it is.
            input type="text" value="operator" autocomplete="username" hidden;
            label for="token" { "Your token" }
            input #token type="password" name="token" required autocomplete="current-password" autofocus;
            button type="submit" { "Log in" }
        }
        p .help { "What you do here is recorded under your name. A login lasts 12 hours." }
    };
    let place = Page {
        title: "Log in",
        place: "",
        live: None,
    };
    let mut response = whole(app, visit, &place, &content);
    if let Some(why) = why {
        *response.status_mut() = why.status;
    }
    response
}

pub(crate) async fn login(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    PageForm(sent): PageForm<Sent>,
) -> Response {
    let tokens = app.gate.as_tokens();
    let cookie =
        tokens.and_then(|tokens| tokens.login(sent.token.trim(), &visit.base, over(&headers)));
    let Some(cookie) = cookie else {
        tracing::warn!("a login with a token that nobody has");
        let why = Refused::new(StatusCode::UNAUTHORIZED, "nobody has this token");
        return show(&app, &visit, &sent.to, Some(&why));
    };
    let to = if is_inside(&sent.to) { &*sent.to } else { "/" };
    with(cookie, Redirect::to(&visit.path(to)).into_response())
}

pub(crate) async fn logout(Extension(visit): Extension<Visit>, headers: HeaderMap) -> Response {
    let response = Redirect::to(&visit.path("/login")).into_response();
    match ended(&visit.base, over(&headers)) {
        Some(cookie) => with(cookie, response),
        None => response,
    }
}

/// Whether the form was sent by TLS: the browser says where it is from.
fn over(headers: &HeaderMap) -> Over {
    match headers.get(header::ORIGIN) {
        Some(origin) if origin.as_bytes().starts_with(b"https:") => Over::Tls,
        _ => Over::Plain,
    }
}

fn with(cookie: HeaderValue, mut response: Response) -> Response {
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
