//! What stands around each page: head, navigation, the end.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use crate::{
    app::App,
    assets::VERSION,
    error::Refused,
    visit::{Login, Visit},
};

/// A page: what it is called, and where it stands in the navigation.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    /// The path of its place in the navigation.
    pub(crate) place: &'a str,
    /// The path of the stream that tells when to look again.
    pub(crate) live: Option<String>,
}

/// The places of the navigation.
const PLACES: [(&str, &str); 5] = [
    ("/", "Overview"),
    ("/executions", "Executions"),
    ("/statistics", "Statistics"),
    ("/flows", "Flows"),
    ("/schedules", "Schedules"),
];

/// Writes a page.
pub(crate) fn page(app: &App, visit: &Visit, page: &Page<'_>, content: &Markup) -> Response {
    let is_in = !visit.name.is_empty();
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (page.title) " · " (app.title) }
                link rel="icon" type="image/svg+xml" href=(asset(visit, "icon.svg"));
                link rel="stylesheet" href=(asset(visit, "page.css"));
                script defer src=(asset(visit, "page.js")) {}
            }
            body data-live=[page.live.as_deref()] {
                a .skip href="#content" { "To the content" }
                header .top {
                    a .brand href=(visit.path("/")) { (app.title) }
                    @if is_in {
                        nav aria-label="Pages" {
                            @for (path, name) in PLACES {
                                a href=(visit.path(path)) aria-current=[(page.place == path).then_some("page")] {
                                    (name)
                                }
                            }
                        }
                        div .who {
                            span { (visit.name) @if !visit.may_act() { " (reads)" } }
                            @if visit.login == Login::Own {
                                form method="post" action=(visit.path("/logout")) {
                                    button .quiet type="submit" { "Log out" }
                                }
                            }
                        }
                    }
                }
                main #content tabindex="-1" {
                    (content)
                }
                footer .end {
                    p { "Times are UTC." }
                    p #live-state role="status" {}
                }
            }
        }
    };
    Html(whole.into_string()).into_response()
}

fn asset(visit: &Visit, name: &str) -> String {
    format!("{}?v={VERSION:08x}", visit.path(&format!("/assets/{name}")))
}

/// The page of a request that was not done.
pub(crate) fn refusal(app: &App, visit: &Visit, why: &Refused) -> Response {
    let title = match why.status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => "Not allowed",
        StatusCode::CONFLICT => "Not possible now",
        StatusCode::BAD_REQUEST => "Not understood",
        status if status.is_client_error() => "Not taken",
        _ => "It failed",
    };
    let content = html! {
        h1 { (title) }
        p .error role="alert" { (why.why) }
        @if !visit.name.is_empty() {
            p { a href=(visit.path("/")) { "To the overview" } }
        }
    };
    let place = Page {
        title,
        place: "",
        live: None,
    };
    let mut response = page(app, visit, &place, &content);
    *response.status_mut() = why.status;
    if why.status.is_server_error() {
        tracing::error!(why = why.why, "a page could not be shown");
    }
    response
}
