//! What the tests share: steps that leave a trace, and ways to run.

use std::{future::IntoFuture, sync::Arc};

use steps::{
    Failure, Flow, Outcome, Run, State,
    prelude::*,
    testing::{FakeClock, Injected, Lab},
};

/// Leaves a trace.
#[step]
pub(crate) async fn act(lab: &Lab, name: &str) -> Result<String, Injected> {
    lab.act(name)?;
    Ok(name.to_owned())
}

#[undo(act)]
async fn act_back(lab: &Lab, name: &str, output: &String) -> Result<(), Injected> {
    assert_eq!(name, output);
    lab.undo(name)
}

/// A number, which is `Copy`.
#[step]
pub(crate) async fn num(lab: &Lab, n: u32) -> Result<u32, Injected> {
    lab.act(n.to_string())?;
    Ok(n)
}

#[undo(num)]
async fn num_back(lab: &Lab, n: u32, _: &u32) -> Result<(), Injected> {
    lab.undo(n.to_string())
}

/// Fails.
#[step]
pub(crate) async fn fail(_lab: &Lab, why: &str) -> Result<u32, String> {
    Err(why.to_owned())
}

/// Is ready only when the lab has it.
#[step(poll(every = "1h"))]
pub(crate) async fn ready(lab: &Lab, name: &str) -> Result<Option<()>, Injected> {
    Ok(lab.is_there(name).then_some(()))
}

/// One pass, from what the last one left, by way of JSON text.
pub(crate) async fn pass<F: Flow>(
    saved: &mut Option<String>,
    run: Run<'_, F>,
) -> Outcome<F::Output> {
    let run = match saved {
        Some(text) => run.resume(State::from_json(text).unwrap()),
        None => run,
    };
    let advance = run.advance().await.unwrap();
    *saved = Some(advance.state.state().to_json());
    advance.outcome
}

/// Runs to the end by a clock that jumps.
pub(crate) async fn run<F: Flow>(run: Run<'_, F>, clock: &FakeClock) -> Result<F::Output, Failure> {
    run.clock(Arc::new(clock.clone())).into_future().await
}

pub(crate) fn read(saved: &Option<String>) -> State {
    State::from_json(saved.as_ref().unwrap()).unwrap()
}
