//! Starts executions, and notes in the log which were asked for and which were acknowledged.

use std::{sync::Arc, time::Duration};

use steps::{
    Flow,
    engine::{Engine, EngineError, Execution, Filter},
};
use tokio::sync::Semaphore;

use crate::{
    child::Orders,
    flows::{asks, beside, family, fan, held, nest, order, rounds, stuck, withdrawn},
    jobs::{Job, Kind},
    log::{Log, What, records},
};

/// So many unfinished executions are enough.
const BACKLOG: u64 = 40;

/// Starts executions for as long as the process lives; those first that an earlier life of it had
/// asked for, and was not told of.
pub(crate) async fn start_many(engine: &Engine, log: &Log, orders: &Orders) {
    let places = Arc::new(Semaphore::new(8));
    let forgotten = unanswered(log, orders.slot);
    let new = (0..).map(|n| orders.slot << 48 | orders.life << 24 | n);
    for number in forgotten.into_iter().chain(new) {
        while crowded(engine).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let place = Arc::clone(&places).acquire_owned().await;
        let (engine, log) = (engine.clone(), log.clone());
        tokio::spawn(async move {
            start(&engine, &log, Job::of(number)).await;
            drop(place);
        });
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Starts one execution.
pub(crate) async fn start_one(engine: &Engine, log: &Log, orders: &Orders) {
    start(engine, log, Job::of(orders.slot << 48 | orders.life << 24)).await;
}

/// Waits until a start and an outcome have failed since there is no space left.
pub(crate) async fn told_that_it_is_full(engine: &Engine, log: &Log, orders: &Orders) {
    let last = orders.slot << 48 | orders.life << 24 | 0xff_ffff;
    for number in (0..=last).rev() {
        let text = log.text_from(0);
        let told = |what: What| {
            records(&text).any(|told| told.what == what && told.more.contains("no space left"))
        };
        let outcome = told(What::Outcome);
        if told(What::Refused) && outcome {
            return;
        }
        if outcome {
            // By now there may be as many that are held up as no others are started beside.
            start(engine, log, Job::of(number)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn crowded(engine: &Engine) -> bool {
    let unfinished = engine.count(Filter::new().unfinished()).await;
    // A store that does not answer now is asked again.
    unfinished.map_or(true, |count| count >= BACKLOG)
}

/// The jobs of this slot that were asked for and not acknowledged.
fn unanswered(log: &Log, slot: u64) -> Vec<u64> {
    let text = log.text_from(0);
    let mut open = std::collections::BTreeSet::new();
    for record in records(&text) {
        let Some(job) = Job::by_id(record.execution) else {
            continue;
        };
        match record.what {
            What::Intent if job.number >> 48 == slot => {
                open.insert(job.number);
            }
            What::Ack => {
                open.remove(&job.number);
            }
            _ => {}
        }
    }
    open.into_iter().collect()
}

async fn start(engine: &Engine, log: &Log, job: Job) {
    macro_rules! start {
        ($flow:ident) => {
            started::<$flow>(engine, log, job, $flow::input(job)).await
        };
    }
    match job.kind {
        Kind::Order => start!(order),
        Kind::Fan => start!(fan),
        Kind::Rounds => start!(rounds),
        Kind::Nest => start!(nest),
        Kind::Asks => start!(asks),
        Kind::Held => start!(held),
        Kind::Stuck => start!(stuck),
        Kind::Beside => start!(beside),
        Kind::Withdrawn => start!(withdrawn),
        Kind::Family => start!(family),
        Kind::Kin => unreachable!("only its parent starts a child"),
    }
}

async fn started<F: Flow<Output = u64>>(
    engine: &Engine,
    log: &Log,
    job: Job,
    input: steps::Input<F>,
) {
    let id = job.id();
    log.mark(What::Intent, &id, "");
    let run = match engine.start(input).id(&id).label("made-by", "kill").await {
        Ok(run) => run,
        Err(error) => return log.mark(What::Refused, &id, &error.to_string()),
    };
    log.safe(What::Ack, &id, "");
    if job.kind == Kind::Withdrawn {
        tokio::time::sleep(Duration::from_millis(job.number % 50)).await;
        match run.undo().await {
            Ok(()) => log.safe(What::Cancelled, &id, ""),
            Err(error) => log.mark(What::Refused, &id, &error.to_string()),
        }
    }
    tokio::spawn(tell_outcome(run, log.clone()));
}

/// Notes how it ended, as this process was told.
async fn tell_outcome<F: Flow<Output = u64>>(run: Execution<F>, log: Log) {
    let told = match run.outcome().await {
        Ok(output) => format!("done {output}"),
        Err(EngineError::Failed { failure, .. }) => failure.status().to_string(),
        Err(error) => format!("error {error}"),
    };
    log.mark(What::Outcome, run.id(), &told);
}
