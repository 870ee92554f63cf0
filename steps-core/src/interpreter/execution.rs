//! One pass over a whole execution, forward; `ending` has the way back, and what is called at the
//! end.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    End, Kept, Pass, Shared,
    records::{Id, ROOT},
    user_code::call,
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    language::scope::{Enter, Entered},
    model::{
        state::{Ending, Until},
        status::{Event, Status},
        table::Table,
    },
};

/// The flow that runs, and its own scope.
pub(crate) trait Whole: Sync {
    /// Enters the flow's scope.
    fn enter<'b>(&'b self, how: Enter<'b>) -> Result<Entered<'b>, StepError>;
    /// Whether there is a function to call once it is done.
    fn has_on_done(&self) -> bool;
    /// Takes the saved output.
    fn load(&self, output: Option<&Json>) -> Result<(), StepError>;
}

/// What a pass came to.
#[derive(Debug)]
pub(crate) enum Passed {
    /// There is nothing more to do.
    Ended,
    /// It was stopped on request.
    Stopped,
    /// It goes on in another process, as this one is shutting down.
    Suspended,
    /// There is, after this time or a signal.
    Waiting(Option<Timestamp>),
    /// What is saved at this path can't be read any more. Nothing ran.
    Misfit { path: String, why: String },
}

/// Makes a pass, without the last commit.
pub(crate) async fn pass(
    run: &Arc<Shared>,
    table: &'static Table,
    flow: &dyn Whole,
) -> Kept<Passed> {
    let pass = Pass { run };
    if let Some(passed) = pass.halted() {
        return Ok(passed);
    }
    let undo = run.asked().undoes();
    let status = run.tree()[ROOT].status;
    match status {
        Status::Pending | Status::Running | Status::Waiting => {}
        // What it was in the middle of has to come to an end before it can be undone.
        Status::Stopped if undo => run.change(ROOT, |root| {
            root.done_at = None;
            root.begin(run.clock.now());
        }),
        Status::Done | Status::Failed if undo => {
            run.change(ROOT, |root| root.on(Event::Undo));
            return Box::pin(pass.whole_back(table, flow)).await;
        }
        Status::Undoing => return Box::pin(pass.whole_back(table, flow)).await,
        // It ended, but perhaps not all of its end is told.
        _ => {
            Box::pin(pass.whole_failed(table, flow)).await?;
            return Ok(Passed::Ended);
        }
    }
    let passed = pass.whole_forward(table, flow).await?;
    if run.asked().undoes() && run.tree()[ROOT].status == Status::Done {
        run.change(ROOT, |root| root.on(Event::Undo));
        return Box::pin(pass.whole_back(table, flow)).await;
    }
    Ok(passed)
}

impl Pass<'_> {
    /// What a pass comes to that is to begin nothing, if it is.
    fn halted(self) -> Option<Passed> {
        let asked = self.run.asked();
        let (status, ending) = {
            let tree = self.run.tree();
            (tree[ROOT].status, tree[ROOT].cold().ending)
        };
        match status {
            Status::Pending | Status::Running | Status::Waiting => {
                // With its output recorded, only `#[on_done]` is left.
                (ending != Some(Ending::OnDone) || asked.suspends()).then(|| self.halt())?
            }
            // Its end may have to be told.
            _ if status.is_final() && ending.is_none() => None,
            _ => asked.suspends().then_some(Passed::Suspended),
        }
    }

    /// Leaves the work where it is, if that is what is asked for.
    fn halt(self) -> Option<Passed> {
        let asked = self.run.asked();
        if asked.stops() {
            let now = self.now();
            self.run.change(ROOT, |root| root.stop(now));
            Some(Passed::Stopped)
        } else {
            asked.suspends().then_some(Passed::Suspended)
        }
    }

    /// Why a flow whose steps are done does not come to its end now, if it does not.
    pub(super) fn unfinished(self) -> Option<End> {
        let asked = self.run.asked();
        if asked.suspends() {
            Some(End::Waiting(None))
        } else {
            asked.undoes().then_some(End::Interrupted)
        }
    }

    async fn whole_forward(self, table: &'static Table, flow: &dyn Whole) -> Kept<Passed> {
        let (input, has_output, loaded) = {
            let tree = self.run.tree();
            let cold = tree[ROOT].cold();
            let has_output = cold.ending == Some(Ending::OnDone);
            (cold.input.clone(), has_output, tree[ROOT].loaded)
        };
        if !has_output
            && !loaded
            && let Some((id, error)) =
                Box::pin(self.whole_restore(table, flow, input.as_ref())).await?
        {
            return Ok(Passed::Misfit {
                path: self.run.tree().path(id),
                why: error.text(),
            });
        }
        let mut now = self.now();
        if self.run.tree()[ROOT].status != Status::Running {
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
                    return Ok(Passed::Waiting(until));
                }
                Ok(End::Failed | End::Interrupted) => {
                    self.run.tree()[ROOT].cold_mut().ending = Some(Ending::OnFailed);
                    self.fail_group(ROOT, now);
                    return Box::pin(self.after_failure(table, flow)).await;
                }
                Err(error) => {
                    self.run.tree()[ROOT].cold_mut().ending = Some(Ending::OnFailed);
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
        Ok(Passed::Ended)
    }

    /// Puts the values of a saved state in their slots, the first time. Gives the node that can't
    /// be read any more, before anything runs.
    async fn whole_restore(
        self,
        table: &'static Table,
        flow: &dyn Whole,
        input: Option<&Json>,
    ) -> Kept<Option<(Id, StepError)>> {
        let how = Enter {
            input,
            ..Enter::default()
        };
        let Ok(entered) = call(|| flow.enter(how)) else {
            // It is said when the pass enters.
            return Ok(None);
        };
        let Some(scope) = entered.scope else {
            return Ok(None);
        };
        {
            let mut tree = self.run.tree();
            if let Some(input) = entered.input {
                tree[ROOT].cold_mut().input = Some(input);
                self.run.mark(ROOT);
            }
            tree.lines(ROOT, table.nodes);
            tree[ROOT].loaded = true;
        }
        let restored = self.restore(&*scope, 0, table.nodes, ROOT).await?;
        Ok(restored.err())
    }

    /// Runs the lines and the code after them.
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
                let mut tree = self.run.tree();
                if let Some(input) = entered.input {
                    if let Err(error) = self.run.limits.check("input", Some(&input)) {
                        return Ok(Err(error));
                    }
                    tree[ROOT].cold_mut().input = Some(input);
                    self.run.mark(ROOT);
                }
                tree.lines(ROOT, table.nodes)
            };
            let end = self.sequence(&*scope, 0, table.nodes, first, now).await?;
            if end != End::Done {
                return Ok(Ok(end));
            }
            if let Some(end) = self.unfinished() {
                return Ok(Ok(end));
            }
            let finished = self.finished(scope.finish()).await?;
            *now = self.now();
            match finished {
                Ok(saved) => {
                    if let Err(error) = self.run.limits.check("output", saved.as_ref()) {
                        return Ok(Err(error));
                    }
                    let mut tree = self.run.tree();
                    let root = &mut tree[ROOT];
                    root.output = saved;
                    root.cold_mut().ending = Some(Ending::OnDone);
                    self.run.mark(ROOT);
                    Ok(Ok(End::Done))
                }
                Err(error) => Ok(Err(error)),
            }
        }
    }

    /// The code after the steps has run and its output is recorded: what is left is `#[on_done]`.
    async fn handle_done(self, flow: &dyn Whole) {
        let (input, output) = {
            let tree = self.run.tree();
            (tree[ROOT].cold().input.clone(), tree[ROOT].output.clone())
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

    /// A handler's output is safe before the handler runs.
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

    /// What a handler of the whole flow fails with changes nothing about the flow; it is kept.
    pub(super) fn handler_failed(self, handler: Ending, error: &StepError) {
        let text = error.text();
        tracing::error!(
            error = text,
            handler = handler.as_str(),
            "the handler of a flow failed"
        );
        let mut tree = self.run.tree();
        let root = tree[ROOT].cold_mut();
        match handler {
            Ending::OnDone => root.on_done_err = Some(text),
            Ending::OnFailed => root.on_failed_err = Some(text),
        }
    }
}
