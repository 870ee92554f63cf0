//! The routes that have nothing to do with steps: what the service had before.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};

use crate::{
    App,
    error::ApiError,
    shop::{Charge, Product},
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(overview))
        .route("/products", get(products))
        .route("/ledger", get(ledger))
}

/// What a newcomer needs to send the first order.
async fn overview(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({
        "products": app.shop.products()?,
        "approvalFromCents": app.shop.approve_from(),
        "requests": {
            "GET /products": "what is in stock",
            "GET /ledger": "what was charged and refunded",
            "POST /orders": {
                "does": "starts an order",
                "header": "Idempotency-Key: any text; the same key is the same order",
                "body": {"customer": "ann", "product": "lamp", "quantity": 2},
            },
            "GET /orders?status=waiting&customer=ann&after=order-1": "lists orders, the newest first",
            "GET /orders/{id}": "one order, with its tree of steps",
            "POST /orders/{id}/approval": {
                "does": "says yes or no, once, to an order of approvalFromCents or more that waits for it",
                "body": {"granted": true, "by": "bob"},
            },
            "DELETE /orders/{id}": "cancels an order that has not left the house: what was done is undone",
        },
    })))
}

async fn products(State(app): State<App>) -> Result<Json<Vec<Product>>, ApiError> {
    Ok(Json(app.shop.products()?))
}

async fn ledger(State(app): State<App>) -> Result<Json<Vec<Charge>>, ApiError> {
    Ok(Json(app.shop.charges()?))
}
