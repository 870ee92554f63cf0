//! What the tests share: steps that leave a trace, and ways to run.

use std::{future::IntoFuture, sync::Arc};

use steps::{
    Failure, Flow, Run,
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

/// Runs to the end by a clock that jumps.
pub(crate) async fn run<F: Flow>(run: Run<'_, F>, clock: &FakeClock) -> Result<F::Output, Failure> {
    run.clock(Arc::new(clock.clone())).into_future().await
}
