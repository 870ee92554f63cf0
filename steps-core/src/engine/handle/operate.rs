//! Changing an execution that no worker is at: each change is made on its whole tree, under a
//! lease, and written with one write.

use std::{sync::Arc, time::Duration};

use super::execution::{Execution, Handle};
use crate::{
    engine::error::EngineError,
    language::flow::Flow,
    model::{
        state::{State, StateError},
        status::Status,
        typed::AsStepRef,
    },
    store::{
        Acquire, Acquired, Due, ErrorKind, HeldExecution, LeaseAfter, StoredExecution, TakeOver,
        Target, Write, root,
    },
};

/// How often, and after which pauses, an execution is asked for that has ended and that somebody is at: a worker that
/// looks at a message which came late, or another operator. Each is at it for a moment.
const MOMENTS: (u32, Duration) = (100, Duration::from_millis(10));

impl Handle {
    /// Tries again what failed, or goes on where it was stopped. What is done stays done:
    /// see [`State::recover`]. Returns the number of nodes that were cleared.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where it has neither failed nor been undone or stopped.
    pub async fn recover(&self) -> Result<usize, EngineError> {
        let recover = |state: &mut State| match state.recover()? {
            0 => Err(Refusal::Status("recovered")),
            cleared => Ok(cleared),
        };
        self.edit("recover", None, recover).await
    }

    /// Begins again with the step at this [path](crate::model::state::path), as
    /// [`Execution::retry_from`] does by a reference.
    pub async fn retry_from_path(&self, path: &str) -> Result<usize, EngineError> {
        let reset = |state: &mut State| Ok(state.reset(path)?);
        self.edit("retry_from", Some(path), reset).await
    }

    /// Ends its pauses at once: what sleeps, or waits for another attempt, another poll, another undo,
    /// or the time to begin, goes on now. What waits for a signal still does. Returns how many pauses
    /// there were: see [`State::try_now`].
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where nothing in it pauses, [`EngineError::Busy`] while a worker is at
    /// it.
    pub async fn try_now(&self) -> Result<usize, EngineError> {
        let now = self.engine.core.clock.now();
        let try_now = |state: &mut State| match state.try_now(now) {
            0 => Err(Refusal::Status("tried now, as nothing in it pauses")),
            ended => Ok(ended),
        };
        self.edit("try_now", None, try_now).await
    }

    /// Lets a rollback that is stuck, or that pauses before it tries an undo again, try each such
    /// undo again now: see [`State::retry_undo`].
    ///
    /// # Errors
    ///
    /// [`EngineError::NotStuck`] where it is neither, as for all that concerns a failed undo.
    pub async fn retry_undo(&self) -> Result<usize, EngineError> {
        self.unstick("retry_undo", None, State::retry_undo).await
    }

    /// Lets such a rollback go on without the undo of the step at this path: see
    /// [`State::skip_undo`].
    pub async fn skip_undo_path(&self, path: &str) -> Result<(), EngineError> {
        let skip = |state: &mut State| state.skip_undo(path);
        self.unstick("skip_undo", Some(path), skip).await
    }

    /// Tells such a rollback that the step at this path was undone by hand: see
    /// [`State::mark_undone`].
    pub async fn mark_undone_path(&self, path: &str) -> Result<(), EngineError> {
        let mark = |state: &mut State| state.mark_undone(path);
        self.unstick("mark_undone", Some(path), mark).await
    }

    async fn unstick<R>(
        &self,
        act: &str,
        step: Option<&str>,
        edit: impl FnOnce(&mut State) -> Result<R, StateError>,
    ) -> Result<R, EngineError> {
        let edit = |state: &mut State| match state.status {
            Status::Stuck => Ok(edit(state)?),
            Status::Undoing if state.pauses_undo() => Ok(edit(state)?),
            _ => Err(Refusal::NotStuck),
        };
        self.edit(act, step, edit).await
    }

    /// Changes the whole tree: takes the lease, and gives it back with the changed tree, or, where
    /// the change is refused, with the tree as it was.
    async fn edit<R>(
        &self,
        act: &str,
        step: Option<&str>,
        edit: impl FnOnce(&mut State) -> Result<R, Refusal>,
    ) -> Result<R, EngineError> {
        let core = &self.engine.core;
        core.check_runtime()?;
        let taken = self.acquire(TakeOver::Ended).await?;
        let status = taken.info.status;
        let requests = taken.requests();
        let (last_message, unchanged) = (taken.last_message(), taken.unchanged());
        let release = |due| LeaseAfter::Release { due, last_message };
        let key = taken.lease.key;
        let target = Target::Held(taken.lease);
        let left = target.clone();
        let saved = StoredExecution {
            info: taken.info,
            input: taken.input,
            nodes: taken.nodes,
            messages: taken.messages,
        };
        let edited = self.tree_of(saved).and_then(|mut state| {
            let result = edit(&mut state).map_err(|refusal| self.refused(refusal, status))?;
            Ok((state, result))
        });
        match edited {
            Ok((state, result)) => {
                core.goes_on(&self.id);
                let due = root::due(&state);
                let write = Write {
                    nodes: root::rows_of(state),
                    replace: true,
                    taken: requests,
                    notes: self.act(act, step).into_iter().collect(),
                    ..Write::new(target, release(due))
                };
                if let Err(error) = core.store.write(write).await {
                    if error.kind() == ErrorKind::Taken {
                        // It is left as it is.
                        core.store
                            .write(Write::new(left, release(Due::Never)))
                            .await?;
                    }
                    return Err(error.into());
                }
                core.news.wrote();
                match due {
                    Due::At(time) => core.schedule.waits(key, core.clock.read().deadline(time)),
                    Due::Now | Due::Never => core.due_now(),
                }
                Ok(result)
            }
            Err(error) => {
                core.store.write(Write::new(target, unchanged)).await?;
                Err(error)
            }
        }
    }

    /// Takes a lease on it. If it has ended, somebody else's lease on it is waited for, up to a second.
    pub(super) async fn acquire(&self, over: TakeOver) -> Result<HeldExecution, EngineError> {
        let core = &self.engine.core;
        let (mut left, pause) = MOMENTS;
        loop {
            let held = core.store.acquire(Acquire {
                id: self.id.to_string(),
                worker: core.worker.clone(),
                lease: core.lease,
                over,
            });
            let (worker, until) = match held.await? {
                Acquired::Held(taken) => return Ok(*taken),
                Acquired::Busy { worker, until } => (worker, until),
                Acquired::Unknown => return Err(self.unknown()),
            };
            let status = self.status().await?;
            if left == 0 || !status.is_final() {
                return Err(EngineError::Busy {
                    id: self.id.to_string(),
                    worker,
                    until,
                    status,
                });
            }
            left -= 1;
            tokio::time::sleep(pause).await;
        }
    }

    fn refused(&self, refusal: Refusal, status: Status) -> EngineError {
        let id = self.id.to_string();
        match refusal {
            Refusal::Status(wanted) => EngineError::Status { id, wanted, status },
            Refusal::NotStuck => EngineError::NotStuck { id, status },
            Refusal::State(error) => EngineError::State {
                id,
                error: Arc::new(error),
            },
        }
    }
}

/// Why a change was not made.
enum Refusal {
    /// The execution's status does not allow this, which is said by a participle.
    Status(&'static str),
    NotStuck,
    State(StateError),
}

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl<F: Flow> Execution<F> {
    /// Begins again with this step: it and all that comes after it in order is cleared, and runs
    /// anew. Effects stay: nothing is undone. See [`State::reset`].
    ///
    /// # Errors
    ///
    /// [`EngineError::Busy`] while a worker is at it: stop it first. [`EngineError::State`] where
    /// there is no such step yet, or while it is being undone.
    pub async fn retry_from<T>(&self, step: impl AsStepRef<T>) -> Result<usize, EngineError> {
        self.retry_from_path(&step.path()).await
    }

    /// Lets a rollback that is stuck, or that pauses before it tries an undo again, go on without
    /// the undo of this step, whose effect stays.
    pub async fn skip_undo<T>(&self, step: impl AsStepRef<T>) -> Result<(), EngineError> {
        self.skip_undo_path(&step.path()).await
    }

    /// Tells a rollback that is stuck, or that pauses before it tries an undo again, that this step
    /// was undone by hand.
    pub async fn mark_undone<T>(&self, step: impl AsStepRef<T>) -> Result<(), EngineError> {
        self.mark_undone_path(&step.path()).await
    }
}
