//! Statistics of a flow.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use steps::{
    engine::Filter,
    store::{Quantiles, Statistics},
};

use super::{
    charts,
    layout::{Page, page as whole},
    parts::{execution, status, time},
};
use crate::{
    app::App,
    error::Refused,
    text::{counted, took},
    visit::Visit,
};

/// The times that can be chosen.
const SPANS: [(&str, &str); 6] = [
    ("1h", "the last hour"),
    ("6h", "the last 6 hours"),
    ("1d", "the last day"),
    ("7d", "the last 7 days"),
    ("30d", "the last 30 days"),
    ("90d", "the last 90 days"),
];

/// Of how many of the newest executions flows are proposed.
const NEWEST: usize = 200;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    flow: String,
    #[serde(default = "day")]
    last: String,
}

fn day() -> String {
    "1d".to_owned()
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = asked.map_or_else(
        |_| Asked {
            flow: String::new(),
            last: day(),
        },
        |Query(asked)| asked,
    );
    let found = look(&app, &asked).await;
    let page = Page {
        title: "Statistics",
        place: "/statistics",
        live: None,
    };
    let status = found.as_ref().err().map(|why| why.status);
    let mut response = whole(&app, &visit, &page, &show(&visit, &asked, &found));
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    response
}

struct Found {
    flows: BTreeSet<String>,
    statistics: Option<Statistics>,
}

async fn look(app: &App, asked: &Asked) -> Result<Found, Refused> {
    let newest = app.engine.list(Filter::new().limit(NEWEST)).await?;
    let flows = newest.into_iter().map(|info| info.flow).collect();
    let statistics = if asked.flow.is_empty() {
        None
    } else {
        Some(
            app.engine
                .statistics(&asked.flow)
                .last(&*asked.last)
                .await?,
        )
    };
    Ok(Found { flows, statistics })
}

fn show(visit: &Visit, asked: &Asked, found: &Result<Found, Refused>) -> Markup {
    let flows = found
        .as_ref()
        .map(|found| found.flows.clone())
        .unwrap_or_default();
    html! {
        h1 { "Statistics" }
        form .search method="get" action=(visit.path("/statistics")) {
            div .line .low {
                div {
                    label for="flow" { "Flow" }
                    input #flow type="text" name="flow" value=(asked.flow) list="flows" required
                        spellcheck="false" autocomplete="off";
                    datalist #flows { @for flow in &flows { option value=(flow) {} } }
                }
                div {
                    label for="last" { "Created in" }
                    select #last name="last" {
                        @for (span, name) in SPANS {
                            option value=(span) selected[span == asked.last] { (name) }
                        }
                    }
                }
                button type="submit" { "Show" }
            }
        }
        @match found {
            Err(why) => p .error role="alert" { (why.why) },
            Ok(found) => @match &found.statistics {
                Some(statistics) => (of_flow(visit, statistics)),
                None => @if !flows.is_empty() {
                    p { "Flows of the newest executions: "
                        @for flow in &flows {
                            a href=(visit.to("/statistics", &[("flow", flow), ("last", &asked.last)])) { (flow) } " "
                        }
                    }
                } @else { p { "There are no executions yet." } },
            },
        }
    }
}

fn of_flow(visit: &Visit, all: &Statistics) -> Markup {
    let now = Timestamp::now();
    let (current, before) = (&all.current, &all.before);
    html! {
        section {
            h2 { (all.flow) }
            p .help {
                "Created from " (time(Some(all.period.start), now)) " until " (time(Some(all.period.end), now))
                ", compared with the same time before."
            }
            div .wide { table .few {
                thead { tr { td {} th .right scope="col" { "now" } th .right scope="col" { "before" } } }
                tbody {
                    tr { th scope="row" { "Executions" } td .right { (current.executions) } td .right { (before.executions) } }
                    @for (is, count) in &current.by_status {
                        tr {
                            th scope="row" { (status(*is)) }
                            td .right { (count) }
                            td .right { (before.by_status.get(is).copied().unwrap_or_default()) }
                        }
                    }
                    tr {
                        th scope="row" { "Ended otherwise than done" }
                        td .right { (rate(current.failure_rate())) } td .right { (rate(before.failure_rate())) }
                    }
                }
            } }
            div .wide { table .few {
                thead { tr {
                    td {}
                    th .right scope="col" { "half at most" } th .right scope="col" { "90 % at most" }
                    th .right scope="col" { "99 % at most" } th .right scope="col" { "the longest" }
                } }
                tbody {
                    (lengths("Took, now", current.times))
                    (lengths("Took, before", before.times))
                    (lengths("Waited to begin, now", current.queue))
                    (lengths("Waited to begin, before", before.queue))
                }
            } }
        }
        section {
            h2 { "Hour by hour" }
            (charts::hours(all))
        }
        section {
            h2 { "Steps" }
            @if current.steps.is_empty() { p { "None has begun in that time." } } @else {
                @if current.sampled < current.executions {
                    p .help { "Of a sample of " (counted(current.sampled, "execution", "executions")) "." }
                }
                (charts::steps(current))
            }
        }
        @if !all.slowest.is_empty() {
            section {
                h2 { "The slowest" }
                div .wide { table {
                    thead { tr { th scope="col" { "Execution" } th scope="col" { "Status" }
                        th .right scope="col" { "Took" } th scope="col" { "Created" } } }
                    tbody { @for slow in &all.slowest {
                        tr {
                            th scope="row" { a href=(execution(visit, &slow.id)) { (slow.id) } }
                            td { (status(slow.status)) }
                            td .right { (took(slow.took)) }
                            td { (time(Some(slow.created_at), now)) }
                        }
                    } }
                } }
            }
        }
    }
}

fn lengths(name: &str, times: Option<Quantiles>) -> Markup {
    html! {
        @if let Some(times) = times {
            tr {
                th scope="row" { (name) }
                @for length in [times.p50, times.p90, times.p99, times.longest] {
                    td .right { (took(length)) }
                }
            }
        }
    }
}

pub(super) fn rate(rate: Option<f64>) -> String {
    rate.map(|rate| format!("{:.1} %", rate * 100.0))
        .unwrap_or_default()
}
