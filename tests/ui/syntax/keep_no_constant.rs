// mistakes: 4
//! What is kept is a number or a constant.

use steps::prelude::*;

#[step]
async fn make(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        first = make(n);
        rounds = loop keep n {
            inner = make(n);
        }
        again = loop keep first {
            inner = make(n);
        }
    }
    Ok(rounds.inner)
}

#[flow]
async fn text(n: u32) -> Result<u32, String> {
    steps! {
        rounds = loop keep "all" {
            inner = make(n);
        }
    }
    Ok(rounds.inner)
}

fn main() {
    drop(work(1));
    drop(text(1));
    let _ = work::STEPS.rounds;
}
