//! The JSON API, below `/api`. The document of `openapi` tells what there is.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
}
