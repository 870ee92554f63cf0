//! The flow. Nothing here knows of Restate.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use steps::prelude::*;

/// What a customer wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) customer: String,
    pub(crate) amount: u32,
}

/// Where it is wanted.
pub(crate) struct Shop {
    /// How long everything takes.
    pub(crate) pause: Duration,
}

/// Reserves, waits for somebody's word, and charges.
#[flow]
pub(crate) async fn order(shop: &Shop, wanted: Order) -> Result<String, String> {
    steps! {
        number = reserve(shop, &wanted);
        approved_by = steps::signal::<String>();
        receipt = charge(shop, &wanted, number);
    }
    Ok(format!("{receipt}, approved by {approved_by}"))
}

#[step]
async fn reserve(shop: &Shop, wanted: &Order) -> Result<u64, String> {
    tokio::time::sleep(shop.pause).await;
    let number = wanted.customer.len() as u64;
    println!("reserved {number}");
    Ok(number)
}

#[undo(reserve)]
async fn release(shop: &Shop, _wanted: &Order, number: &u64) -> Result<(), String> {
    tokio::time::sleep(shop.pause).await;
    println!("released {number}");
    Ok(())
}

#[step(retry(times = 2, every = "100ms"))]
async fn charge(shop: &Shop, wanted: &Order, number: u64) -> Result<String, String> {
    tokio::time::sleep(shop.pause).await;
    if wanted.amount > 1000 {
        return Err(format!(
            "{} is not good for {}",
            wanted.customer, wanted.amount
        ));
    }
    Ok(format!(
        "{} has paid {} for {number}",
        wanted.customer, wanted.amount
    ))
}
