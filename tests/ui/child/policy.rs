// mistakes: 2
//! A `start` and a `join` are tried once: what is tried again is in the child.

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
        #[step(timeout = "1s")]
        child = start bill(n);
        #[step(retry(times = 3))]
        paid  = join child;
    }
    Ok(paid)
}

fn main() {
    let _ = order(1);
}
