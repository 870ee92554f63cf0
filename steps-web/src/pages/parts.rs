//! What several pages have.

use jiff::Timestamp;
use maud::{Markup, html};
use steps::{Status, store::ExecutionInfo};

use crate::{
    encoded,
    text::{self, between, first_line},
    visit::Visit,
};

/// How much of a message stands in a list.
const MESSAGE: usize = 200;

/// A status: its mark and its name, in its colour.
pub(crate) fn status(status: Status) -> Markup {
    html! {
        span class={ "status s-" (status.as_str()) } {
            span aria-hidden="true" { (text::mark(status)) } " " (text::status_name(status))
        }
    }
}

/// A time, with how long ago it was.
pub(crate) fn time(time: Option<Timestamp>, now: Timestamp) -> Markup {
    html! {
        @if let Some(time) = time {
            time datetime=(time.to_string()) title=(away(time, now)) { (text::time(Some(time))) }
        }
    }
}

/// How far a moment is away: `3 min 2 s ago`.
pub(crate) fn away(time: Timestamp, now: Timestamp) -> String {
    if time > now {
        format!("in {}", text::took(between(now, time)))
    } else {
        format!("{} ago", text::took(between(time, now)))
    }
}

/// The address of an execution's page.
pub(crate) fn execution(visit: &Visit, id: &str) -> String {
    visit.to("/execution", &[("id", id)])
}

/// The address of a list.
pub(crate) fn found(visit: &Visit, filter: &str) -> String {
    visit.to("/executions", &[("q", filter)])
}

/// A value of a filter, whatever is in it.
pub(crate) fn word(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// How an execution is going: why it does not go on, or what the service says.
fn message(info: &ExecutionInfo) -> String {
    let refused = info.refused.as_ref().map(|refused| &*refused.why);
    let incompatible = refused.map(|why| format!("incompatible: {why}"));
    let failed = matches!(info.status, Status::Failed | Status::Stuck);
    let text = incompatible
        .or_else(|| info.unreadable.clone())
        .or_else(|| info.error.clone().filter(|_| failed))
        .or_else(|| info.status_message.clone())
        .or_else(|| info.error.clone());
    let mut text = text.unwrap_or_default();
    encoded::of_str(&mut text);
    first_line(&text, MESSAGE)
}

/// A table of executions.
pub(crate) fn executions(visit: &Visit, all: &[ExecutionInfo], now: Timestamp) -> Markup {
    html! {
        div .wide {
            table .list {
                thead {
                    tr {
                        th scope="col" { "Execution" }
                        th scope="col" { "Flow" }
                        th scope="col" { "Status" }
                        th scope="col" { "Steps" }
                        th scope="col" { "Started" }
                        th scope="col" { "Updated" }
                        th scope="col" { "Message" }
                    }
                }
                tbody {
                    @for info in all {
                        tr {
                            th scope="row" { a href=(execution(visit, &info.id)) { (info.id) } }
                            td { (info.flow) }
                            td { (status(info.status)) }
                            td .num { (info.steps) }
                            td { (time(info.started_at, now)) }
                            td { (time(Some(info.updated_at), now)) }
                            td .message { (message(info)) }
                        }
                    }
                }
            }
        }
    }
}
