//! What happens with an order: the flow and its steps.
//!
//! A step runs again if the process died in the middle of it, so each that changes something hands
//! the shop its idempotency key, and the shop does the same thing only once.

use serde::{Deserialize, Serialize};
use steps::prelude::*;

use crate::shop::{Shop, ShopError};

/// What was ordered: the flow's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) customer: String,
    pub(crate) product: String,
    pub(crate) quantity: u32,
}

/// What somebody says about an expensive order: the signal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) granted: bool,
    pub(crate) by: String,
}

/// What the customer gets: the flow's output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) cents: u64,
    pub(crate) parcel: u64,
}

/// From the order to the parcel; or, where that fails or is cancelled, back.
#[flow(reversible)]
pub(crate) async fn fulfil(shop: &Shop, order: Order) -> Result<Receipt, ShopError> {
    steps! {
        cents   = price(shop, &order);
        stock   = reserve(shop, &order, &cx.idempotency_key());
        approval = if cents >= shop.approve_from() {
            decision = steps::signal::<Decision>();
            granted  = granted(&decision);
        }
        payment = charge(shop, &order, cents, &cx.idempotency_key());
        parcel  = pack(shop, &order, &cx.idempotency_key());
        // What has left the house is not called back.
        #[pivot]
        sent    = hand_over(shop, parcel);
    }
    Ok(Receipt { cents, parcel })
}

/// In cents.
#[step(readonly, blocking)]
fn price(shop: &Shop, order: &Order) -> Result<u64, ShopError> {
    Ok(shop.price(&order.product)? * u64::from(order.quantity))
}

#[step(blocking)]
fn reserve(shop: &Shop, order: &Order, key: &str) -> Result<(), ShopError> {
    shop.reserve(key, &order.product, order.quantity)
}

#[undo(reserve, blocking)]
fn release(shop: &Shop, _: &Order, key: &str, _: &()) -> Result<(), ShopError> {
    shop.release(key)
}

#[step(readonly)]
async fn granted(decision: &Decision) -> Result<(), ShopError> {
    if decision.granted {
        Ok(())
    } else {
        Err(ShopError::TurnedDown(decision.by.clone()))
    }
}

#[step(blocking, retry(times = 3, every = "100ms", backoff = 2.0, when = ShopError::is_transient))]
fn charge(shop: &Shop, order: &Order, cents: u64, key: &str) -> Result<(), ShopError> {
    shop.charge(key, &order.customer, cents)
}

#[undo(
    charge,
    blocking,
    retry(times = 10, every = "1s", backoff = 2.0, max = "1m")
)]
fn refund(shop: &Shop, _: &Order, _cents: u64, key: &str, _: &()) -> Result<(), ShopError> {
    shop.refund(key)
}

/// Takes a while, and gives the parcel's number.
#[step(blocking)]
fn pack(shop: &Shop, order: &Order, key: &str) -> Result<u64, ShopError> {
    shop.pack(key, &order.product, order.quantity)
}

#[undo(pack, blocking)]
fn unpack(shop: &Shop, _: &Order, _key: &str, parcel: &u64) -> Result<(), ShopError> {
    shop.unpack(*parcel)
}

/// The carrier takes the parcel when it comes by; `None` means "not yet".
#[step(readonly, poll(every = "50ms"))]
async fn hand_over(shop: &Shop, parcel: u64) -> Result<Option<()>, ShopError> {
    shop.is_taken(parcel)
}
