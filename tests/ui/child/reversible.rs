//! In a `reversible` flow, a child that is undone with it must be `reversible`.

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

#[flow(reversible)]
async fn order(n: u32) -> Result<(), String> {
    steps! {
        child = start bill(n);
        apart = start bill(n).detached();
    }
    Ok(())
}

fn main() {
    let _ = order(1);
}
