//! One pass over a whole execution: forward, and back where that fails.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Back, End, Kept, Pass, Shared,
    attempt::call,
    tree::{Id, ROOT},
};
use crate::{
    error::StepError,
    failure::Failure,
    json::Json,
    scope::{BoxFuture, Enter, Entered},
    status::{Event, Status},
    table::{OnFailure, Table},
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
#[derive(Clone, Copy, Debug)]
pub(crate) enum Passed {
    /// There is nothing more to do.
    Ended,
    /// There is, after this time or a signal.
    Waiting(Option<Timestamp>),
}

/// Makes a pass. With `undo`, an execution that is done or was held is undone.
pub(crate) async fn pass(
    run: &Arc<Shared>,
    table: &'static Table,
    flow: &dyn Whole,
    undo: bool,
) -> Kept<Passed> {
    let pass = Pass { run };
    let status = run.tree()[ROOT].status;
    let passed = match status {
        Status::Pending | Status::Running | Status::Waiting => {
            pass.whole_forward(table, flow).await?
        }
        Status::Done | Status::Failed if undo => {
            run.change(ROOT, |root| root.on(Event::Undo));
            Box::pin(pass.whole_back(table, flow)).await?
        }
        Status::Undoing => Box::pin(pass.whole_back(table, flow)).await?,
        _ => Passed::Ended,
    };
    run.commit().await?;
    Ok(passed)
}

impl Pass<'_> {
    async fn whole_forward(self, table: &'static Table, flow: &dyn Whole) -> Kept<Passed> {
        let mut now = self.now();
        if self.run.tree()[ROOT].status != Status::Running {
            self.run.change(ROOT, |root| root.begin(now));
        }
        let (input, has_output) = {
            let tree = self.run.tree();
            let rare = tree[ROOT].rare();
            (rare.input.clone(), rare.decision == Some(true))
        };
        let how = Enter {
            input: input.as_ref(),
            ..Enter::default()
        };
        if !has_output {
            let ended = match call(|| flow.enter(how)) {
                Ok(entered) => self.lines(table, entered, &mut now).await?,
                Err(error) => Err((ROOT, error)),
            };
            match ended {
                Ok(End::Done) => {}
                Ok(End::Waiting(until)) => {
                    self.run.change(ROOT, |root| {
                        root.on(Event::Wait);
                        root.rare_mut().until = until.map(crate::state::Until::Time);
                    });
                    return Ok(Passed::Waiting(until));
                }
                Ok(End::Failed | End::Interrupted) => {
                    self.fail_group(ROOT, now);
                    return Box::pin(self.after_failure(table, flow)).await;
                }
                Err((id, error)) => {
                    if id != ROOT && self.run.tree()[id].status == Status::Done {
                        // A line that was done can't be restored: say which.
                        let path = self.run.tree().path(id);
                        let error = StepError::fatal(format!("{path}: {}", error.text()));
                        self.fail(ROOT, &error, now);
                    } else {
                        self.fail(ROOT, &error, now);
                    }
                    return Box::pin(self.after_failure(table, flow)).await;
                }
            }
        }
        if flow.has_on_done() {
            Box::pin(self.handle_done(flow)).await;
            now = self.now();
        }
        self.run.change(ROOT, |root| {
            root.rare_mut().decision = None;
            let output = root.output.take();
            root.finish(now, output);
        });
        Ok(Passed::Ended)
    }

    /// Runs the lines and the code after them.
    async fn lines(
        self,
        table: &'static Table,
        entered: Entered<'_>,
        now: &mut Timestamp,
    ) -> Kept<Result<End, (Id, StepError)>> {
        let Some(scope) = entered.scope else {
            return Ok(Ok(End::Done));
        };
        let (first, loaded) = {
            let mut tree = self.run.tree();
            if let Some(input) = entered.input {
                if let Err(error) = self.run.limits.check("input", Some(&input)) {
                    return Ok(Err((ROOT, error)));
                }
                tree[ROOT].rare_mut().input = Some(input);
                self.run.mark(ROOT);
            }
            let first = tree.lines(ROOT, table.nodes);
            (first, std::mem::replace(&mut tree[ROOT].loaded, true))
        };
        if !loaded && let Err(error) = Box::pin(self.restore(&*scope, 0, table.nodes, ROOT)).await?
        {
            return Ok(Err(error));
        }
        let end = self.sequence(&*scope, 0, table.nodes, first, now).await?;
        if end != End::Done {
            return Ok(Ok(end));
        }
        self.run.commit().await?;
        let finished = self.guarded(scope.finish(), None).await;
        *now = self.now();
        match finished {
            Ok(saved) => {
                if let Err(error) = self.run.limits.check("output", saved.as_ref()) {
                    return Ok(Err((ROOT, error)));
                }
                let mut tree = self.run.tree();
                let root = &mut tree[ROOT];
                root.output = saved;
                root.rare_mut().decision = Some(true);
                self.run.mark(ROOT);
                Ok(Ok(End::Done))
            }
            Err(error) => Ok(Err((ROOT, error))),
        }
    }

    /// The code after the steps has run and its output is recorded: what is left is `#[on_done]`.
    async fn handle_done(self, flow: &dyn Whole) {
        let (input, output) = {
            let tree = self.run.tree();
            (tree[ROOT].rare().input.clone(), tree[ROOT].output.clone())
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
            self.handler_failed("onDoneErr", &error);
        }
    }

    /// A handler's output is safe before the handler runs.
    async fn handle(
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
    fn handler_failed(self, field: &str, error: &StepError) {
        let text = error.text();
        tracing::error!(error = text, "the handler of a flow failed ({field})");
        if let Ok(json) = Json::encode(&text) {
            let mut tree = self.run.tree();
            tree[ROOT].rare_mut().extra.push((field.to_owned(), json));
        }
    }

    async fn after_failure(self, table: &'static Table, flow: &dyn Whole) -> Kept<Passed> {
        match table.on_failure {
            OnFailure::Hold => {
                self.whole_failed(table, flow).await;
                Ok(Passed::Ended)
            }
            OnFailure::Undo => {
                self.run.change(ROOT, |root| root.on(Event::Undo));
                self.run.commit().await?;
                self.whole_back(table, flow).await
            }
        }
    }

    async fn whole_back(self, table: &'static Table, flow: &dyn Whole) -> Kept<Passed> {
        let input = self.run.tree()[ROOT].rare().input.clone();
        let how = Enter {
            input: input.as_ref(),
            fresh: true,
            ..Enter::default()
        };
        let begun = !self.run.tree()[ROOT].children().is_empty();
        let back = if begun {
            match call(|| flow.enter(how)).map(|entered| entered.scope) {
                Ok(Some(scope)) => match self.restore(&*scope, 0, table.nodes, ROOT).await? {
                    Ok(()) => self.unwind(&*scope, 0, table.nodes, ROOT).await?,
                    Err((id, error)) => {
                        self.refuse(id, &error);
                        Back::Failed
                    }
                },
                Ok(None) => Back::Clean,
                Err(error) => {
                    self.note(ROOT, &error);
                    Back::Failed
                }
            }
        } else {
            Back::Clean
        };
        match back {
            Back::Waiting(until) => return Ok(Passed::Waiting(Some(until))),
            Back::Failed => self.run.change(ROOT, |root| root.on(Event::Stick)),
            Back::Clean | Back::Pivot => {
                let failed = !self.run.tree()[ROOT].rare().errors.is_empty();
                self.run.change(ROOT, |root| root.on(Event::UndoFinish));
                if failed {
                    self.whole_failed(table, flow).await;
                }
            }
        }
        Ok(Passed::Ended)
    }

    /// Calls the `#[on_failed]`. Its status is in the journal only afterwards, so a crash in the
    /// middle calls it again.
    async fn whole_failed(self, table: &'static Table, flow: &dyn Whole) {
        let failure = Failure {
            flow: table.name,
            cause: self.run.cause(),
            state: Arc::new(self.run.state()),
        };
        let input = self.run.tree()[ROOT].rare().input.clone();
        let how = Enter {
            input: input.as_ref(),
            fresh: true,
            ..Enter::default()
        };
        let handled = async {
            let Some(scope) = call(|| flow.enter(how))?.scope else {
                return Ok(());
            };
            match scope.on_failed(&failure) {
                Some(handler) => self.guarded(handler, None).await,
                None => Ok(()),
            }
        };
        if let Err(error) = handled.await {
            self.handler_failed("onFailedErr", &error);
        }
    }
}
