// mistakes: 3
use steps::prelude::*;

#[step(blocking = true)]
fn one(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[step(blocking(deatched))]
fn two(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[step(blocking(detached = true))]
fn three(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        a = one(n);
        b = two(a);
        c = three(b);
    }
    Ok(c)
}

fn main() {
    drop(work(1));
}
