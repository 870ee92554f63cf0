//! Ends an execution that failed, must be undone, or was stopped: its rollback, and its handler.

use super::{
    Kept, Pass, RollbackEnd,
    enter::{OrStop, RootFlow, Slots, Stop},
    execution::PassOutcome,
    handlers::Told,
    records::ROOT,
};
use crate::model::{
    state::Ending,
    status::Transition,
    table::{OnFailure, Table},
};

impl Pass<'_> {
    pub(super) async fn after_failure(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> Kept<PassOutcome> {
        match table.on_failure {
            OnFailure::Hold if !self.run.requests.all().undoes() => {
                self.report_end(table, flow).await?;
                Ok(PassOutcome::Ended)
            }
            _ => {
                self.run.change(ROOT, |root| root.on(Transition::Undo));
                self.run.requests.set_past_pivot(false);
                self.run.commit().await?;
                self.roll_back_all(table, flow).await
            }
        }
    }

    /// Undoes an execution that had ended, and tells its handler.
    pub(super) async fn undo_ended(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> Kept<PassOutcome> {
        self.run.change(ROOT, |root| {
            root.cold_mut().ending = Some(Ending::OnFailed);
            root.on(Transition::Undo);
        });
        self.roll_back_all(table, flow).await
    }

    pub(super) async fn roll_back_all(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> Kept<PassOutcome> {
        let end = match Stop::split(self.roll_back_root(table, flow).await)? {
            Ok(end) => end,
            Err((ROOT, error)) => {
                self.note(ROOT, &error);
                RollbackEnd::Failed
            }
            Err((id, error)) => {
                self.refuse(id, &error);
                RollbackEnd::Failed
            }
        };
        match end {
            RollbackEnd::Waiting(until) => return Ok(PassOutcome::Waiting(Some(until))),
            _ if self.run.options.looks => return Ok(PassOutcome::Waiting(None)),
            RollbackEnd::Halted => return Ok(PassOutcome::Suspended),
            RollbackEnd::Failed => self.run.change(ROOT, |root| root.on(Transition::Stick)),
            RollbackEnd::Clean | RollbackEnd::Pivot => {
                self.run
                    .change(ROOT, |root| root.on(Transition::UndoFinish));
            }
        }
        self.report_end(table, flow).await?;
        Ok(PassOutcome::Ended)
    }

    /// Undoes the lines of the flow, if any has begun.
    async fn roll_back_root(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> OrStop<RollbackEnd> {
        if self.run.records()[ROOT].children().is_empty() {
            return Ok(RollbackEnd::Clean);
        }
        let entry = self.root_entry(Slots::Kept);
        let entered = entry.enter(flow).map_err(|error| Stop::Node(ROOT, error))?;
        if let Some(input) = entered.input {
            self.run.records()[ROOT].cold_mut().input = Some(input);
        }
        let Some(scope) = entered.scope else {
            return Ok(RollbackEnd::Clean);
        };
        self.restore(&*scope, 0, table.nodes, ROOT).await?;
        Ok(self.roll_back_lines(&*scope, 0, table.nodes, ROOT).await?)
    }

    /// Calls the handler of a flow that failed or was stopped, if there is one that was not called yet.
    /// The end of the flow is committed first. After a crash during the handler, it is called again.
    pub(super) async fn report_end(self, table: &'static Table, flow: &dyn RootFlow) -> Kept<()> {
        let which = match self.run.records()[ROOT].cold().ending {
            Some(ending @ (Ending::OnFailed | Ending::OnStopped)) => ending,
            Some(Ending::OnDone) | None => return Ok(()),
        };
        let is_heard = match which {
            Ending::OnStopped => table.hears_of_a_stop(),
            Ending::OnFailed | Ending::OnDone => table.handlers.hear(which),
        };
        if is_heard {
            self.run.commit().await?;
        }
        self.run.records()[ROOT].cold_mut().ending = None;
        self.run.committer.mark(ROOT);
        if !is_heard {
            return Ok(());
        }
        if which == Ending::OnStopped {
            self.tell_nested_of_a_stop(table, flow).await?;
        }
        let is_stopped = which == Ending::OnStopped;
        let failure = self.failure(table, ROOT, is_stopped).await?;
        let told = if is_stopped {
            Told::Stopped(&failure)
        } else {
            Told::Failed(&failure)
        };
        let entry = self.root_entry(Slots::Fresh);
        self.tell(ROOT, entry.enter(flow), told).await;
        Ok(())
    }
}
