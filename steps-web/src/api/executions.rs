//! Executions.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::answer::{Answer, ApiError, Body, Path, Query, value};
use crate::{
    acts::{Act, Kind},
    app::App,
    bulk,
    error::Refused,
    form::{Acted, Execution, Logged, Shown},
    log,
    look::Look,
    pages::{
        list::{Asked, Listed},
        report::{Format, of as report_of},
    },
    visit::Visit,
};

#[derive(Serialize)]
struct Page<'a> {
    executions: Vec<Execution<'a>>,
    /// Where the next page begins, if there is one.
    next: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Answer<Box<RawValue>> {
    let listed = Listed::of(&app, &asked).await?;
    let last = listed.all.last().filter(|_| listed.more);
    value(&Page {
        next: last.map(|last| last.cursor().to_string()),
        executions: listed.all.iter().map(Execution::from).collect(),
    })
}

pub(super) async fn count(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
) -> Answer<serde_json::Value> {
    let count = app.engine.count(app.filter(&asked.q)?).await;
    Ok(Json(json!({"count": count.map_err(Refused::from)?})))
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Answer<Box<RawValue>> {
    let look = Look::at(&app, &id).await?;
    let tree = steps::Json::parse(look.tree.to_json()).map_err(|error| {
        let why = format!("the tree of execution `{id}` can't be written: {error}");
        Refused::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, why)
    })?;
    value(&Shown {
        execution: Execution::from(&look.info),
        acts: &look.info.acts,
        tree,
    })
}

/// What is to be done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToDo {
    act: Kind,
    step: Option<String>,
    value: Option<Box<RawValue>>,
    reason: Option<String>,
}

pub(super) async fn act(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Body(to_do): Body<ToDo>,
) -> Answer<Box<RawValue>> {
    let given = to_do.value.as_ref().map(|value| value.get());
    let act = Act::new(to_do.act, to_do.step, given, to_do.reason.as_deref())?;
    let done = act.make(&app, &visit, &id).await?;
    value(&Acted {
        id: &id,
        act: act.kind.name(),
        ok: true,
        status: done.status.map(steps::Status::as_str),
        count: done.count,
        error: None,
        kind: None,
    })
}

/// What is to be done with all that a filter finds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToDoWithAll {
    q: String,
    act: Kind,
    count: u64,
    reason: String,
}

#[derive(Serialize)]
struct Passed<'a> {
    id: &'a str,
    error: &'a str,
}

#[derive(Serialize)]
struct DoneWithAll<'a> {
    act: &'a str,
    ok: bool,
    count: u64,
    passed: Vec<Passed<'a>>,
    /// Why it came to no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

pub(super) async fn act_on_all(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Body(to_do): Body<ToDoWithAll>,
) -> Answer<Box<RawValue>> {
    let ToDoWithAll {
        q,
        act,
        count,
        reason,
    } = to_do;
    let done = bulk::act(&app, &visit, &q, act, count, &reason).await?;
    let passed = done.passed.iter().map(|(id, error)| Passed { id, error });
    value(&DoneWithAll {
        act: act.name(),
        ok: done.ended.is_none(),
        count: done.count,
        passed: passed.collect(),
        error: done.ended.as_deref(),
    })
}

#[derive(Serialize)]
struct Log<'a> {
    lines: Vec<Logged<'a>>,
}

pub(super) async fn log(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<log::Asked>,
) -> Answer<Box<RawValue>> {
    let handle = app.engine.get(&id).await.map_err(Refused::from)?;
    let info = handle.info().await.map_err(Refused::from)?;
    let lines = log::lines(&app, &handle, &info.flow, &asked).await?;
    let lines = lines.iter().map(Logged::from).collect();
    value(&Log { lines })
}

#[derive(Deserialize)]
pub(super) struct InForm {
    #[serde(default)]
    format: Format,
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<InForm>,
) -> Result<Response, ApiError> {
    let report = report_of(&app, &id).await?;
    Ok(asked.format.file(&report, &id))
}
