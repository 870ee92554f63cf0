// mistakes: 5
//! The options of a `start` line.

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
        a   = start bill(n).name("x");
        b   = start bill(n).label("x");
        c   = start bill(n).after("soon");
        d   = start bill(n).detached().detached();
        e   = start bill;
        one = join a;
    }
    Ok(one)
}

fn main() {
    let _ = order(1);
}
