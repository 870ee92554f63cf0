//! A list of executions: what a filter finds, page by page.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use steps::{
    engine::Filter,
    store::{Cursor, ExecutionInfo},
};

use super::{
    bulk,
    extract::PageQuery,
    layout::{Page, page as whole},
    parts::executions,
};
use crate::{app::App, encoded, error::Refused, text::counted, visit::Visit};

/// How many stand on a page, unless the filter has a `limit`.
const PAGE: usize = 50;

/// How many stand on a page at most, whatever the filter says.
const MOST: usize = 500;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// The filter, as text.
    #[serde(default)]
    pub(crate) q: String,
    /// Where the page before ended.
    #[serde(default)]
    pub(crate) after: String,
}

/// Filters to begin with.
const EXAMPLES: [(&str, &str); 5] = [
    ("status={failed stuck}", "failed or stuck"),
    ("unfinished=true", "not ended"),
    ("incompatible=true", "fit no program"),
    ("sort=-updated", "changed last"),
    ("created=[2026-01-01~]", "created since"),
];

/// A page of a list.
pub(crate) struct Listed {
    pub(crate) all: Vec<ExecutionInfo>,
    /// Whether there is another page.
    pub(crate) more: bool,
}

pub(crate) fn cursor(text: &str) -> Result<Cursor, Refused> {
    text.parse()
        .map_err(|error| Refused::wrong(format!("`after`: {error}")))
}

/// How many of what a filter finds stand on a page.
pub(crate) fn size(filter: &Filter) -> usize {
    filter.most().unwrap_or(PAGE).clamp(1, MOST)
}

impl Listed {
    pub(crate) async fn of(app: &App, asked: &Asked) -> Result<Self, Refused> {
        let filter = app.filter(&asked.q)?;
        let most = size(&filter);
        // One more tells whether there is another page.
        let mut filter = filter.limit(most + 1);
        if !asked.after.is_empty() {
            filter = filter.after(cursor(&asked.after)?);
        }
        let mut all = app.engine.list(filter).await?;
        let more = all.len() > most;
        all.truncate(most);
        for info in &mut all {
            encoded::of_info(info);
            app.secrets.of_info(info);
        }
        Ok(Self { all, more })
    }
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    let listed = look(&app, &asked).await;
    let live = visit.to("/live", &[("q", &asked.q), ("after", &asked.after)]);
    let page = Page {
        title: "Executions",
        place: "/executions",
        live: listed.is_ok().then_some(live),
    };
    let status = listed.as_ref().err().map(|why| why.status);
    let mut response = whole(&app, &visit, &page, &show(&visit, &asked, &listed));
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    response
}

/// Returns a page of the list, and how many there are on all pages.
async fn look(app: &App, asked: &Asked) -> Result<(Listed, u64), Refused> {
    let listed = Listed::of(app, asked).await?;
    let count = app.engine.count(app.filter(&asked.q)?).await?;
    Ok((listed, count))
}

fn show(visit: &Visit, asked: &Asked, listed: &Result<(Listed, u64), Refused>) -> Markup {
    let now = Timestamp::now();
    html! {
        h1 { "Executions" }
        form .search method="get" action=(visit.path("/executions")) role="search" {
            label for="q" { "Filter" }
            div .line {
                input #q type="text" name="q" value=(asked.q) spellcheck="false" autocomplete="off"
                    aria-describedby="q-help" placeholder="status={failed stuck},label.zone=eu";
                button type="submit" { "Find" }
            }
            p #q-help .help {
                "Such as "
                @for (index, (text, means)) in EXAMPLES.into_iter().enumerate() {
                    @if index > 0 { ", " }
                    a href=(visit.to("/executions", &[("q", text)])) { code { (text) } } " (" (means) ")"
                }
                ". A comma is “and”; " code { "~part" } ", " code { "[from~to]" } ", "
                code { "{one two}" } ", " code { "\"in quotes\"" } "."
            }
        }
        @match listed {
            Err(why) => p .error role="alert" { (why.why) },
            Ok((listed, count)) => div #list data-part="" {
                p .total {
                    (counted(*count, "execution", "executions"))
                    @if !asked.after.is_empty() { ", from a later page on" }
                }
                @if !listed.all.is_empty() { (executions(visit, &listed.all, now)) }
                (pages(visit, asked, listed))
                (bulk::ways(visit, &asked.q, *count))
            },
        }
    }
}

/// The ways to the other pages.
fn pages(visit: &Visit, asked: &Asked, listed: &Listed) -> Markup {
    let last = listed.all.last().map(|last| last.cursor().to_string());
    html! {
        nav .pages aria-label="Pages of the list" {
            @if !asked.after.is_empty() {
                a rel="first" href=(visit.to("/executions", &[("q", &asked.q)])) { "First page" }
            }
            @if let (true, Some(after)) = (listed.more, last) {
                a rel="next" href=(visit.to("/executions", &[("q", &asked.q), ("after", &after)])) {
                    "Next page"
                }
            }
        }
    }
}
