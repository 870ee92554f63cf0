//! The routes that start, show and change executions of the flow.

use axum::{
    Json, Router,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use steps::{
    Status,
    engine::{Execution, Filter},
    store::{Cursor, ExecutionInfo},
};

use crate::{
    App,
    error::ApiError,
    flow::{Decision, Order, fulfil},
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/orders", post(start).get(list))
        .route("/orders/{id}", get(show).delete(cancel))
        .route("/orders/{id}/approval", post(approve))
}

/// Starts an order. The same key with the same order is the same order, however often it is sent.
async fn start(
    State(app): State<App>,
    headers: HeaderMap,
    order: Result<Json<Order>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(order) = order?;
    let key = headers.get("idempotency-key").map(|key| key.to_str());
    let Some(Ok(key)) = key else {
        return Err(ApiError::bad_request(
            "the header Idempotency-Key is missing, or no text",
        ));
    };
    // What can be told at once is not left to the execution.
    app.shop.price(&order.product)?;
    let customer = order.customer.clone();
    let run = app
        .engine
        .start(fulfil::input(order))
        .id(format!("order-{key}"))
        .label("customer", customer)
        .await?;
    // It is safe now, and goes on whatever becomes of this process.
    let body = Json(json!({ "id": run.id() }));
    let location = format!("/orders/{}", run.id());
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], body).into_response())
}

/// Everything about one order.
async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let run = order(&app, id).await?;
    let state = run.state().await?;
    Ok(Json(json!({
        "id": run.id(),
        "status": state.execution_status().as_str(),
        "waitsForApproval": state.approval.decision.status() == Status::Waiting,
        "parcel": state.parcel.output().ok().flatten(),
        "state": state,
    })))
}

#[derive(Deserialize)]
struct Wanted {
    status: Option<String>,
    customer: Option<String>,
    /// The `cursor` of the last order of the page before.
    after: Option<String>,
}

#[derive(Serialize)]
struct Line {
    id: String,
    status: &'static str,
    customer: Option<String>,
    created_at: String,
    error: Option<String>,
    cursor: String,
}

/// The orders, the newest first, 100 at a time.
async fn list(
    State(app): State<App>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Vec<Line>>, ApiError> {
    let Query(wanted) = wanted?;
    let mut filter = Filter::new().flow::<fulfil>().limit(100);
    if let Some(name) = wanted.status {
        let Some(status) = Status::from_name(&name) else {
            let names: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
            let names = names.join(", ");
            let why = format!("`{name}` is no status; there are {names}");
            return Err(ApiError::bad_request(why));
        };
        filter = filter.status(status);
    }
    if let Some(customer) = wanted.customer {
        filter = filter.label("customer", customer);
    }
    if let Some(last) = wanted.after {
        let cursor: Cursor = last
            .parse()
            .map_err(|error| ApiError::bad_request(format!("`after`: {error}")))?;
        filter = filter.after(cursor);
    }
    let found = app.engine.list(filter).await?;
    Ok(Json(found.into_iter().map(line).collect()))
}

fn line(mut info: ExecutionInfo) -> Line {
    Line {
        status: info.status.as_str(),
        customer: info.labels.remove("customer"),
        created_at: info.created_at.to_string(),
        cursor: info.cursor().to_string(),
        error: info.error,
        id: info.id,
    }
}

/// Says yes or no to an expensive order, once it waits for that. Of two that come at once, the engine
/// refuses the second.
async fn approve(
    State(app): State<App>,
    Path(id): Path<String>,
    decision: Result<Json<Decision>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(decision) = decision?;
    let run = order(&app, id).await?;
    if run.state().await?.approval.decision.status() != Status::Waiting {
        return Err(ApiError::conflict(
            "the order does not wait for an approval",
        ));
    }
    run.signal(fulfil::STEPS.approval.decision, &decision)
        .await?;
    Ok(StatusCode::ACCEPTED)
}

/// Cancels an order: what was done for it is undone. One that was sent stays.
async fn cancel(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    order(&app, id).await?.undo().await?;
    Ok(StatusCode::ACCEPTED)
}

async fn order(app: &App, id: String) -> Result<Execution<fulfil>, ApiError> {
    Ok(app.engine.execution::<fulfil>(id).await?)
}
