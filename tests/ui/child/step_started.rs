//! Only a flow can be an execution.

use steps::prelude::*;

#[step]
async fn first(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn order(n: u32) -> Result<u32, String> {
    steps! { child = start first(n); }
    Ok(n)
}

fn main() {
    let _ = order(1);
}
