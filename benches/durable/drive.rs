//! Engines, and executions that run on them as fast as possible.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use steps::{
    Engine, Status,
    engine::{Builder, Concurrency, Filter},
    sqlite::{SqliteOptions, Synchronous},
    store::MemoryStore,
};
use tokio::task::JoinSet;

use crate::{
    Result,
    flows::{
        CALLS, alarm, asleep, hundred_at_once, items, kept_rounds, raced, signalled, ten, three,
        twenty,
    },
    process,
};

/// The store of an engine.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Memory,
    /// A file, each commit synced: the default.
    Full(&'a Path),
    /// A file, synced only now and then: for preparation, and for costs that a sync would hide.
    Normal(&'a Path),
}

/// Starts an engine that runs this many executions at once.
pub(crate) async fn engine(place: Place<'_>, at_once: usize) -> Result<Engine> {
    Ok(builder(place, at_once).await?.start().await?)
}

/// The same, but it asks its store for nothing while it works: for counts that must not depend on how
/// long the work takes.
pub(crate) async fn engine_without_polls(place: Place<'_>, at_once: usize) -> Result<Engine> {
    let builder = builder(place, at_once).await?;
    let builder = builder.poll(Duration::from_mins(1));
    Ok(builder.lease(Duration::from_mins(10)).start().await?)
}

async fn builder(place: Place<'_>, at_once: usize) -> Result<Builder> {
    let builder = match place {
        Place::Memory => Engine::with_store(MemoryStore::new()),
        Place::Full(path) => on_file(path, Synchronous::Full).await?,
        Place::Normal(path) => on_file(path, Synchronous::Normal).await?,
    };
    Ok(builder
        .serve(three::with())
        .serve(ten::with())
        .serve(twenty::with())
        .serve(items::with())
        .serve(hundred_at_once::with())
        .serve(kept_rounds::with())
        .serve(signalled::with())
        .serve(asleep::with())
        .serve(alarm::with())
        .serve(raced::with())
        .concurrency(Concurrency::fixed(at_once)))
}

async fn on_file(path: &Path, synchronous: Synchronous) -> Result<Builder> {
    let options = SqliteOptions::new(path).synchronous(synchronous);
    Ok(Engine::with_store(options.open().await?))
}

/// Runs executions of ten steps, a fixed number at a time; each task starts the next one when one
/// ends.
pub(crate) struct Drivers {
    tasks: JoinSet<Result>,
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    stop: AtomicBool,
    begun: AtomicU64,
    most: u64,
}

impl Drivers {
    /// Begins. Ends after `most` executions, or when it is stopped.
    pub(crate) fn start(engine: &Engine, at_once: usize, most: u64) -> Self {
        let shared = Arc::new(Shared {
            engine: engine.clone(),
            stop: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            most,
        });
        let mut tasks = JoinSet::new();
        for _ in 0..at_once {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move { shared.drive().await });
        }
        Self { tasks, shared }
    }

    /// Waits for the executions that have begun. Returns how many there were in all.
    pub(crate) async fn end(mut self) -> Result<u64> {
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        let begun = self.shared.begun.load(Ordering::Relaxed);
        Ok(begun.min(self.shared.most))
    }

    async fn stop(self) -> Result<u64> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let most = self.shared.most;
        let begun = self.end().await?;
        Ok(begun.min(most))
    }
}

impl Shared {
    async fn drive(&self) -> Result {
        while !self.stop.load(Ordering::Relaxed) {
            let n = self.begun.fetch_add(1, Ordering::Relaxed);
            if n >= self.most {
                break;
            }
            let run = self.engine.start(ten::input(n)).await?;
            let output = run.outcome().await?;
            if output != n + 10 {
                return Err(format!("an execution gave {output}, not {}", n + 10).into());
            }
        }
        Ok(())
    }
}

/// The speed of a turn, and the number of its executions.
pub(crate) struct Turn {
    /// Steps per second.
    pub(crate) rate: f64,
    /// Processor time for a step, in microseconds.
    pub(crate) cpu: f64,
    pub(crate) executions: u64,
}

/// Fewer steps are no sample, even if they took long.
const FEWEST: f64 = 10.0;
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs executions of ten steps for a while, and counts the steps after a warm-up.
pub(crate) async fn turn(engine: &Engine, at_once: usize, window: Duration) -> Result<Turn> {
    let drivers = Drivers::start(engine, at_once, u64::MAX);
    tokio::time::sleep(window / 8).await;
    let (start, before, cpu) = (
        Instant::now(),
        CALLS.load(Ordering::Relaxed),
        process::cpu()?,
    );
    let mut steps = 0.0;
    while start.elapsed() < window || (steps < FEWEST && start.elapsed() < PATIENCE) {
        tokio::time::sleep(window / 8).await;
        steps = (CALLS.load(Ordering::Relaxed) - before) as f64;
    }
    let took = start.elapsed();
    let cpu = (process::cpu()? - cpu) * 1e6;
    let executions = drivers.stop().await?;
    if steps < FEWEST {
        return Err(format!("{steps} steps ran in {took:?}").into());
    }
    Ok(Turn {
        rate: steps / took.as_secs_f64(),
        cpu: cpu / steps,
        executions,
    })
}

/// Checks that there are exactly this many executions, all with this status.
pub(crate) async fn check_count(engine: &Engine, status: Status, wanted: u64) -> Result {
    let found = engine.count(Filter::new().status(status)).await?;
    let all = engine.count(Filter::new()).await?;
    if found == wanted && all == wanted {
        return Ok(());
    }
    Err(format!("{found} of {all} executions are {status}; it should be {wanted}").into())
}
