// mistakes: 4
//! The bounds of a `loop` and of a `for … parallel` are constants.

use steps::prelude::*;

const NONE: u32 = 0;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        first = make(n);
        rounds = loop max n {
            inner = make(n);
        } until true;
        again = loop max first.max(3) {
            inner = make(n);
        } until true;
        all = for item in 0..n by item parallel(n as usize) {
            inner = make(item);
        }
    }
    Ok(first)
}

#[flow]
async fn none(n: u32) -> Result<u32, String> {
    steps! {
        rounds = loop max NONE {
            inner = make(n);
        } until true;
    }
    Ok(rounds.inner)
}

fn main() {
    drop(work(1));
    drop(none(1));
    let _ = work::STEPS.first;
}
