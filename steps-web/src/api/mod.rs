//! The JSON API, below `/api`. The document `openapi.json` tells what there is, and `tests` holds it true.
//!
//! | file | job |
//! |---|---|
//! | `executions` | lists, counts, one execution, what is done with one, its report |
//! | `flows` | statistics of a flow, and schedules |
//! | `openapi` | the document |

mod executions;
mod flows;
mod openapi;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{app::App, error::Refused};

/// The paths, each with what its methods do. The test compares them with the document.
fn endpoints() -> [(
    &'static str,
    &'static [&'static str],
    MethodRouter<Arc<App>>,
); 11] {
    const GET: &[&str] = &["get"];
    const POST: &[&str] = &["post"];
    [
        ("/openapi.json", GET, get(openapi::document)),
        ("/executions", GET, get(executions::list)),
        ("/count", GET, get(executions::count)),
        ("/executions/{id}", GET, get(executions::one)),
        ("/executions/{id}/acts", POST, post(executions::act)),
        ("/executions/{id}/report", GET, get(executions::report)),
        ("/statistics", GET, get(flows::statistics)),
        ("/schedules", GET, get(flows::schedules)),
        ("/schedules/{name}", GET, get(flows::schedule)),
        ("/schedules/{name}/next", GET, get(flows::next)),
        ("/schedules/{name}/acts", POST, post(flows::act)),
    ]
}

pub(crate) fn routes() -> Router<Arc<App>> {
    let mut router = Router::new();
    for (path, _, does) in endpoints() {
        router = router.route(path, does);
    }
    router
        .fallback(async || Refused::new(StatusCode::NOT_FOUND, "there is no such path").as_json())
        .method_not_allowed_fallback(async || {
            let why = "this path takes another method";
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, why).as_json()
        })
}

/// An answer: a value, or why there is none.
type Answer<T> = Result<Json<T>, ApiError>;

/// Why a request was not done, as JSON.
#[derive(Debug)]
struct ApiError(Refused);

impl<E: Into<Refused>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.0.status.is_server_error() {
            tracing::error!(why = self.0.why, "a request could not be done");
        }
        self.0.as_json()
    }
}

/// A value whose parts are borrowed from what is gone then.
fn value(value: &impl Serialize) -> Answer<Box<serde_json::value::RawValue>> {
    let raw = serde_json::value::to_raw_value(value);
    raw.map(Json).map_err(|error| {
        let why = format!("the answer could not be written: {error}");
        ApiError(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, why))
    })
}

/// The query of a request; what is wrong with it is told as JSON.
struct Query<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(error) => Err(ApiError(of_query(&error))),
        }
    }
}

fn of_query(error: &QueryRejection) -> Refused {
    Refused::wrong(error.body_text())
}

/// What stands in the path.
struct Path<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path: Result<_, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        match path {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(error) => Err(ApiError(Refused::wrong(error.body_text()))),
        }
    }
}

/// The body of a request.
struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body: Result<_, JsonRejection> = Json::from_request(request, state).await;
        match body {
            Ok(Json(body)) => Ok(Self(body)),
            Err(error) => {
                let status = match error.status() {
                    // The fields of a body are as wrong as those of a query.
                    StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
                    status => status,
                };
                Err(ApiError(Refused::new(status, error.body_text())))
            }
        }
    }
}

#[cfg(test)]
mod tests;
