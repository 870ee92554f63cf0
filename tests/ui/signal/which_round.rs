// mistakes: 2
//! In a `loop`, it has to be said which round is meant.

use steps::{Signals, prelude::*};

#[step]
async fn first(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn inner() -> Result<u32, String> {
    steps! { answer = steps::signal::<u32>(); }
    Ok(answer)
}

#[flow]
async fn work() -> Result<u32, String> {
    steps! {
        rounds = loop max 3 {
            answer = steps::signal::<u32>();
            nested = flow inner();
            told   = first(answer + nested);
        } until told == 1;
    }
    Ok(rounds.told)
}

fn main() {
    let signals = Signals::new();
    let _ = signals.send(work::STEPS.rounds.answer, &1);
    let _ = signals.send(work::STEPS.rounds.nested.answer, &1);
    let _ = signals.send(work::STEPS.rounds.nested.answer.any(), &1);
}
