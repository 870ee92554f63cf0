// mistakes: 2
//! `join` takes what a `start` line gives.

use steps::prelude::*;

#[step]
async fn first(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn bill(n: u32) -> Result<u32, String> {
    steps! { first(n); }
    Ok(first)
}

#[flow]
async fn order(n: u32) -> Result<u32, String> {
    steps! {
        first = first(n);
        early = join child;
        child = start bill(first);
        none  = join first;
        paid  = join child;
    }
    Ok(paid)
}

fn main() {
    let _ = order(1);
}
