//! What an operator does with all executions that a filter finds: how many they are is shown first, and asked.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    extract::{PageForm, PageQuery},
    layout::{Page, page as whole, refusal},
    parts::{execution, found},
};
use crate::{
    acts::Kind,
    app::App,
    bulk::{self, Done, KINDS, MOST},
    text::{counted, first_line},
    visit::Visit,
};

/// How many of those are told with which it was not possible.
const TOLD: usize = 50;

/// How much of the reason stands there.
const WHY: usize = 300;

/// The way to it from a list, by buttons that only ask.
pub(super) fn ways(visit: &Visit, q: &str, count: u64) -> Markup {
    html! {
        @if visit.may_act() && count > 0 {
            div .acting { details .act #all {
                summary { "Do something with all " (count) }
                form method="get" action=(visit.path("/executions/all")) {
                    p { "Nothing is done yet: the next page says what follows, and asks." }
                    input type="hidden" name="q" value=(q);
                    div .line {
                        @for kind in KINDS {
                            button .quiet type="submit" name="act" value=(kind.name()) { (kind.title()) }
                        }
                    }
                }
            } }
        }
    }
}

/// Which act, and with what.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    act: Kind,
}

/// Asks whether it is meant.
pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    match bulk::count(&app, &asked.q, asked.act).await {
        Ok(count) => show(&app, &visit, asked.act, &question(&visit, &asked, count)),
        Err(why) => refusal(&app, &visit, &why),
    }
}

fn show(app: &App, visit: &Visit, act: Kind, content: &Markup) -> Response {
    let page = Page {
        title: act.title(),
        place: "/executions",
        live: None,
    };
    whole(app, visit, &page, content)
}

fn question(visit: &Visit, asked: &Asked, count: u64) -> Markup {
    let which = counted(count, "execution", "executions");
    let kind = asked.act;
    html! {
        p .crumbs { a href=(found(visit, &asked.q)) { "Executions" } }
        h1 { (kind.title()) ": " (which) }
        p {
            @if asked.q.trim().is_empty() { "All that there are. " }
            @else { "All that are found by " code { (asked.q) } ". " }
            "Those with which it is not possible are passed over, and told."
        }
        p { (kind.consequence()) }
        @if count > MOST {
            p .error role="alert" {
                "It is done with " (MOST) " at once at most: narrow the filter, or add " code { "limit=" (MOST) } "."
            }
        } @else if count > 0 && visit.may_act() {
            form .act .danger[kind.is_dangerous()] #all method="post" action=(visit.path("/executions/all")) {
                input type="hidden" name="q" value=(asked.q);
                input type="hidden" name="act" value=(kind.name());
                input type="hidden" name="count" value=(count);
                label for="reason" { "Why? It is recorded with each of them, and your name." }
                input #reason type="text" name="reason" required maxlength="2000" autocomplete="off";
                button type="submit" { (kind.title()) ": " (which) }
            }
        }
    }
}

/// A form that was sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    #[serde(default)]
    q: String,
    act: Kind,
    /// How many were shown.
    count: u64,
    reason: Option<String>,
}

/// Does it, and tells with how many.
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageForm(sent): PageForm<Sent>,
) -> Response {
    let (reason, count) = (sent.reason.as_deref().unwrap_or_default(), sent.count);
    match bulk::act(&app, &visit, &sent.q, sent.act, count, reason).await {
        Ok(done) => show(&app, &visit, sent.act, &result(&visit, &sent, &done)),
        Err(why) => refusal(&app, &visit, &why),
    }
}

fn result(visit: &Visit, sent: &Sent, done: &Done) -> Markup {
    let left_out = done.passed.len().saturating_sub(TOLD);
    html! {
        p .crumbs { a href=(found(visit, &sent.q)) { "Executions" } }
        h1 { (sent.act.title()) }
        p .notice role="status" {
            "Done with " (counted(done.count, "execution", "executions"))
            @if !done.passed.is_empty() { ", passed over " (done.passed.len()) } "."
        }
        @if let Some(why) = &done.ended {
            p .error role="alert" { "It came to no end: " (why) }
        }
        @if !done.passed.is_empty() {
            h2 { "Passed over" }
            ul {
                @for (id, why) in done.passed.iter().take(TOLD) {
                    li { a href=(execution(visit, id)) { (id) } ": " (first_line(why, WHY)) }
                }
            }
            @if left_out > 0 { p .help { (left_out) " more" } }
        }
    }
}
