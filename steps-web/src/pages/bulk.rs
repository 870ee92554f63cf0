//! What an operator does with all executions that a filter finds: how many they are is shown first, and asked.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    acting::make,
    extract::{PageForm, PageQuery},
    layout::{Page, page as whole, refusal},
    list::filter,
    parts::{execution, found},
};
use crate::{
    acts::{Act, Kind},
    app::App,
    error::Refused,
    text::{counted, first_line},
    visit::Visit,
};

/// With how many something is done at once, at most.
const MOST: u64 = 500;

/// How many of those are told with which it was not possible.
const TOLD: usize = 50;

/// How much of the reason stands there.
const WHY: usize = 300;

/// What can be done with many: no act that concerns one step, and nothing by force.
const KINDS: [Kind; 6] = [
    Kind::Recover,
    Kind::RetryUndo,
    Kind::TryNow,
    Kind::Stop,
    Kind::Undo,
    Kind::Delete,
];

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
    match look(&app, &asked.q, asked.act).await {
        Ok(count) => show(&app, &visit, asked.act, &question(&visit, &asked, count)),
        Err(why) => refusal(&app, &visit, &why),
    }
}

/// Returns how many there are.
async fn look(app: &App, q: &str, act: Kind) -> Result<u64, Refused> {
    if !KINDS.contains(&act) {
        let why = format!("`{}` is not done with many at once", act.name());
        return Err(Refused::wrong(why));
    }
    let filter = filter(app, q)?;
    let most = filter.most().map_or(u64::MAX, |most| most as u64);
    Ok(app.engine.count(filter).await?.min(most))
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
    match done(&app, &visit, &sent).await {
        Ok(done) => show(&app, &visit, sent.act, &result(&visit, &sent, &done)),
        Err(why) => refusal(&app, &visit, &why),
    }
}

#[derive(Default)]
struct Done {
    count: u64,
    /// With which it was not possible, and why.
    passed: Vec<(String, String)>,
    /// Why it came to no end.
    ended: Option<String>,
}

async fn done(app: &App, visit: &Visit, sent: &Sent) -> Result<Done, Refused> {
    let reason = sent.reason.as_deref().unwrap_or_default();
    if reason.trim().is_empty() {
        return Err(Refused::wrong(
            "say why: it is recorded, for whoever asks later",
        ));
    }
    let count = look(app, &sent.q, sent.act).await?;
    if count > MOST {
        let why = format!("it is done with {MOST} at once at most, and there are {count}");
        return Err(Refused::wrong(why));
    }
    if count > sent.count {
        let why = format!(
            "there are {count} now, and {} when it was asked: nothing was done. Go back, and look again",
            sent.count
        );
        return Err(Refused::new(StatusCode::CONFLICT, why));
    }
    let act = Act::new(sent.act, None, None, Some(reason))?;
    let most = usize::try_from(count).unwrap_or_default();
    // All are found before anything is done, as what is done changes what is found.
    let all = app
        .engine
        .list(filter(app, &sent.q)?.limit(most.max(1)))
        .await?;
    let mut done = Done::default();
    for info in all {
        match make(app, visit, &info.id, &act).await {
            Ok(_) => done.count += 1,
            Err(why) if why.status.is_client_error() => done.passed.push((info.id, why.why)),
            Err(why) => {
                done.ended = Some(why.why);
                break;
            }
        }
    }
    Ok(done)
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
