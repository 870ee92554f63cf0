//! Makes one pass over a whole execution, forward. `ending` has the rollback, and `#[on_failed]`.

use std::sync::{Arc, atomic::Ordering};

use jiff::Timestamp;

use super::{
    End, Kept, Pass, RunCore,
    enter::{OrStop, RootFlow, Slots, Stop},
    handlers::Told,
    records::{Id, ROOT},
    user_code::call,
};
use crate::{
    base::{clock::Deadline, error::StepError, json::Json},
    language::scope::Entered,
    model::{
        state::{Ending, Until},
        status::Status,
        table::Table,
    },
};

/// The result of a pass.
#[derive(Debug)]
pub(crate) enum PassOutcome {
    /// There is nothing more to do.
    Ended,
    /// The execution was stopped on request.
    Stopped,
    /// The execution goes on in another process, because this one is shutting down.
    Suspended,
    /// There is more to do, after this time or a signal.
    Waiting(Option<Deadline>),
    /// The saved value at this path can't be read any more. Nothing ran.
    Misfit { path: String, why: String },
}

/// Makes a pass, without its last commit.
pub(crate) async fn pass(
    run: &Arc<RunCore>,
    table: &'static Table,
    flow: &dyn RootFlow,
) -> Kept<PassOutcome> {
    let pass = Pass { run };
    if let Some(passed) = pass.halted() {
        return pass.halted_so(passed, table, flow).await;
    }
    let undo = run.requests.all().undoes();
    let status = run.records()[ROOT].status;
    let begins = pass.time_to_begin();
    let deadline = begins.map(|time| run.deadline(&run.records()[ROOT], time));
    match status {
        Status::Pending if !undo && deadline.is_some_and(|deadline| run.is_ahead(deadline)) => {
            return Ok(PassOutcome::Waiting(deadline));
        }
        Status::Pending | Status::Running | Status::Waiting => {}
        // The interrupted work must end before it can be undone.
        Status::Stopped if undo => run.change(ROOT, |root| {
            root.done_at = None;
            let cold = root.cold_mut();
            cold.ending = cold.ending.filter(|ending| *ending != Ending::OnStopped);
            root.begin(run.options.clock.now());
        }),
        Status::Done | Status::Failed if undo => {
            return Box::pin(pass.undo_ended(table, flow)).await;
        }
        Status::Undoing => return Box::pin(pass.roll_back_all(table, flow)).await,
        // The execution has ended, but its handler may not have been called yet.
        _ => {
            Box::pin(pass.report_end(table, flow)).await?;
            return Ok(PassOutcome::Ended);
        }
    }
    let passed = pass.forward(table, flow).await?;
    if undo && let Some(time) = begins {
        // For the case that it is recovered.
        run.records()[ROOT].cold_mut().until = Some(Until::Time(time));
        run.committer.mark(ROOT);
    }
    if run.requests.all().undoes() && run.records()[ROOT].status == Status::Done {
        return Box::pin(pass.undo_ended(table, flow)).await;
    }
    Ok(passed)
}

impl Pass<'_> {
    /// Returns the outcome of a pass that must begin nothing; `None` if the pass may begin.
    fn halted(self) -> Option<PassOutcome> {
        let requested = self.run.requests.all();
        if self.run.asks_to_stop(ROOT) {
            return None;
        }
        let (status, ending) = {
            let records = self.run.records();
            (records[ROOT].status, records[ROOT].cold().ending)
        };
        match status {
            Status::Pending | Status::Running | Status::Waiting => {
                // With its output recorded, only `#[on_done]` is left.
                (ending != Some(Ending::OnDone) || requested.suspends()).then(|| self.halt())?
            }
            // The journal may not know yet that the execution has ended.
            _ if status.is_final() && ending.is_none() => None,
            _ => requested.suspends().then_some(PassOutcome::Suspended),
        }
    }

    /// Returns the time before which an execution that has not begun must not begin.
    fn time_to_begin(self) -> Option<Timestamp> {
        let records = self.run.records();
        match records[ROOT].cold().until {
            Some(Until::Time(time)) if records[ROOT].status == Status::Pending => Some(time),
            _ => None,
        }
    }

    /// Leaves the work as it is, if a request asks for that.
    fn halt(self) -> Option<PassOutcome> {
        let requested = self.run.requests.all();
        if requested.stops() {
            let now = self.now();
            self.run.change(ROOT, |root| root.stop(now));
            Some(PassOutcome::Stopped)
        } else {
            requested.suspends().then_some(PassOutcome::Suspended)
        }
    }

    /// Ends a pass that was halted: one that is stopped calls its `#[on_stopped]`.
    async fn halted_so(
        self,
        passed: PassOutcome,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> Kept<PassOutcome> {
        if matches!(passed, PassOutcome::Stopped) && table.hears_of_a_stop() {
            self.run.change(ROOT, |root| {
                root.cold_mut().ending.get_or_insert(Ending::OnStopped);
            });
            Box::pin(self.report_end(table, flow)).await?;
        }
        Ok(passed)
    }

    async fn forward(self, table: &'static Table, flow: &dyn RootFlow) -> Kept<PassOutcome> {
        let (has_output, loaded) = {
            let records = self.run.records();
            let has_output = records[ROOT].cold().ending == Some(Ending::OnDone);
            (has_output, records[ROOT].loaded)
        };
        self.run.past_steps.store(has_output, Ordering::Relaxed);
        if !has_output && !loaded {
            let restored = Box::pin(self.restore_all(table, flow)).await;
            match Stop::split(restored)? {
                Ok(()) => {}
                // A value that can't be had again now may be had later.
                Err((_, error)) if error.retry => return self.lost(table, flow, &error).await,
                Err((id, error)) => {
                    return Ok(PassOutcome::Misfit {
                        path: self.run.records().path(id),
                        why: error.text(),
                    });
                }
            }
        }
        let mut now = self.now();
        if self.run.records()[ROOT].status != Status::Running {
            self.run.change(ROOT, |root| root.begin(now));
        }
        if !has_output {
            self.keep_time(ROOT, table.deadline);
            let entry = self.root_entry(Slots::Kept);
            let ended = match entry.enter(flow) {
                Ok(entered) => Stop::split(self.lines(table, entered, &mut now).await)?,
                Err(error) => Err((ROOT, error)),
            };
            match ended {
                Ok(End::Waiting(until)) if self.run.options.looks => {
                    return Ok(PassOutcome::Waiting(until));
                }
                _ if self.run.options.looks => return Ok(PassOutcome::Waiting(None)),
                Ok(End::Done) => {}
                Ok(End::Waiting(until)) => {
                    if let Some(passed) = self.halt() {
                        return self.halted_so(passed, table, flow).await;
                    }
                    let until_what = until.map_or(Until::Signal, |until| Until::Time(until.until));
                    self.run.change(ROOT, |root| root.wait(until_what));
                    return Ok(PassOutcome::Waiting(until));
                }
                Ok(End::Failed | End::Interrupted) => {
                    self.run.records()[ROOT].cold_mut().ending = Some(Ending::OnFailed);
                    if self.is_late(ROOT) {
                        self.fail_late(ROOT, table.deadline, now);
                    } else {
                        self.fail_group(ROOT, now);
                    }
                    return Box::pin(self.after_failure(table, flow)).await;
                }
                Err((_, error)) => {
                    self.run.records()[ROOT].cold_mut().ending = Some(Ending::OnFailed);
                    self.fail(ROOT, &error, now);
                    return Box::pin(self.after_failure(table, flow)).await;
                }
            }
        }
        if table.handlers.done {
            Box::pin(self.handle_done(flow)).await?;
            now = self.now();
        }
        self.run.change(ROOT, |root| {
            root.cold_mut().ending = None;
            let output = root.output.take();
            root.finish(now, output);
        });
        Ok(PassOutcome::Ended)
    }

    /// Fails the flow, because the output of a volatile step, which is not saved, can't be had again.
    async fn lost(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
        error: &StepError,
    ) -> Kept<PassOutcome> {
        let now = self.now();
        if self.run.records()[ROOT].status != Status::Running {
            self.run.change(ROOT, |root| root.begin(now));
        }
        self.run.records()[ROOT].cold_mut().ending = Some(Ending::OnFailed);
        if self.run.requests.all().undoes() {
            self.fail_group(ROOT, now);
        } else {
            self.fail(ROOT, error, now);
        }
        Box::pin(self.after_failure(table, flow)).await
    }

    /// Loads the values of a saved state into their slots, the first time, before anything runs.
    async fn restore_all(self, table: &'static Table, flow: &dyn RootFlow) -> OrStop {
        let entry = self.root_entry(Slots::Kept);
        let Ok(entered) = entry.enter(flow) else {
            // The pass reports this error when it enters the flow.
            return Ok(());
        };
        let Some(scope) = entered.scope else {
            return Ok(());
        };
        if self.record_root_entry(table, entered.input).is_err() {
            return Ok(());
        }
        self.run.records()[ROOT].loaded = true;
        self.restore(&*scope, 0, table.nodes, ROOT).await
    }

    /// Records the input, if entering the flow evaluated it, and makes the records of the lines.
    /// Returns the first of these.
    fn record_root_entry(
        self,
        table: &'static Table,
        input: Option<Json>,
    ) -> Result<Id, StepError> {
        let mut records = self.run.records();
        if let Some(input) = input {
            records[ROOT].cold_mut().input = Some(input);
            self.run.committer.mark(ROOT);
        }
        records.lines(ROOT, table.nodes)
    }

    /// Runs the lines, and the code after them.
    #[expect(
        clippy::manual_async_fn,
        reason = "half the size: each argument would take its place twice"
    )]
    fn lines(
        self,
        table: &'static Table,
        entered: Entered<'_>,
        now: &mut Timestamp,
    ) -> impl Future<Output = OrStop<End>> + Send {
        async move {
            let failed = |error| Stop::Node(ROOT, error);
            let Some(scope) = entered.scope else {
                return Ok(End::Done);
            };
            let first = self.record_root_entry(table, entered.input);
            let first = first.map_err(failed)?;
            let end = self.sequence(&*scope, 0, table.nodes, first, now).await?;
            if end != End::Done {
                return Ok(end);
            }
            if let Some(end) = self.interrupted_at_end() {
                return Ok(end);
            }
            if self.is_late(ROOT) {
                return Ok(End::Interrupted);
            }
            self.check_deaths().map_err(failed)?;
            self.run.past_steps.store(true, Ordering::Relaxed);
            let finished = self.finished(scope.finish()).await?;
            *now = self.now();
            let saved = finished.map_err(failed)?;
            let checked = self.run.options.limits.check("output", saved.as_ref());
            checked.map_err(failed)?;
            let mut records = self.run.records();
            let root = &mut records[ROOT];
            root.output = saved;
            root.cold_mut().ending = Some(Ending::OnDone);
            self.run.committer.mark(ROOT);
            Ok(End::Done)
        }
    }

    /// Calls `#[on_done]`, after the code after the steps has run.
    async fn handle_done(self, flow: &dyn RootFlow) -> Kept<()> {
        let output = self.run.output();
        let entry = self.root_entry(Slots::Fresh);
        let loaded = call(|| flow.load(output.as_ref()));
        let entered = loaded.and_then(|()| entry.enter(flow));
        // The output that it takes.
        self.run.commit().await?;
        self.tell(ROOT, entered, Told::Done).await;
        Ok(())
    }
}
