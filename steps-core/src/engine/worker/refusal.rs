//! Whether a turn may begin: an execution that does not fit this program, or that a newer form of its
//! flow has begun, is left to a program that it fits.

use std::{marker::PhantomData, sync::Arc};

use super::{
    engine_core::EngineCore,
    forms::{newer_form, refused_by, told},
    turn::Turn,
    turn_journal::TurnJournal,
};
use crate::{
    base::telemetry,
    engine::news::TurnEnd,
    language::flow::Flow,
    model::{compat::Misfit, failure::Cause, status::Status, table::Line},
    run::{Run, with::With},
    store::{LeaseAfter, Refused, Refuser, StoreError, StoredExecution},
};

/// What is found of a saved execution without a turn.
pub(crate) struct Looked {
    /// At what it does not fit, as a turn would find it at its beginning.
    pub(crate) misfits: Vec<String>,
    /// Whether it waits for a time, and for an earlier one than it was put aside for: a pause has
    /// become shorter.
    pub(crate) is_shorter: bool,
}

impl Looked {
    fn misfits(misfits: Vec<String>) -> Self {
        Self {
            misfits,
            is_shorter: false,
        }
    }
}

/// Compares a saved execution, and looks when it goes on. Nothing of it runs, but that the argument of a
/// sleep is evaluated.
pub(crate) async fn look<F: Flow>(
    with: &With<F>,
    core: &EngineCore,
    saved: StoredExecution,
) -> Looked {
    if !saved.has_begun() {
        let input = F::load_input(&saved.input);
        let why = input.map_err(|error| format!("its input can't be read: {error}"));
        return Looked::misfits(why.err().into_iter().collect());
    }
    let info = saved.info.clone();
    let has_died = saved.nodes.iter().any(|row| row.node.deaths > 0);
    let state = match saved.into_state() {
        Ok(state) => state,
        Err(error) => return Looked::misfits(vec![error.to_string()]),
    };
    let run = Run::<F>::from_saved(with.lend(), state);
    let run = run.map(|run| {
        let run = run.looks().limits(core.limits);
        run.system_clock(core.clock.clone())
    });
    let ready = match run.and_then(|run| run.ready(false)) {
        Ok(ready) => ready,
        Err(failure) => {
            return Looked::misfits(match &failure.cause {
                Cause::Misfit(Misfit::Tree(comparison)) => {
                    let breaks = comparison.differences().filter(|node| node.breaks);
                    breaks.map(ToString::to_string).collect()
                }
                Cause::Misfit(misfit) => vec![misfit.to_string()],
                _ => vec![failure.to_string()],
            });
        }
    };
    let due = info.due.filter(|due| {
        // What a volatile step gave is gone with its process: the step would be made again. And one at
        // which processes die is put aside for longer than it waits.
        let may_look = !has_died && !F::TABLE.nodes.iter().any(Line::has_volatile);
        // Of one that somebody is at, this is when the lease ends.
        let pauses = matches!(info.status, Status::Waiting | Status::Undoing);
        pauses && info.worker.is_none() && *due > core.clock.now() && may_look
    });
    let mut looked = Looked::misfits(Vec::new());
    if let Some(due) = due {
        let at = ready.goes_on_at().await;
        looked.is_shorter = at.is_some_and(|at| at < due);
    }
    looked
}

/// Checks that the execution is of no newer form than the program's own, with other lines, unless the
/// flow takes such executions; and lets the turn's first write say by which form it
/// goes on. Returns why not.
pub(super) async fn check_form<F: Flow>(
    with: &With<F>,
    turn: &Turn,
) -> Result<Result<(), String>, StoreError> {
    let core = &turn.core;
    let of_execution = turn.saved.info.form;
    let differing = core.differing(F::TABLE, turn.form, of_execution).await?;
    let Some(differing) = differing else {
        if of_execution < Some(turn.form) {
            turn.journal.goes_on_by(turn.form);
        }
        return Ok(Ok(()));
    };
    if !with.takes_newer() {
        return Ok(Err(newer_form(F::TABLE, &differing)));
    }
    tracing::warn!(
        execution = &*turn.journal.id,
        flow = F::TABLE.name,
        "begun by a newer form of the flow, {}, and taken up as `take_newer` says",
        told(&differing)
    );
    Ok(Ok(()))
}

/// The end of a turn of an execution that does not fit this program, and is left to one that it fits.
pub(super) struct Refusal<F> {
    core: Arc<EngineCore>,
    journal: Arc<TurnJournal>,
    forms: (i64, Option<i64>),
    before: Vec<Refuser>,
    flow: PhantomData<fn() -> F>,
}

impl<F: Flow> Refusal<F> {
    pub(super) fn of(turn: &Turn) -> Self {
        Self {
            core: Arc::clone(&turn.core),
            journal: Arc::clone(&turn.journal),
            forms: (turn.form, turn.saved.info.form),
            before: turn.refused_by.clone(),
            flow: PhantomData,
        }
    }

    /// Its saved tree does not fit.
    pub(super) async fn misfit(self, why: String) -> TurnEnd {
        let (execution, flow) = (&*self.journal.id, F::TABLE.name);
        telemetry::refused(flow);
        if self.core.refuse(&self.journal.id) {
            tracing::error!(execution, flow, "incompatible, and left as it was: {why}");
        } else {
            tracing::debug!(execution, flow, "incompatible again: {why}");
        }
        match self.give_back(why.clone()).await {
            Ok(()) => TurnEnd::Incompatible(why),
            Err(error) => TurnEnd::StoreFailed(error),
        }
    }

    /// It is of a newer form. Who waits for it goes on to do so: a program of that form goes on with
    /// it, and if there is none, the store tells.
    pub(super) async fn newer(self, why: String) -> TurnEnd {
        let (execution, flow) = (&*self.journal.id, F::TABLE.name);
        telemetry::refused(flow);
        if self.core.is_new(self.forms.0, self.forms.1) {
            tracing::warn!(
                execution,
                flow,
                "left as it was, as all others like it are: {why}"
            );
        } else {
            tracing::debug!(execution, flow, "left as it was: {why}");
        }
        match self.give_back(why).await {
            Ok(()) => TurnEnd::Waiting,
            Err(error) => TurnEnd::StoreFailed(error),
        }
    }

    async fn give_back(self, why: String) -> Result<(), StoreError> {
        let by = refused_by(self.before, self.core.build.refuser::<F>());
        let refused = LeaseAfter::Refuse(Refused { by, why });
        self.journal.give_back(refused).await
    }
}
