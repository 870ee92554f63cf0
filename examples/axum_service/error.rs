//! What a request is answered with when it can't be done: an HTTP status for each sort of error.

use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use steps::engine::EngineError;

use crate::shop::ShopError;

/// A status, and why.
pub(crate) struct ApiError(StatusCode, String);

impl ApiError {
    /// There is nothing at this path.
    pub(crate) async fn no_route() -> Self {
        let why = "there is nothing here: GET / lists what there is";
        Self(StatusCode::NOT_FOUND, why.to_owned())
    }

    /// The path is right, but not for this method.
    pub(crate) async fn wrong_method() -> Self {
        let why = "this path takes another method: GET / lists them";
        Self(StatusCode::METHOD_NOT_ALLOWED, why.to_owned())
    }

    pub(crate) fn conflict(why: impl Into<String>) -> Self {
        Self(StatusCode::CONFLICT, why.into())
    }

    pub(crate) fn bad_request(why: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, why.into())
    }
}

/// A body that is no JSON, or not what the route takes.
impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let status = match &error {
            EngineError::Unknown { .. } | EngineError::OtherFlow { .. } => StatusCode::NOT_FOUND,
            EngineError::Id { .. } => StatusCode::BAD_REQUEST,
            // The same key for another order.
            EngineError::OtherInput { .. } | EngineError::InvalidValue { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            // It has ended, or has been sent, or somebody is at it.
            EngineError::Status { .. }
            | EngineError::Signal { .. }
            | EngineError::PastPivot { .. }
            | EngineError::NotStuck { .. }
            | EngineError::State { .. }
            | EngineError::Busy { .. } => StatusCode::CONFLICT,
            // Nothing was acknowledged, so it may be tried again.
            EngineError::Closed | EngineError::Store(_) | EngineError::StoreFailed { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

impl From<ShopError> for ApiError {
    fn from(error: ShopError) -> Self {
        let status = match &error {
            ShopError::NoProduct(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ShopError::SoldOut(..) | ShopError::TurnedDown(_) => StatusCode::CONFLICT,
            ShopError::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, error.to_string())
    }
}
