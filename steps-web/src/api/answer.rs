//! What a request of the API has, and its answers: what is wrong is told as JSON.

use axum::{
    Json,
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Refused;

/// An answer: a value, or why there is none.
pub(super) type Answer<T> = Result<Json<T>, ApiError>;

/// Why a request was not done, as JSON.
#[derive(Debug)]
pub(super) struct ApiError(pub(super) Refused);

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
pub(super) fn value(value: &impl Serialize) -> Answer<Box<serde_json::value::RawValue>> {
    let raw = serde_json::value::to_raw_value(value);
    raw.map(Json).map_err(|error| {
        let why = format!("the answer could not be written: {error}");
        ApiError(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, why))
    })
}

/// The query of a request; what is wrong with it is told as JSON.
pub(super) struct Query<T>(pub(super) T);

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
pub(super) struct Path<T>(pub(super) T);

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
pub(super) struct Body<T>(pub(super) T);

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
