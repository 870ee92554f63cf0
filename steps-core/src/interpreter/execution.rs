//! Makes one pass over a whole execution, forward. `ending` has the rollback, and `#[on_failed]`.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    End, Kept, Pass, RunCore,
    enter::Stop,
    records::{Id, ROOT},
    user_code::call,
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    language::scope::{Enter, Entered},
    model::{
        state::{Ending, Until},
        status::{Status, Transition},
        table::Table,
    },
};

/// The flow of an execution, as the interpreter sees it.
pub(crate) trait RootFlow: Sync {
    /// Enters the flow's scope.
    fn enter<'b>(&'b self, how: Enter<'b>) -> Result<Entered<'b>, StepError>;
    /// Returns whether the flow has an `#[on_done]`.
    fn has_on_done(&self) -> bool;
    /// Loads the saved output.
    fn load(&self, output: Option<&Json>) -> Result<(), StepError>;
}

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
    Waiting(Option<Timestamp>),
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
        return Ok(passed);
    }
    let undo = run.requests.all().undoes();
    let status = run.records()[ROOT].status;
    match status {
        Status::Pending | Status::Running | Status::Waiting => {}
        // The interrupted work must end before it can be undone.
        Status::Stopped if undo => run.change(ROOT, |root| {
            root.done_at = None;
            root.begin(run.options.clock.now());
        }),
        Status::Done | Status::Failed if undo => {
            run.change(ROOT, |root| root.on(Transition::Undo));
            return Box::pin(pass.roll_back_all(table, flow)).await;
        }
        Status::Undoing => return Box::pin(pass.roll_back_all(table, flow)).await,
        // The execution has ended, but `#[on_failed]` may not have been called yet.
        _ => {
            Box::pin(pass.report_failure(table, flow)).await?;
            return Ok(PassOutcome::Ended);
        }
    }
    let passed = pass.forward(table, flow).await?;
    if run.requests.all().undoes() && run.records()[ROOT].status == Status::Done {
        run.change(ROOT, |root| root.on(Transition::Undo));
        return Box::pin(pass.roll_back_all(table, flow)).await;
    }
    Ok(passed)
}

impl Pass<'_> {
    /// Returns the outcome of a pass that must begin nothing; `None` if the pass may begin.
    fn halted(self) -> Option<PassOutcome> {
        let asked = self.run.requests.all();
        let (status, ending) = {
            let records = self.run.records();
            (records[ROOT].status, records[ROOT].cold().ending)
        };
        match status {
            Status::Pending | Status::Running | Status::Waiting => {
                // With its output recorded, only `#[on_done]` is left.
                (ending != Some(Ending::OnDone) || asked.suspends()).then(|| self.halt())?
            }
            // The journal may not know yet that the execution has ended.
            _ if status.is_final() && ending.is_none() => None,
            _ => asked.suspends().then_some(PassOutcome::Suspended),
        }
    }

    /// Leaves the work as it is, if a request asks for that.
    fn halt(self) -> Option<PassOutcome> {
        let asked = self.run.requests.all();
        if asked.stops() {
            let now = self.now();
            self.run.change(ROOT, |root| root.stop(now));
            Some(PassOutcome::Stopped)
        } else {
            asked.suspends().then_some(PassOutcome::Suspended)
        }
    }

    async fn forward(self, table: &'static Table, flow: &dyn RootFlow) -> Kept<PassOutcome> {
        let (input, has_output, loaded) = {
            let records = self.run.records();
            let cold = records[ROOT].cold();
            let has_output = cold.ending == Some(Ending::OnDone);
            (cold.input.clone(), has_output, records[ROOT].loaded)
        };
        if !has_output
            && !loaded
            && let Some((id, error)) =
                Box::pin(self.restore_all(table, flow, input.as_ref())).await?
        {
            return Ok(PassOutcome::Misfit {
                path: self.run.records().path(id),
                why: error.text(),
            });
        }
        let mut now = self.now();
        if self.run.records()[ROOT].status != Status::Running {
            self.run.change(ROOT, |root| root.begin(now));
        }
        let how = Enter {
            input: input.as_ref(),
            ..Enter::default()
        };
        if !has_output {
            let ended = match call(|| flow.enter(how)) {
                Ok(entered) => self.lines(table, entered, &mut now).await?,
                Err(error) => Err(error),
            };
            match ended {
                Ok(End::Done) => {}
                Ok(End::Waiting(until)) => {
                    if let Some(passed) = self.halt() {
                        return Ok(passed);
                    }
                    let until_what = until.map_or(Until::Signal, Until::Time);
                    self.run.change(ROOT, |root| root.wait(until_what));
                    return Ok(PassOutcome::Waiting(until));
                }
                Ok(End::Failed | End::Interrupted) => {
                    self.run.records()[ROOT].cold_mut().ending = Some(Ending::OnFailed);
                    self.fail_group(ROOT, now);
                    return Box::pin(self.after_failure(table, flow)).await;
                }
                Err(error) => {
                    self.run.records()[ROOT].cold_mut().ending = Some(Ending::OnFailed);
                    self.fail(ROOT, &error, now);
                    return Box::pin(self.after_failure(table, flow)).await;
                }
            }
        }
        if flow.has_on_done() {
            Box::pin(self.handle_done(flow)).await;
            now = self.now();
        }
        self.run.change(ROOT, |root| {
            root.cold_mut().ending = None;
            let output = root.output.take();
            root.finish(now, output);
        });
        Ok(PassOutcome::Ended)
    }

    /// Loads the values of a saved state into their slots, the first time, before anything runs.
    /// Returns the node that can't be read any more, if there is one.
    async fn restore_all(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
        input: Option<&Json>,
    ) -> Kept<Option<(Id, StepError)>> {
        let how = Enter {
            input,
            ..Enter::default()
        };
        let Ok(entered) = call(|| flow.enter(how)) else {
            // The pass reports this error when it enters the flow.
            return Ok(None);
        };
        let Some(scope) = entered.scope else {
            return Ok(None);
        };
        {
            let mut records = self.run.records();
            if let Some(input) = entered.input {
                records[ROOT].cold_mut().input = Some(input);
                self.run.committer.mark(ROOT);
            }
            records.lines(ROOT, table.nodes);
            records[ROOT].loaded = true;
        }
        let restored = self.restore(&*scope, 0, table.nodes, ROOT).await;
        Ok(Stop::split(restored)?.err())
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
    ) -> impl Future<Output = Kept<Result<End, StepError>>> + Send {
        async move {
            let Some(scope) = entered.scope else {
                return Ok(Ok(End::Done));
            };
            let first = {
                let mut records = self.run.records();
                if let Some(input) = entered.input {
                    if let Err(error) = self.run.options.limits.check("input", Some(&input)) {
                        return Ok(Err(error));
                    }
                    records[ROOT].cold_mut().input = Some(input);
                    self.run.committer.mark(ROOT);
                }
                records.lines(ROOT, table.nodes)
            };
            let end = self.sequence(&*scope, 0, table.nodes, first, now).await?;
            if end != End::Done {
                return Ok(Ok(end));
            }
            if let Some(end) = self.interrupted_at_end() {
                return Ok(Ok(end));
            }
            let finished = self.finished(scope.finish()).await?;
            *now = self.now();
            match finished {
                Ok(saved) => {
                    if let Err(error) = self.run.options.limits.check("output", saved.as_ref()) {
                        return Ok(Err(error));
                    }
                    let mut records = self.run.records();
                    let root = &mut records[ROOT];
                    root.output = saved;
                    root.cold_mut().ending = Some(Ending::OnDone);
                    self.run.committer.mark(ROOT);
                    Ok(Ok(End::Done))
                }
                Err(error) => Ok(Err(error)),
            }
        }
    }

    /// Calls `#[on_done]`, after the code after the steps has run and its output is recorded.
    async fn handle_done(self, flow: &dyn RootFlow) {
        let (input, output) = {
            let records = self.run.records();
            (
                records[ROOT].cold().input.clone(),
                records[ROOT].output.clone(),
            )
        };
        let how = Enter {
            input: input.as_ref(),
            fresh: true,
            ..Enter::default()
        };
        let handled = async {
            let entered = call(|| {
                flow.load(output.as_ref())?;
                flow.enter(how)
            })?;
            let Some(scope) = entered.scope else {
                return Ok(());
            };
            self.handle(scope.on_done()).await
        };
        if let Err(error) = handled.await {
            self.handler_failed(Ending::OnDone, &error);
        }
    }

    /// Calls a handler, after the output that it takes is committed.
    pub(super) async fn handle(
        self,
        handler: Option<BoxFuture<'_, Result<(), StepError>>>,
    ) -> Result<(), StepError> {
        let Some(handler) = handler else {
            return Ok(());
        };
        self.run
            .commit()
            .await
            .map_err(|error| StepError::fatal(error.to_string()))?;
        self.guarded(handler, None).await
    }
}
