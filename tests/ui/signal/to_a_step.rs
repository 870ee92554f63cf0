//! Only signals can be sent to.

use steps::prelude::*;

#[step]
async fn first(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[flow]
async fn work(n: u32) -> Result<u32, String> {
    steps! {
        first  = first(n);
        answer = steps::signal::<u32>();
    }
    Ok(first + answer)
}

async fn send(engine: &Engine) -> Result<(), EngineError> {
    let run = engine.start(work::input(1)).await?;
    run.signal(work::STEPS.first, &1).await
}

fn main() {
    let _ = send;
}
