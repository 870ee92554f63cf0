// mistakes: 4
#![deny(dead_code)]
use steps::prelude::*;

#[step(readonly)]
async fn inside(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow(reversible)]
async fn nested(n: u32) -> Result<u32, String> {
    steps! {
        #[step(timeout = "1s")]
        a = inside(n);
        all = for item in 0..n by item {
            b = inside(item);
        }
    }
    Ok(a + all.len() as u32)
}

#[flow(reversible)]
async fn nobody(n: u32) -> Result<u32, String> {
    steps! {
        a = flow nested(n);
    }
    Ok(a)
}

#[on_done(nobody)]
async fn told(_n: &u32, _given: &u32) {}

fn main() {}
