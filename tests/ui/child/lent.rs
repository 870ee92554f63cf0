//! What a flow is lent, the engine that serves it has: a `start` line gives the input only.

use steps::prelude::*;

struct Bank;

#[step]
async fn charge(_bank: &Bank, n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn bill(bank: &Bank, n: u32) -> Result<u32, String> {
    steps! { charge(bank, n); }
    Ok(charge)
}

#[flow]
async fn order(bank: &Bank, n: u32) -> Result<u32, String> {
    steps! {
        child = start bill(bank, n);
        paid  = join child;
    }
    Ok(paid)
}

fn main() {
    let _ = order(&Bank, 1);
}
