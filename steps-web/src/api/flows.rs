//! Statistics of a flow, flows that are paused and limited, and schedules.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::answer::{Answer, Body, Path, Query, value};
use crate::{
    app::App,
    error::Refused,
    flows::{self, Limits},
    form::{FlowActed, Limited, Schedule},
    pages::schedules::{Act, make},
    visit::Visit,
};

/// How many ticks are told at most.
const TICKS: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Asked {
    flow: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    last: Option<String>,
    sample: Option<usize>,
    slowest: Option<usize>,
}

pub(super) async fn statistics(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Answer<steps::Json> {
    let mut question = app.engine.statistics(&asked.flow);
    if let Some(last) = &asked.last {
        question = question.last(&**last);
    }
    if let Some(since) = asked.since {
        question = question.since(since);
    }
    if let Some(until) = asked.until {
        question = question.until(until);
    }
    if let Some(sample) = asked.sample {
        question = question.sample(sample);
    }
    if let Some(slowest) = asked.slowest {
        question = question.slowest(slowest.min(TICKS));
    }
    Ok(Json(question.await.map_err(Refused::from)?.json()))
}

pub(super) async fn flows(State(app): State<Arc<App>>) -> Answer<Box<RawValue>> {
    let all = app.engine.flows().await.map_err(Refused::from)?;
    let all: Vec<Limited<'_>> = all.iter().map(Limited::from).collect();
    value(&json!({ "flows": all }))
}

pub(super) async fn flow(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Answer<Box<RawValue>> {
    let info = app.engine.flow(&name).info().await;
    value(&Limited::from(&info.map_err(Refused::from)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowToDo {
    act: flows::Act,
    limits: Option<Limits>,
    #[serde(default)]
    reason: String,
}

pub(super) async fn act_on_flow(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Body(to_do): Body<FlowToDo>,
) -> Answer<Box<RawValue>> {
    let limits = to_do.limits.as_ref();
    let made = flows::make(&app, &visit, &name, to_do.act, limits, &to_do.reason);
    let (changed, info) = made.await?;
    value(&FlowActed {
        flow: Limited::from(&info),
        act: to_do.act.name(),
        changed,
    })
}

pub(super) async fn schedules(State(app): State<Arc<App>>) -> Answer<Box<RawValue>> {
    let all = app.engine.schedules().await.map_err(Refused::from)?;
    let all: Vec<Schedule<'_>> = all.iter().map(Schedule::from).collect();
    value(&json!({ "schedules": all }))
}

pub(super) async fn schedule(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Answer<Box<RawValue>> {
    let schedule = app.engine.get_schedule(&name).await;
    let schedule = schedule.map_err(Refused::from)?;
    value(&Schedule::from(
        &schedule.info().await.map_err(Refused::from)?,
    ))
}

#[derive(Deserialize)]
pub(super) struct HowMany {
    count: Option<usize>,
}

pub(super) async fn next(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(asked): Query<HowMany>,
) -> Answer<Value> {
    let schedule = app.engine.get_schedule(&name).await;
    let schedule = schedule.map_err(Refused::from)?;
    let is_paused = schedule.info().await.map_err(Refused::from)?.is_paused;
    let count = asked.count.unwrap_or(5).min(TICKS);
    let ticks = schedule.next(count).await.map_err(Refused::from)?;
    Ok(Json(
        json!({"schedule": name, "paused": is_paused, "next": ticks}),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToDo {
    act: Act,
}

pub(super) async fn act(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
    Body(to_do): Body<ToDo>,
) -> Answer<Value> {
    let changed = make(&app, &visit, &name, to_do.act).await?;
    Ok(Json(
        json!({"schedule": name, "act": to_do.act.name(), "ok": true, "changed": changed}),
    ))
}
