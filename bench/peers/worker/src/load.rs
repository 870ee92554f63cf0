//! The load: so many executions at once, each followed by the next, and every result checked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{Engine, Outcome, Result, STEPS};

/// When no further execution is begun.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time; each of those at once runs at least one.
    Time(Duration),
    /// After this many in all.
    Executions(u64),
}

/// What was run.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Each with the right result.
    pub(crate) executions: u64,
    pub(crate) given_up: u64,
    pub(crate) time: Duration,
}

/// Runs executions, `concurrency` at once, and waits for the last one's end.
pub(crate) async fn run<E: Engine>(
    engine: &Arc<E>,
    concurrency: u64,
    until: Until,
) -> Result<Load> {
    let begun = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut runners = JoinSet::new();
    for _ in 0..concurrency {
        runners.spawn(runner(Arc::clone(engine), Arc::clone(&begun), start, until));
    }
    let mut all = Load::default();
    while let Some(one) = runners.join_next().await {
        let one = one??;
        all.executions += one.executions;
        all.given_up += one.given_up;
    }
    all.time = start.elapsed();
    Ok(all)
}

/// One of those at once.
async fn runner<E: Engine>(
    engine: Arc<E>,
    begun: Arc<AtomicU64>,
    start: Instant,
    until: Until,
) -> Result<Load> {
    let mut load = Load::default();
    loop {
        let number = begun.fetch_add(1, Ordering::Relaxed);
        let goes_on = match until {
            Until::Time(time) => load.executions + load.given_up == 0 || start.elapsed() < time,
            Until::Executions(executions) => number < executions,
        };
        if !goes_on {
            return Ok(load);
        }
        let right = number + STEPS;
        match engine.execute(number).await? {
            Outcome::Gave(value) if value == right => load.executions += 1,
            Outcome::Gave(value) => {
                return Err(format!("an execution gave {value} in place of {right}").into());
            }
            Outcome::GivenUp => load.given_up += 1,
        }
    }
}
