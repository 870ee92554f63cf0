//! Waiting for the end of an execution: told of it in the process that runs it, and otherwise by
//! asking the store.

use std::sync::atomic::Ordering;

use super::execution::{Execution, Handle};
use crate::{
    base::{clock::Moment, error::caught, json::Json},
    engine::{
        error::EngineError,
        news::{TurnEnd, longer},
        worker::turn_place::waiting_for,
    },
    language::flow::Flow,
    model::{failure::Failure, status::Status},
    store::{ExecutionInfo, Refused},
};

impl Handle {
    /// Waits until it has ended: done, failed, undone, stuck or stopped.
    ///
    /// # Errors
    ///
    /// [`EngineError::Incompatible`] if it does not fit the program that took it up, unless this
    /// engine serves its flow in another version, which will take it up.
    pub async fn ended(&self) -> Result<ExecutionInfo, EngineError> {
        waiting_for(&self.id, self.until_ended()).await
    }

    async fn until_ended(&self) -> Result<ExecutionInfo, EngineError> {
        let core = &self.engine.core;
        let mut listener = core.news.listen(&self.id);
        let mut pause = core.poll;
        let mut left = None;
        loop {
            listener.turn_ends.mark_unchanged();
            let info = self.brief().await?;
            if has_ended(&info) {
                let info = self.info().await?;
                if has_ended(&info) {
                    return Ok(info);
                }
                continue;
            }
            let served = self.engine.flows.get(&info.flow);
            let own = served.map(|(_, served)| served.form);
            if let Some(error) = self.misfit(&info, Patience::of(&info, own), &mut left) {
                return Err(error);
            }
            core.heard(&mut listener.turn_ends, pause).await?;
            pause = longer(pause);
        }
    }

    /// Returns the error of an execution that was refused, unless this engine will try it, or another
    /// program has time for that: `left` is since when it was not taken up.
    pub(super) fn misfit(
        &self,
        info: &ExecutionInfo,
        patience: Patience,
        left: &mut Option<Moment>,
    ) -> Option<EngineError> {
        let core = &self.engine.core;
        let served = self.engine.flows.get(&info.flow);
        let will_try = |refused: &&Refused| {
            served.is_some_and(|(_, served)| !refused.by.contains(&served.refuser))
        };
        let Some(refused) = info.refused.as_ref().filter(|refused| !will_try(refused)) else {
            *left = None;
            return None;
        };
        if patience == Patience::ALease {
            let now = core.clock.moment();
            if now.since(*left.get_or_insert(now)) < core.lease {
                return None;
            }
        }
        Some(EngineError::Incompatible {
            id: self.id.to_string(),
            why: refused.why.clone(),
        })
    }
}

/// How long another program has to take up an execution that was refused.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Patience {
    /// No time: it does not fit this program.
    None,
    /// One lease: it is of a newer form than this program's, or was refused only by others.
    ALease,
}

impl Patience {
    /// Returns that for a program with this form of the flow, if it has one.
    pub(super) fn of(info: &ExecutionInfo, own: Option<i64>) -> Self {
        if own.is_some() && info.form > own {
            Self::ALease
        } else {
            Self::None
        }
    }
}

/// Whether it has ended and nothing more was asked for: one that is done, and is to be undone, is
/// due.
pub(in crate::engine) fn has_ended(info: &ExecutionInfo) -> bool {
    info.status.is_final() && info.due.is_none()
}

impl<F: Flow> Execution<F> {
    /// Waits until it has ended, and returns the flow's output. In the process that runs it, this
    /// is told of the end; others ask the store now and then.
    ///
    /// It may be called again at any time, in any process, and returns the same.
    ///
    /// # Errors
    ///
    /// [`EngineError::Failed`] where it ended otherwise: failed, undone, stuck or stopped.
    /// [`EngineError::Incompatible`] where it does not fit this program, which it may yet do with
    /// another; [`EngineError::StoreFailed`] where the store takes no more records of it;
    /// [`EngineError::WaitCalledOff`] where a step waits for it whose own execution must stop.
    pub async fn outcome(&self) -> Result<F::Output, EngineError> {
        waiting_for(self.id(), self.until_outcome()).await
    }

    async fn until_outcome(&self) -> Result<F::Output, EngineError> {
        let core = &self.engine.core;
        let mut listener = core.news.listen(&self.id);
        // The handle that started it hears of its end; any other asks the store first.
        let mut has_news = self.is_first.swap(false, Ordering::Relaxed);
        let mut left = None;
        if !has_news && let Some(outcome) = self.stored_outcome(&mut left).await? {
            return outcome;
        }
        let mut pause = core.poll;
        loop {
            if has_news {
                let end = listener.turn_ends.borrow_and_update().clone();
                if matches!(end, Some(TurnEnd::ByForce)) {
                    if let Some(outcome) = self.stored_outcome(&mut left).await? {
                        return outcome;
                    }
                } else if let Some(outcome) = self.outcome_of(end) {
                    return outcome;
                }
            }
            // News that `heard` returns for counts as seen, and is looked at above.
            has_news = core.heard(&mut listener.turn_ends, pause).await?;
            if !has_news && let Some(outcome) = self.stored_outcome(&mut left).await? {
                return outcome;
            }
            pause = longer(pause);
        }
    }

    fn outcome_of(&self, end: Option<TurnEnd>) -> Option<Result<F::Output, EngineError>> {
        let id = || self.id.to_string();
        Some(match end? {
            TurnEnd::Waiting | TurnEnd::ByForce => return None,
            TurnEnd::Done(output) => self.decode(output.as_ref()),
            TurnEnd::NotDone(failure) => Err(EngineError::Failed {
                id: id(),
                failure: *failure,
            }),
            TurnEnd::Incompatible(why) => Err(EngineError::Incompatible { id: id(), why }),
            TurnEnd::StoreFailed(error) => Err(EngineError::StoreFailed { id: id(), error }),
        })
    }

    /// Asks the store how it ended, if it has.
    async fn stored_outcome(
        &self,
        left: &mut Option<Moment>,
    ) -> Result<Option<Result<F::Output, EngineError>>, EngineError> {
        let info = self.brief().await?;
        self.check_flow(&info)?;
        let own = self.engine.core.own_form(F::FINGERPRINT);
        let refused = info.refused.iter().flat_map(|refused| &refused.by);
        let by_this = refused
            .map(|by| by.fingerprint)
            .any(|by| by == F::FINGERPRINT);
        let patience = if by_this {
            Patience::of(&info, own)
        } else {
            Patience::ALease
        };
        if let Some(error) = self.misfit(&info, patience, left) {
            return Ok(Some(Err(error)));
        }
        if !has_ended(&info) {
            return Ok(None);
        }
        if info.status == Status::Done {
            return Ok(Some(self.decode(info.output.as_ref())));
        }
        // It may have gone on since, as when somebody recovers it: only what is known at one
        // moment is told.
        let saved = self.saved().await?;
        if !has_ended(&saved.info) {
            return Ok(None);
        }
        if saved.info.status == Status::Done {
            return Ok(Some(self.decode(saved.info.output.as_ref())));
        }
        let state = self.tree_of(saved)?;
        let failure = Failure::of_ended::<F>(state);
        Ok(Some(Err(EngineError::Failed {
            id: self.id.to_string(),
            failure,
        })))
    }

    fn decode(&self, output: Option<&Json>) -> Result<F::Output, EngineError> {
        let text = output.map_or("null", Json::get);
        caught(|| (F::OUTPUT.decode)(text)).map_err(|error| EngineError::InvalidValue {
            id: self.id.to_string(),
            why: format!("its saved output can't be read: {error}"),
        })
    }
}
