//! The routes that have nothing to do with steps: what the service had before.

use axum::{Json, Router, extract::State, routing::get};

use crate::{
    App,
    error::ApiError,
    shop::{Charge, Product},
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/products", get(products))
        .route("/ledger", get(ledger))
}

async fn products(State(app): State<App>) -> Result<Json<Vec<Product>>, ApiError> {
    Ok(Json(app.shop.products()?))
}

async fn ledger(State(app): State<App>) -> Result<Json<Vec<Charge>>, ApiError> {
    Ok(Json(app.shop.charges()?))
}
