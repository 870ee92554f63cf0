//! Creating the execution of a start: by its first turn, or to be claimed; and what comes of it.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::sync::oneshot;

use crate::{
    base::{clock::Deadline, json::Json, telemetry},
    engine::{
        Engine,
        error::EngineError,
        worker::{
            first_write::{FirstWrite, Started},
            served::ServedFlow,
        },
    },
    language::flow::Flow,
    model::state::Labels,
    store::{Due, Existing, LeaseAfter, NewExecution, Target, Write, Written, root},
};

/// What came of a start.
pub(super) enum Made {
    /// The execution was created.
    New,
    /// There is an execution with its id.
    Exists(Box<Existing>),
    /// Its key is that of another execution, and nothing was created.
    Taken { by: String, new: Box<NewExecution> },
}

/// Checks that the existing execution matches the one to start.
pub(super) fn check_same<F: Flow>(
    id: &str,
    existing: &Existing,
    input: &Json,
    labels: Labels,
) -> Result<(), EngineError> {
    let id = || id.to_owned();
    if !F::TABLE.answers_to(&existing.info.flow) {
        return Err(EngineError::OtherFlow {
            id: id(),
            saved: existing.info.flow.clone(),
            flow: F::TABLE.name,
        });
    }
    if !crate::run::is_input::<F>(&existing.input, input) {
        return Err(EngineError::OtherInput {
            id: id(),
            saved: existing.input.to_string(),
            given: input.to_string(),
        });
    }
    let saved = &existing.info.labels;
    if labels
        .iter()
        .any(|(name, value)| saved.get(name) != Some(value))
    {
        return Err(EngineError::OtherLabels {
            id: id(),
            saved: saved.clone(),
            given: labels,
        });
    }
    Ok(())
}

/// Returns the write that creates the execution for nobody.
pub(super) fn later(new: NewExecution, at: Option<Deadline>) -> Write {
    let new = NewExecution { held: None, ..new };
    // A record of its own: what makes the execution due sooner does not make it begin.
    let nodes = at.map(|at| root::pending_until(&new.flow, at.until));
    let then = LeaseAfter::Release {
        due: at.map_or(Due::Now, |at| Due::At(at.until)),
        last_message: 0,
    };
    Write {
        nodes: nodes.into_iter().collect(),
        ..Write::new(Target::New(Box::new(new)), then)
    }
}

impl Engine {
    /// Waits until the first turn of an execution has created it, with its first write.
    pub(super) async fn started(
        &self,
        flow: &ServedFlow,
        start: oneshot::Receiver<Started>,
    ) -> Result<Made, EngineError> {
        match start.await {
            Ok(Ok(FirstWrite::Made)) => {
                telemetry::waited(flow.flow.table().name, Duration::ZERO);
                Ok(Made::New)
            }
            Ok(Ok(FirstWrite::Exists(existing))) => Ok(Made::Exists(existing)),
            Ok(Ok(FirstWrite::Taken(by, new))) => Ok(Made::Taken { by, new }),
            Ok(Ok(FirstWrite::Limited(new))) => {
                flow.is_limited.store(true, Ordering::Relaxed);
                self.start_later(*new, None).await
            }
            Ok(Err(error)) => Err(error),
            // The turn was aborted.
            Err(_) => {
                self.core.check_runtime()?;
                Err(EngineError::Closed)
            }
        }
    }

    /// Creates the execution for nobody, and leaves it to be claimed.
    pub(super) async fn start_later(
        &self,
        new: NewExecution,
        at: Option<Deadline>,
    ) -> Result<Made, EngineError> {
        let id = new.id.clone();
        match self.core.store.write(later(new, at)).await? {
            Written::Exists(existing) => Ok(Made::Exists(existing)),
            Written::Taken { by, new } => Ok(Made::Taken { by, new }),
            // Only one that is created for a worker is limited.
            written @ (Written::Created(_)
            | Written::Kept
            | Written::Recalled
            | Written::Limited(_)) => {
                self.core.news.wrote();
                // How one ended that had this id, and was deleted, is no news of this one.
                self.core.news.goes_on(&id);
                match (at, written) {
                    (Some(at), Written::Created(lease)) => self.core.schedule.waits(lease.key, at),
                    _ => self.core.schedule.start_left(self.core.clock.moment()),
                }
                Ok(Made::New)
            }
        }
    }
}
