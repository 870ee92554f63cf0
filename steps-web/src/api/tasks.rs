//! What is reported on external tasks by whoever runs them: the web hook of the other side.
//!
//! Its answers are made for a program that sends each report until it knows that it need not: 2xx and what is wrong
//! with the report itself end it, 410 ends the whole task, and 503 says when to try again.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{
        Path, State,
        rejection::{PathRejection, StringRejection},
    },
    http::{HeaderValue, Method, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use steps::{ReportError, Reported, TaskId, TaskReport, engine::EngineError};

use crate::{app::App, error::Refused, form::Kind, visit::Visit};

/// After how many seconds a report is to be sent again that could not be taken now.
const AGAIN: HeaderValue = HeaderValue::from_static("5");

/// Whether a request is a report, for whose sender this path alone is there.
pub(crate) fn is_report(method: &Method, path: &str) -> bool {
    let task = path.strip_prefix("/api/tasks/");
    let task = task.and_then(|rest| rest.strip_suffix("/report"));
    *method == Method::POST && task.is_some_and(|task| !task.is_empty() && !task.contains('/'))
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    task: Result<Path<String>, PathRejection>,
    body: Result<String, StringRejection>,
) -> Response {
    let taken = async {
        let Path(task) = task.map_err(|error| Refused::wrong(error.body_text()))?;
        let body = body.map_err(|error| Refused::new(error.status(), error.body_text()))?;
        take(&app, &visit, &task, &body).await
    };
    match taken.await {
        Ok(answer) => Json(answer).into_response(),
        Err(why) => {
            let mut response = why.as_json();
            if why.status == StatusCode::SERVICE_UNAVAILABLE {
                tracing::warn!(why = why.why, "a report on an external task was not taken");
                response.headers_mut().insert(RETRY_AFTER, AGAIN);
            }
            response
        }
    }
}

async fn take(app: &App, visit: &Visit, task: &str, body: &str) -> Result<Value, Refused> {
    let id: TaskId = task
        .parse()
        .map_err(|error: steps::TaskIdError| Refused::wrong(error.to_string()))?;
    let report = TaskReport::from_json(body).map_err(|error| Refused::wrong(error.to_string()))?;
    let (revision, status) = (report.revision, report.status);
    let reported = app.engine.report(&id, report).await.map_err(|error| {
        let status = match &error {
            EngineError::Report {
                error: ReportError::Full { .. },
                ..
            } => StatusCode::SERVICE_UNAVAILABLE,
            error if Kind::of(error) == Kind::Usage => StatusCode::BAD_REQUEST,
            // Whatever it is, the report itself may be a good one.
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Refused::new(status, error.to_string())
    })?;
    let result = match reported {
        Reported::Taken => "taken",
        Reported::Gone(gone) => return Err(Refused::new(StatusCode::GONE, gone.to_string())),
        // Also what a later version may answer: the report need not be sent again.
        _ => "stale",
    };
    tracing::debug!(task, by = visit.name, revision, %status, result, "a report on an external task");
    Ok(json!({"task": task, "result": result}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_alone_is_for_reports() {
        let post = Method::POST;
        assert!(is_report(&post, "/api/tasks/ab.order-7/report"));
        assert!(!is_report(&Method::GET, "/api/tasks/ab.order-7/report"));
        for path in [
            "/api/tasks//report",
            "/api/tasks/report",
            "/api/tasks/a/b/report",
            "/api/tasks/a/report/",
            "/api/executions/a/acts",
            "/api/tasks/../executions/report",
        ] {
            assert!(!is_report(&post, path), "{path}");
        }
    }
}
