//! How a whole execution ends that did not come to its end: its rollback, and telling of it.

use std::sync::Arc;

use super::{
    Back, Kept, Pass,
    execution::{Passed, Whole},
    records::ROOT,
    user_code::call,
};
use crate::{
    language::scope::Enter,
    model::{
        failure::Failure,
        state::Ending,
        status::Event,
        table::{OnFailure, Table},
    },
};

impl Pass<'_> {
    pub(super) async fn after_failure(
        self,
        table: &'static Table,
        flow: &dyn Whole,
    ) -> Kept<Passed> {
        match table.on_failure {
            OnFailure::Hold if !self.run.asked().undoes() => {
                self.whole_failed(table, flow).await?;
                Ok(Passed::Ended)
            }
            _ => {
                self.run.change(ROOT, |root| root.on(Event::Undo));
                self.run.commit().await?;
                self.whole_back(table, flow).await
            }
        }
    }

    pub(super) async fn whole_back(self, table: &'static Table, flow: &dyn Whole) -> Kept<Passed> {
        let input = self.run.tree()[ROOT].cold().input.clone();
        let how = Enter {
            input: input.as_ref(),
            fresh: true,
            ..Enter::default()
        };
        let begun = !self.run.tree()[ROOT].children().is_empty();
        let back = if begun {
            let entered = call(|| flow.enter(how)).map(|entered| {
                if let Some(input) = entered.input {
                    self.run.tree()[ROOT].cold_mut().input = Some(input);
                }
                entered.scope
            });
            match entered {
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
            Back::Halted => return Ok(Passed::Suspended),
            Back::Failed => self.run.change(ROOT, |root| root.on(Event::Stick)),
            Back::Clean | Back::Pivot => {
                self.run.change(ROOT, |root| root.on(Event::UndoFinish));
            }
        }
        self.whole_failed(table, flow).await?;
        Ok(Passed::Ended)
    }

    /// Calls the `#[on_failed]`, if the flow failed and it was not called yet. How the flow ended is
    /// safe before; a crash in the middle calls it again.
    pub(super) async fn whole_failed(self, table: &'static Table, flow: &dyn Whole) -> Kept<()> {
        if self.run.tree()[ROOT].cold().ending != Some(Ending::OnFailed) {
            return Ok(());
        }
        self.run.commit().await?;
        self.run.tree()[ROOT].cold_mut().ending = None;
        self.run.mark(ROOT);
        let failure = Failure {
            flow: table.name,
            cause: self.run.cause(),
            state: Arc::new(self.run.state()),
        };
        let input = self.run.tree()[ROOT].cold().input.clone();
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
