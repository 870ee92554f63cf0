//! The operator: gives signals, recovers what was held, tries again what is stuck. It knows nothing
//! but what the store says, so it goes on after a kill, and there is one in each process.

use std::time::Duration;

use steps::{
    Status,
    engine::{Engine, EngineError, Filter},
};

use crate::{
    flows::{asks, held, stuck},
    jobs::Job,
    log::{Log, What},
    plan::answer,
};

/// Operates for as long as it is polled.
pub(crate) async fn operate(engine: &Engine, log: &Log) {
    loop {
        // What somebody else does at the same time, or what can't be done now, is tried again.
        for (id, error) in round(engine).await {
            log.mark(What::Refused, &id, &error.to_string());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn round(engine: &Engine) -> Vec<(String, EngineError)> {
    let mut errors = Vec::new();
    let waiting = Filter::new().flow::<asks>().status(Status::Waiting);
    for info in engine.list(waiting).await.unwrap_or_default() {
        let Some(job) = Job::by_id(&info.id) else {
            continue;
        };
        if let Err(error) = signal(engine, &info.id, answer(job)).await {
            errors.push((info.id, error));
        }
    }
    let failed = Filter::new().flow::<held>().status(Status::Failed);
    for info in engine.list(failed).await.unwrap_or_default() {
        if let Err(error) = recover(engine, &info.id).await {
            errors.push((info.id, error));
        }
    }
    let caught = Filter::new().flow::<stuck>().status(Status::Stuck);
    for info in engine.list(caught).await.unwrap_or_default() {
        if let Err(error) = retry_undo(engine, &info.id).await {
            errors.push((info.id, error));
        }
    }
    errors
}

async fn signal(engine: &Engine, id: &str, answer: u64) -> Result<(), EngineError> {
    let run = engine.execution::<asks>(id).await?;
    run.signal(asks::STEPS.answer, &answer).await
}

async fn recover(engine: &Engine, id: &str) -> Result<(), EngineError> {
    engine.get(id).await?.recover().await.map(drop)
}

async fn retry_undo(engine: &Engine, id: &str) -> Result<(), EngineError> {
    engine.get(id).await?.retry_undo().await.map(drop)
}

/// Waits until all executions have ended for good. One question, so that it is about one moment:
/// between two, what was stuck could have gone on.
pub(crate) async fn all_ended(engine: &Engine) {
    let open = [
        Status::Pending,
        Status::Running,
        Status::Waiting,
        Status::Undoing,
        Status::Stuck,
        // Only what is held fails, and is recovered.
        Status::Failed,
    ];
    let open = open.into_iter().fold(Filter::new(), Filter::status);
    while !matches!(engine.count(open.clone()).await, Ok(0)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
