//! The task of one turn: inserts the turn into the table, and handles its end in every case.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{
    FutureExt,
    future::{AbortHandle, Abortable},
};

use super::{
    engine_core::EngineCore,
    forms::refused_by,
    mailbox::Mailbox,
    running::RunningTurn,
    served::{Place, ServedFlow},
    spans,
    turn::Turn,
    turn_journal::TurnJournal,
    turn_place::TurnPlace,
};
use crate::{
    base::telemetry,
    engine::{error::EngineError, news::TurnEnd},
    interpreter::{Request, user_code::Instrumented},
    language::threads::Threads,
    store::{ErrorKind, LeaseAfter, Refused, Refuser, StoreError},
};

/// Begins a turn on its own task.
pub(crate) fn spawn(served: &ServedFlow, turn: Turn, place: Place) {
    let core = Arc::clone(&turn.core);
    if turn.journal.lease().is_some() {
        // It goes on: whoever asks from now on is not told of an earlier turn's end.
        core.news.goes_on(&turn.journal.id);
    }
    let (abort, registration) = AbortHandle::new_pair();
    let threads: Arc<Threads> = Arc::default();
    let limiters = (core.limiter.clone(), served.limiter.clone());
    let place = TurnPlace::new(place, limiters.0, limiters.1, Arc::clone(&turn.mailbox));
    let number = core.running.insert(RunningTurn {
        journal: Arc::clone(&turn.journal),
        mailbox: Arc::clone(&turn.mailbox),
        abort,
        threads: Arc::clone(&threads),
    });
    let guard = TurnGuard {
        core: Arc::clone(&core),
        number,
        journal: Arc::clone(&turn.journal),
        mailbox: Arc::clone(&turn.mailbox),
        place: Arc::clone(&place),
        is_limited: Arc::clone(&served.is_limited),
        flow: served.flow.table().name,
    };
    telemetry::running(guard.flow, 1.0);
    // This engine's own lease ended while an earlier turn was still running, e.g. on an overloaded
    // machine. The earlier turn can't write any more, and must end before this one begins.
    let earlier = turn
        .reclaimed_own
        .then(|| core.running.earlier(&turn.journal.id, number))
        .flatten();
    let flow = Arc::clone(&served.flow);
    let (refused_before, refuser) = (turn.refused_by.clone(), served.refuser);
    let task = async move {
        if let Some((number, earlier)) = earlier {
            earlier.mailbox.request(Request::Suspend);
            guard.core.running.ended(number).await;
        }
        let span = guard.core.turn_span(flow.table(), &guard.journal);
        let work = place.of(threads.of(flow.take_turn(turn)));
        let work = AssertUnwindSafe(work).catch_unwind();
        let ended = if span.is_disabled() {
            work.await
        } else {
            Instrumented(span.clone(), Box::pin(work)).await
        };
        let end = match ended {
            Ok(end) => {
                guard.core.did_not_panic(&guard.journal.id);
                end
            }
            Err(_) => guard.panicked(refused_by(refused_before, refuser)).await,
        };
        spans::record(&span, &end);
        drop(span);
        guard.end(end);
    };
    // No lock may be held here: a runtime that is shutting down drops the task at once.
    core.spawn(async {
        // An aborted turn has no result.
        let _ = Abortable::new(task, registration).await;
    });
}

/// A turn that has not ended yet. Its drop removes the turn from the table, which also ends the
/// renewal of its lease.
struct TurnGuard {
    core: Arc<EngineCore>,
    number: u64,
    journal: Arc<TurnJournal>,
    mailbox: Arc<Mailbox>,
    place: Arc<TurnPlace>,
    /// Whether its flow is paused or limited in the store.
    is_limited: Arc<AtomicBool>,
    flow: &'static str,
}

/// After so many panics in a row, an execution is left as it was recorded last.
const MOST_PANICS: u32 = 4;

impl TurnGuard {
    /// Returns the end of a turn in which the engine panicked. The execution is taken up again after a
    /// pause, but not for ever: each time, the effects since the last record may repeat.
    async fn panicked(&self, by: Vec<Refuser>) -> TurnEnd {
        let (core, journal) = (&self.core, &self.journal);
        if core.panicked(&journal.id) < MOST_PANICS || journal.lease().is_none() {
            let error = StoreError::new(ErrorKind::Other, "the engine panicked");
            return TurnEnd::StoreFailed(error);
        }
        let why = format!(
            "the engine panicked in {MOST_PANICS} of its turns in a row, which is a bug in steps or \
             in the store; it is left as it was recorded last"
        );
        tracing::error!(execution = &*journal.id, "{why}");
        core.did_not_panic(&journal.id);
        let why_again = why.clone();
        match journal
            .give_back(LeaseAfter::Refuse(Refused { by, why }))
            .await
        {
            Ok(()) => TurnEnd::Incompatible(why_again),
            Err(error) => TurnEnd::StoreFailed(error),
        }
    }

    /// Handles the end of a turn that was not aborted: releases its lease if that is still
    /// necessary, and notifies the waiting callers.
    fn end(self, end: TurnEnd) {
        let (core, journal) = (&self.core, &self.journal);
        // A caller that is notified of the end may begin another turn at once.
        self.place.give_back();
        if journal.lease().is_none() {
            // The execution was not created, or another one has its id, which was reported already.
            match end {
                TurnEnd::Incompatible(why) => journal.not_started(EngineError::InvalidValue {
                    id: journal.id.to_string(),
                    why,
                }),
                TurnEnd::StoreFailed(error) => journal.not_started(error.into()),
                TurnEnd::Waiting | TurnEnd::Done(_) | TurnEnd::NotDone(_) | TurnEnd::ByForce => {}
            }
            return;
        }
        if let TurnEnd::StoreFailed(error) = &end {
            if error.kind() == ErrorKind::Fenced {
                if let Some(lease) = journal.lease() {
                    core.lost_lease(journal, lease);
                }
                return;
            }
            tell_failure(core, &journal.id, error);
            core.give_back_after_failure(Arc::clone(journal));
        } else {
            core.turn_was_recorded();
        }
        if let Some(parent) = journal.told()
            && matches!(end, TurnEnd::Done(_) | TurnEnd::NotDone(_))
        {
            core.child_ended(parent, &journal.id);
        }
        self.mailbox.close(|goes_on| {
            if goes_on {
                core.due_now();
            }
            let is_over =
                !goes_on || matches!(end, TurnEnd::StoreFailed(_) | TurnEnd::Incompatible(_));
            let end = if is_over { end } else { TurnEnd::Waiting };
            core.news.turn_ended(&journal.id, end);
        });
    }
}

/// Tells that an execution's records can't be written: of each, if that lies with the execution, and
/// else once until the store works.
fn tell_failure(core: &EngineCore, id: &str, error: &StoreError) {
    telemetry::store_failed("write");
    match error.kind() {
        ErrorKind::Rejected | ErrorKind::Other => {
            tracing::error!(execution = id, %error, "its records can't be written");
        }
        _ => {
            core.trouble
                .failed("records can't be written", Some(id), error);
        }
    }
}

impl Drop for TurnGuard {
    fn drop(&mut self) {
        telemetry::running(self.flow, -1.0);
        self.place.give_back();
        self.core.running.remove(self.number);
        if self.is_limited.load(Ordering::Relaxed) {
            // There may be room for another one of its flow.
            self.core.due_now();
        }
    }
}
