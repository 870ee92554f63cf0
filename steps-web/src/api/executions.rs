//! Executions.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::answer::{Answer, ApiError, Body, Path, Query, value};
use crate::{
    acts::{Act, Kind},
    app::App,
    error::Refused,
    form::{Acted, Execution, Logged, Shown},
    log,
    look::Look,
    pages::{
        acting::make,
        list::{Asked, Listed, filter},
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
    let count = app.engine.count(filter(&app, &asked.q)?).await;
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
    let done = make(&app, &visit, &id, &act).await?;
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
