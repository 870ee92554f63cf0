//! The flows: which are paused or limited, how many of each go on, and the forms for that.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use steps::{
    Status,
    engine::{Filter, FlowInfo, FlowLimits},
};

use super::{
    extract::{PageForm, PageQuery},
    layout::{Page, page as whole, refusal},
    parts::{found, time, word},
};
use crate::{
    app::App,
    error::Refused,
    flows::{Act, Typed, make},
    visit::Visit,
};

/// Of how many of the newest executions, and of those that have not ended, flows are listed.
const NEWEST: usize = 200;

/// How many flows stand on the page.
const TOLD: usize = 100;

/// How many of the newest acts stand with each.
const ACTS: usize = 5;

/// What counts for a limit, and what has not begun.
const GOES_ON: [Status; 3] = [Status::Running, Status::Waiting, Status::Undoing];

/// A form that was sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    flow: String,
    act: Act,
    reason: Option<String>,
    #[serde(flatten)]
    limits: Typed,
}

/// Does what a form says.
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageForm(sent): PageForm<Sent>,
) -> Response {
    match done(&app, &visit, &sent).await {
        Ok(()) => {
            let done = [("flow", &*sent.flow), ("done", sent.act.name())];
            Redirect::to(&visit.to("/flows", &done)).into_response()
        }
        Err(why) => refusal(&app, &visit, &why),
    }
}

async fn done(app: &App, visit: &Visit, sent: &Sent) -> Result<(), Refused> {
    let reason = sent.reason.as_deref().unwrap_or_default();
    if reason.trim().is_empty() {
        return Err(Refused::wrong(
            "say why: it is recorded, for whoever asks later",
        ));
    }
    let limits = match sent.act {
        Act::Limit => Some(sent.limits.read()?),
        _ => None,
    };
    make(app, visit, &sent.flow, sent.act, limits.as_ref(), reason)
        .await
        .map(drop)
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    flow: String,
    /// What has just been done with it.
    done: Option<Act>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    match look(&app).await {
        Ok(all) => {
            let page = Page {
                title: "Flows",
                place: "/flows",
                live: None,
            };
            whole(&app, &visit, &page, &show(&visit, &asked, &all))
        }
        Err(why) => refusal(&app, &visit, &why),
    }
}

struct Found {
    info: FlowInfo,
    goes_on: u64,
    not_begun: u64,
}

struct All {
    flows: Vec<Found>,
    left_out: usize,
}

/// The flows that are paused or limited, or were, and then those of executions.
async fn look(app: &App) -> Result<All, Refused> {
    let engine = &app.engine;
    let mut all = engine.flows().await?;
    // Those that need somebody in front.
    all.sort_by_key(|info| (!info.is_paused, info.limits.is_none()));
    let mut others = BTreeSet::new();
    for filter in [Filter::new(), Filter::new().unfinished()] {
        let found = engine.list(filter.limit(NEWEST)).await?;
        others.extend(found.into_iter().map(|info| info.flow));
    }
    others.retain(|name| !all.iter().any(|info| info.flow == *name));
    for name in others {
        // Nothing is kept of it.
        all.push(engine.flow(&name).info().await?);
    }
    let left_out = all.len().saturating_sub(TOLD);
    all.truncate(TOLD);
    let mut flows = Vec::new();
    for info in all {
        let of_flow = || Filter::new().flow_name(&info.flow);
        let goes_on = GOES_ON.into_iter().fold(of_flow(), Filter::status);
        let goes_on = engine.count(goes_on).await?;
        let not_begun = engine.count(of_flow().status(Status::Pending)).await?;
        flows.push(Found {
            info,
            goes_on,
            not_begun,
        });
    }
    Ok(All { flows, left_out })
}

fn show(visit: &Visit, asked: &Asked, all: &All) -> Markup {
    let now = Timestamp::now();
    html! {
        h1 { "Flows" }
        @if let Some(done) = asked.done {
            p .notice role="status" { "`" (asked.flow) "` " (done.said()) }
        }
        @if all.flows.is_empty() { p { "There are none yet." } }
        @for found in &all.flows { (flow(visit, found, now)) }
        @if all.left_out > 0 {
            p .help { (all.left_out) " more are left out; the API has all that are paused or limited." }
        }
        @if visit.may_act() {
            section {
                h2 { "Another flow" }
                div .acting {
                    (form(visit, Act::Pause, None))
                    (form(visit, Act::Limit, None))
                }
            }
        }
    }
}

fn flow(visit: &Visit, it: &Found, now: Timestamp) -> Markup {
    let info = &it.info;
    let listed = |statuses: &str| format!("flow={},status={statuses}", word(&info.flow));
    html! {
        section {
            h2 {
                (info.flow) " "
                @if info.is_paused { span .status .s-waiting { span aria-hidden="true" { "■" } " paused" } }
                @else if !info.limits.is_none() { span .status .s-running { span aria-hidden="true" { "▸" } " limited" } }
            }
            dl .facts {
                @if info.is_paused {
                    dt { "Paused" }
                    dd {
                        @match &info.paused {
                            Some(act) => {
                                (time(Some(act.at), now)) " by " (act.by)
                                @if let Some(reason) = &act.reason { ": " (reason) }
                            }
                            None => "by the service",
                        }
                    }
                }
                dt { "Limits" }
                dd {
                    (info.limits)
                    @if info.at_run_time { ", set by an operator" }
                    @else if !info.limits.is_none() { ", set by its service" }
                }
                dt { "Go on" }
                dd { a href=(found(visit, &listed("{running waiting undoing}"))) { (it.goes_on) } }
                dt { "Not begun" }
                dd { a href=(found(visit, &listed("pending"))) { (it.not_begun) } }
                @if !info.acts.is_empty() {
                    dt { "Last acts" }
                    dd {
                        ol .acts {
                            @for act in info.acts.iter().rev().take(ACTS) {
                                li {
                                    (time(Some(act.at), now)) " " (act.act) " by " (act.by)
                                    @if let Some(reason) = &act.reason { ": " (reason) }
                                }
                            }
                        }
                    }
                }
            }
            @if visit.may_act() {
                div .acting {
                    @for act in Act::ALL.into_iter().filter(|act| act.fits(info)) {
                        (form(visit, act, Some(info)))
                    }
                }
            }
        }
    }
}

/// The form of an act: with this flow, or with one that is named in it.
fn form(visit: &Visit, act: Act, info: Option<&FlowInfo>) -> Markup {
    let name = info.map_or("", |info| &info.flow);
    let id = |part: &str| format!("{part}-{}-{name}", act.name());
    html! {
        details .act id=(id("act")) {
            summary { (act.title()) }
            form method="post" action=(visit.path("/flows/act")) {
                p { (act.consequence()) }
                @match info {
                    Some(info) => input type="hidden" name="flow" value=(info.flow);,
                    None => {
                        label for=(id("flow")) { "Flow" }
                        input id=(id("flow")) type="text" name="flow" required spellcheck="false" autocomplete="off";
                    }
                }
                input type="hidden" name="act" value=(act.name());
                @if act == Act::Limit { (fields(&id, info.map(|info| &info.limits))) }
                label for=(id("reason")) { "Why? It is recorded with your name." }
                input id=(id("reason")) type="text" name="reason" required maxlength="2000" autocomplete="off";
                button type="submit" { (act.title()) @if info.is_some() { " " (name) } }
            }
        }
    }
}

/// The fields of limits, with what holds now.
fn fields(id: &dyn Fn(&str) -> String, now: Option<&FlowLimits>) -> Markup {
    let text = |number: Option<u32>| number.map(|it| it.to_string()).unwrap_or_default();
    let per = now.and_then(|limits| limits.per.as_ref());
    let rate = now.and_then(|limits| limits.rate.as_ref());
    let period = rate.map(|rate| format!("{:?}", rate.period));
    let all = [
        (
            "at_once",
            "At once",
            text(now.and_then(|limits| limits.at_once)),
            "5",
        ),
        (
            "label",
            "Of those with one value of this label",
            per.map(|per| per.label.clone()).unwrap_or_default(),
            "tenant",
        ),
        ("per", "at once", text(per.map(|per| per.at_once)), "2"),
        (
            "starts",
            "Begin in a time",
            text(rate.map(|rate| rate.starts)),
            "100",
        ),
        ("period", "in", period.unwrap_or_default(), "60s"),
        (
            "burst",
            "of them together, if none did for a while",
            text(rate.map(|rate| rate.burst).filter(|burst| *burst > 1)),
            "1",
        ),
    ];
    html! {
        @for (name, label, value, example) in all {
            label for=(id(name)) { (label) }
            input id=(id(name)) type="text" name=(name) value=(value) placeholder=(example)
                spellcheck="false" autocomplete="off";
        }
    }
}
