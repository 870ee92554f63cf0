//! The document that describes the API.

use axum::{Extension, Json};
use serde_json::{Value, json};

use super::answer::{Answer, ApiError};
use crate::{error::Refused, visit::Visit};

pub(super) const DOCUMENT: &str = include_str!("openapi.json");

/// The document, with the place where the API is nested.
pub(super) async fn document(Extension(visit): Extension<Visit>) -> Answer<Value> {
    let mut document: Value = serde_json::from_str(DOCUMENT).map_err(|error| {
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        ApiError(Refused::new(status, error.to_string()))
    })?;
    document["servers"] = json!([{ "url": visit.path("/api") }]);
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    Ok(Json(document))
}
