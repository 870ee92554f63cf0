//! The schedules: when they tick next, and pausing, resuming and removing them.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use steps::engine::{Missed, Overlap, ScheduleInfo};

use super::{
    extract::PageForm,
    layout::{Page, page as whole, refusal},
    parts::{execution, time},
};
use crate::{app::App, error::Refused, visit::Visit};

/// How many of the next ticks are told, of how many schedules.
const AHEAD: usize = 5;
const TOLD: usize = 200;

/// What is done with a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    Pause,
    Resume,
    Remove,
}

impl Act {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Remove => "remove",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Remove => "Remove",
        }
    }

    fn consequence(self) -> &'static str {
        match self {
            Self::Pause => {
                "It starts nothing until it is resumed, whichever process looks after it. What was started goes on."
            }
            Self::Resume => {
                "It starts executions again, from its next tick on. Ticks that passed while it was paused are not made up for."
            }
            Self::Remove => {
                "It is gone, and starts nothing any more. What it has started stays. A service that registers it makes it anew at its next start."
            }
        }
    }
}

/// Does it, and says so in the log: with a schedule, nobody is recorded. Returns whether it was a change.
pub(crate) async fn make(app: &App, visit: &Visit, name: &str, act: Act) -> Result<bool, Refused> {
    let schedule = app.engine.get_schedule(name).await?;
    let changed = match act {
        Act::Pause => schedule.pause().await?,
        Act::Resume => schedule.resume().await?,
        Act::Remove => schedule.remove().await?,
    };
    tracing::info!(
        schedule = name,
        act = act.name(),
        by = visit.name,
        changed,
        "an operator acted"
    );
    Ok(changed)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    name: String,
    act: Act,
}

pub(crate) async fn act(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    PageForm(sent): PageForm<Sent>,
) -> Response {
    match make(&app, &visit, &sent.name, sent.act).await {
        Ok(_) => {
            let done = [("name", &*sent.name), ("done", sent.act.name())];
            Redirect::to(&visit.to("/schedules", &done)).into_response()
        }
        Err(why) => refusal(&app, &visit, &why),
    }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    name: String,
    /// What has just been done with it.
    done: Option<Act>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    match look(&app).await {
        Ok(all) => {
            let page = Page {
                title: "Schedules",
                place: "/schedules",
                live: None,
            };
            whole(&app, &visit, &page, &show(&visit, &asked, &all))
        }
        Err(why) => refusal(&app, &visit, &why),
    }
}

/// The schedules, each with its next ticks.
async fn look(app: &App) -> Result<Vec<(ScheduleInfo, Vec<Timestamp>)>, Refused> {
    let mut all = Vec::new();
    for info in app.engine.schedules().await? {
        let next = if info.unreadable.is_some() {
            Vec::new()
        } else if all.len() < TOLD {
            match app.engine.get_schedule(&info.name).await {
                Ok(schedule) => schedule.next(AHEAD).await.unwrap_or_default(),
                // It was removed just now.
                Err(_) => continue,
            }
        } else {
            info.next.into_iter().collect()
        };
        all.push((info, next));
    }
    Ok(all)
}

fn show(visit: &Visit, asked: &Asked, all: &[(ScheduleInfo, Vec<Timestamp>)]) -> Markup {
    let now = Timestamp::now();
    html! {
        h1 { "Schedules" }
        @if let Some(done) = asked.done {
            p .notice role="status" { "`" (asked.name) "`: " (done.name()) " is done." }
        }
        @if all.is_empty() { p { "There are none." } }
        @for (info, next) in all {
            section {
                h2 {
                    (info.name) " "
                    @if info.unreadable.is_some() {}
                    @else if info.is_paused { span .status .s-waiting { span aria-hidden="true" { "■" } " paused" } }
                    @else { span .status .s-running { span aria-hidden="true" { "▸" } " on" } }
                }
                @if let Some(why) = &info.unreadable { p .error { (why) } }
                @else { dl .facts {
                    dt { "Flow" } dd { (info.flow) }
                    dt { "When" } dd { code { (info.timing) } }
                    dt { "Next" }
                    dd {
                        @if next.is_empty() { @if info.is_paused { "paused" } @else { "no tick left" } }
                        @for (index, tick) in next.iter().enumerate() {
                            @if index > 0 { ", " }
                            (time(Some(*tick), now)) @if *tick < now { " (overdue)" }
                        }
                    }
                    @if let Some(last) = info.last {
                        dt { "Last" }
                        dd {
                            (time(Some(last), now)) ": "
                            @if let Some(id) = &info.last_execution { a href=(execution(visit, id)) { (id) } }
                        }
                    }
                    @if let Some(left) = info.left_out { dt { "Left out" } dd { "from " (time(Some(left), now)) " on" } }
                    dt { "Missed ticks" } dd { (missed(info.missed)) }
                    dt { "Overlap" } dd { (overlap(info.overlap)) @if info.queued > 0 { ", " (info.queued) " queued" } }
                } }
                @if visit.may_act() && info.unreadable.is_none() { (forms(visit, info)) }
            }
        }
    }
}

fn forms(visit: &Visit, info: &ScheduleInfo) -> Markup {
    let first = if info.is_paused {
        Act::Resume
    } else {
        Act::Pause
    };
    html! {
        div .acting {
            @for act in [first, Act::Remove] {
                details .act .danger[act == Act::Remove] {
                    summary { (act.title()) }
                    form method="post" action=(visit.path("/schedules/act")) {
                        p { (act.consequence()) }
                        input type="hidden" name="name" value=(info.name);
                        input type="hidden" name="act" value=(act.name());
                        button type="submit" { (act.title()) " " (info.name) }
                    }
                }
            }
        }
    }
}

fn missed(missed: Missed) -> String {
    match missed {
        Missed::Skip => "are left out".to_owned(),
        Missed::One => "the newest is made".to_owned(),
        Missed::All(most) => format!("all are made, up to {most}"),
        other => format!("{other:?}"),
    }
}

fn overlap(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Allow => "starts all the same",
        Overlap::Skip => "is left out",
        Overlap::Queue => "waits for the end of the one before",
        _ => "in another way",
    }
}
