//! The flow that is written is that of the child.

use steps::{Child, prelude::*};

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
async fn other(n: u32) -> Result<String, String> {
    steps! { first(n); }
    Ok(first.to_string())
}

#[flow]
async fn order(child: Child<bill>) -> Result<String, String> {
    steps! { paid = join::<other> child; }
    Ok(paid)
}

fn main() {
    let _ = order::STEPS;
}
