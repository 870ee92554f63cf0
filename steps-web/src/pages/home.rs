//! The overview: what needs somebody stands in front.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use jiff::Timestamp;
use maud::{Markup, html};
use steps::{Status, engine::Filter, store::ExecutionInfo};

use super::{
    layout::{Page, page as whole, refusal},
    parts::{executions, found, status},
};
use crate::{app::App, error::Refused, text::counted, visit::Visit};

/// How many stand in each list.
pub(super) const SHOWN: usize = 10;

/// The statuses that are counted, those that need somebody first.
const COUNTED: [Status; 8] = [
    Status::Failed,
    Status::Running,
    Status::Waiting,
    Status::Pending,
    Status::Undoing,
    Status::Stopped,
    Status::Undone,
    Status::Done,
];

/// What waits for an operator: the filter, its title, what it means.
const NEEDS: [(&str, &str, &str); 3] = [
    (
        "status=stuck",
        "Stuck",
        "An undo has failed: the rollback waits for an operator.",
    ),
    (
        "incompatible=true",
        "Incompatible",
        "No program that they fit has taken them up.",
    ),
    (
        "status=failed",
        "Failed",
        "They ended with an error, and can be recovered or undone.",
    ),
];

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
) -> Response {
    match look(&app).await {
        Ok(found) => {
            let page = Page {
                title: "Overview",
                place: "/",
                live: Some(visit.path("/live")),
            };
            whole(&app, &visit, &page, &show(&visit, &found))
        }
        Err(why) => refusal(&app, &visit, &why),
    }
}

struct Found {
    /// What waits for an operator: the filter, what it means, how many there are, the newest.
    needs: Vec<(
        &'static str,
        &'static str,
        &'static str,
        u64,
        Vec<ExecutionInfo>,
    )>,
    counts: Vec<(Status, u64)>,
    newest: Vec<ExecutionInfo>,
}

async fn look(app: &App) -> Result<Found, Refused> {
    let engine = &app.engine;
    let mut needs = Vec::new();
    for (text, title, means) in NEEDS {
        let filter = Filter::parse(text)?;
        let count = engine.count(filter.clone()).await?;
        if count > 0 {
            let newest = engine.list(filter.limit(SHOWN)).await?;
            needs.push((text, title, means, count, newest));
        }
    }
    let mut counts = Vec::new();
    for status in COUNTED {
        let count = engine.count(Filter::new().status(status)).await?;
        counts.push((status, count));
    }
    let newest = engine.list(Filter::new().limit(SHOWN)).await?;
    Ok(Found {
        needs,
        counts,
        newest,
    })
}

/// Returns counts of which one changes whenever the overview does, but for what is new. What is done was
/// counted as something else before.
pub(super) async fn counts(app: &App) -> Result<Vec<u64>, Refused> {
    let statuses = COUNTED.into_iter().filter(|status| *status != Status::Done);
    let mut filters: Vec<Filter> = statuses
        .map(|status| Filter::new().status(status))
        .collect();
    for (text, ..) in NEEDS {
        filters.push(Filter::parse(text)?);
    }
    let mut counts = Vec::new();
    for filter in filters {
        counts.push(app.engine.count(filter).await?);
    }
    Ok(counts)
}

fn show(visit: &Visit, all: &Found) -> Markup {
    let now = Timestamp::now();
    html! {
        h1 { "Overview" }
        div #overview data-part="" {
            @if all.needs.is_empty() {
                p .calm { "Nothing is stuck, incompatible or failed." }
            }
            @for (filter, title, means, count, newest) in &all.needs {
                section .needs {
                    h2 { (title) " " span .count { (count) } }
                    p { (means) }
                    (executions(visit, newest, now))
                    @if *count > newest.len() as u64 {
                        p { a href=(found(visit, filter)) { "All " (counted(*count, "execution", "executions")) } }
                    }
                }
            }
            section {
                h2 { "Counts" }
                ul .counts {
                    @for (is, count) in &all.counts {
                        li {
                            a href=(found(visit, &format!("status={is}"))) {
                                span .number { (count) } " " (status(*is))
                            }
                        }
                    }
                }
            }
            section {
                h2 { "Newest" }
                @if all.newest.is_empty() {
                    p { "There are no executions yet." }
                } @else {
                    (executions(visit, &all.newest, now))
                    p { a href=(visit.path("/executions")) { "All executions" } }
                }
            }
        }
    }
}
