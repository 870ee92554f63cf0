//! Ends an execution that failed or must be undone: its rollback, and its `#[on_failed]`.

use std::sync::Arc;

use super::{
    Kept, Pass, RollbackEnd,
    enter::Stop,
    execution::{PassOutcome, RootFlow},
    records::ROOT,
    user_code::call,
};
use crate::{
    language::scope::Enter,
    model::{
        failure::Failure,
        state::Ending,
        status::Transition,
        table::{OnFailure, Table},
    },
};

impl Pass<'_> {
    pub(super) async fn after_failure(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> Kept<PassOutcome> {
        match table.on_failure {
            OnFailure::Hold if !self.run.requests.all().undoes() => {
                self.report_failure(table, flow).await?;
                Ok(PassOutcome::Ended)
            }
            _ => {
                self.run.change(ROOT, |root| root.on(Transition::Undo));
                self.run.commit().await?;
                self.roll_back_all(table, flow).await
            }
        }
    }

    pub(super) async fn roll_back_all(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> Kept<PassOutcome> {
        let input = self.run.records()[ROOT].cold().input.clone();
        let how = Enter {
            input: input.as_ref(),
            fresh: true,
            ..Enter::default()
        };
        let begun = !self.run.records()[ROOT].children().is_empty();
        let back = if begun {
            let entered = call(|| flow.enter(how)).map(|entered| {
                if let Some(input) = entered.input {
                    self.run.records()[ROOT].cold_mut().input = Some(input);
                }
                entered.scope
            });
            match entered {
                Ok(Some(scope)) => {
                    let restored = self.restore(&*scope, 0, table.nodes, ROOT).await;
                    match Stop::split(restored)? {
                        Ok(()) => self.roll_back_lines(&*scope, 0, table.nodes, ROOT).await?,
                        Err((id, error)) => {
                            self.refuse(id, &error);
                            RollbackEnd::Failed
                        }
                    }
                }
                Ok(None) => RollbackEnd::Clean,
                Err(error) => {
                    self.note(ROOT, &error);
                    RollbackEnd::Failed
                }
            }
        } else {
            RollbackEnd::Clean
        };
        match back {
            RollbackEnd::Waiting(until) => return Ok(PassOutcome::Waiting(Some(until))),
            RollbackEnd::Halted => return Ok(PassOutcome::Suspended),
            RollbackEnd::Failed => self.run.change(ROOT, |root| root.on(Transition::Stick)),
            RollbackEnd::Clean | RollbackEnd::Pivot => {
                self.run
                    .change(ROOT, |root| root.on(Transition::UndoFinish));
            }
        }
        self.report_failure(table, flow).await?;
        Ok(PassOutcome::Ended)
    }

    /// Calls `#[on_failed]`, if the flow failed and the handler was not called yet. The end of the
    /// flow is committed first. After a crash during the handler, it is called again.
    pub(super) async fn report_failure(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> Kept<()> {
        if self.run.records()[ROOT].cold().ending != Some(Ending::OnFailed) {
            return Ok(());
        }
        self.run.commit().await?;
        self.run.records()[ROOT].cold_mut().ending = None;
        self.run.committer.mark(ROOT);
        let failure = Failure {
            flow: table.name,
            cause: self.run.cause(),
            state: Arc::new(self.run.state()),
        };
        let input = self.run.records()[ROOT].cold().input.clone();
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
            self.handler_failed(Ending::OnFailed, &error);
        }
        Ok(())
    }
}
