// mistakes: 4
//! A loop with `max` has an end, and each bound stands once.

use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        rounds = loop max 9 keep 3 {
            inner = make(n);
        }
        twice = loop keep 3 keep 4 {
            inner = make(n);
        }
        number = loop keep {
            inner = make(n);
        }
    }
    Ok(rounds.inner)
}

fn main() {
    drop(work(1));
    let _: Option<WorkState> = None;
    let _ = work::STEPS.rounds;
}
