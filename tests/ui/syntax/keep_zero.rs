// mistakes: 2
//! A `loop keep n` keeps at least one round.

use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

const NONE: u32 = 0;

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        rounds = loop keep 0 {
            inner = make(n);
        }
    }
    Ok(rounds.inner)
}

#[flow]
async fn none(n: u32) -> Result<u32, String> {
    steps! {
        rounds = loop keep NONE {
            inner = make(n);
        }
    }
    Ok(rounds.inner)
}

fn main() {
    drop(work(1));
    drop(none(1));
    let _ = work::STEPS.rounds;
}
