//! One execution: what is known of it, what may be done, its steps as a tree and in time.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use maud::{Markup, html};
use serde::Deserialize;
use steps::log::LogLine;

use super::{
    acting,
    extract::PageQuery,
    facts,
    layout::{Page, page as whole, refusal},
    log as log_page,
    parts::{self, status},
    timeline, tree,
};
use crate::{app::App, error::Refused, log, look::Look, visit::Visit};

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    pub(crate) id: String,
    /// What has just been done with it.
    #[serde(default)]
    pub(crate) done: String,
    /// The step whose log is shown; that of all steps, if it is missing.
    pub(crate) step: Option<String>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    match Look::at(&app, &asked.id).await {
        Ok(look) => {
            let of_step = log::Asked {
                step: asked.step.clone(),
                ..log::Asked::default()
            };
            let lines = log::lines(&app, &look.handle, &look.info.flow, &of_step).await;
            let page = Page {
                title: &look.info.id,
                place: "/executions",
                live: Some(visit.to("/live", &[("id", &asked.id)])),
            };
            whole(&app, &visit, &page, &show(&visit, &look, &asked, &lines))
        }
        Err(why) => refusal(&app, &visit, &why),
    }
}

fn show(
    visit: &Visit,
    look: &Look,
    asked: &Asked,
    lines: &Result<Vec<LogLine>, Refused>,
) -> Markup {
    let info = &look.info;
    html! {
        div #head data-part="" {
            p .crumbs {
                a href=(visit.path("/executions")) { "Executions" } " / "
                a href=(parts::found(visit, &format!("flow={}", parts::word(&info.flow)))) { (info.flow) }
            }
            h1 { (info.id) " " (status(info.status)) }
            @if let Some(message) = &info.status_message { p .message { (message) } }
            @if let Some(refused) = &info.refused {
                div .error { p { "It does not fit the program that took it up:" } pre { (refused.why) } }
            }
            @if let Some(error) = &info.error { p .error { (error) } }
        }
        @if let Some(kind) = acting::of_name(&asked.done) {
            p .notice role="status" { (acting::said(kind)) }
        }
        (acting::forms(visit, look))
        section {
            h2 #steps { "Steps" }
            div #tree data-part="" { (tree::show(visit, look)) }
        }
        section {
            h2 { "Timeline" }
            div #timeline data-part="" { (timeline::show(look)) }
        }
        section {
            h2 #log { "Log" }
            div #lines data-part="" { (log_page::show(visit, &info.id, asked.step.as_deref(), lines)) }
        }
        section {
            h2 { "Facts" }
            div #facts data-part="" { (facts::show(visit, look)) }
        }
    }
}
