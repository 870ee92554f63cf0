//! The call of a flow's handler, of the execution's own flow and of nested ones. When one is owed, and
//! how that is recorded, is in `ending`, `execution` and `nested_ends`.

use std::sync::Arc;

use super::{
    Kept, Pass,
    records::{Id, ROOT},
};
use crate::{
    base::error::StepError,
    language::scope::Entered,
    model::{
        failure::{Cause, Failure},
        state::Ending,
        status::Status,
        table::Table,
    },
};

/// What a handler is told.
#[derive(Clone, Copy)]
pub(super) enum Told<'a> {
    /// The flow is done.
    Done,
    /// It has failed, or was undone.
    Failed(&'a Failure),
    /// It was stopped.
    Stopped(&'a Failure),
}

impl Pass<'_> {
    /// Calls a handler of the flow at `id`, in the flow's scope. Its error is recorded there, and changes
    /// nothing else.
    pub(super) async fn tell(
        self,
        id: Id,
        entered: Result<Entered<'_>, StepError>,
        told: Told<'_>,
    ) {
        let which = match told {
            Told::Done => Ending::OnDone,
            Told::Failed(_) => Ending::OnFailed,
            Told::Stopped(_) => Ending::OnStopped,
        };
        let handled = match entered {
            Ok(entered) => {
                let call = entered.scope.as_ref().and_then(|scope| match told {
                    Told::Done => scope.on_done(),
                    Told::Failed(failure) => scope.on_failed(failure),
                    Told::Stopped(failure) => scope.on_stopped(failure),
                });
                match (call, self.check_deaths()) {
                    (Some(call), Ok(())) => self.handled(call).await,
                    (None, _) => Ok(()),
                    (_, Err(error)) => Err(error),
                }
            }
            Err(error) => Err(error),
        };
        if let Err(error) = handled {
            self.handler_failed(id, which, &error);
        }
    }

    /// Returns the failure of the flow at `id`, as if it had run alone, with what was left out.
    pub(super) async fn failure(
        self,
        table: &'static Table,
        id: Id,
        is_stopped: bool,
    ) -> Kept<Failure> {
        let mut state = match self.run.recorded().await? {
            Some(whole) if id == ROOT => whole,
            Some(whole) => {
                let path = self.run.records().path(id);
                whole.get(&path).cloned().unwrap_or_default()
            }
            None if id == ROOT => self.run.state(),
            None => self.run.records().state(id),
        };
        state.ending = None;
        let cause = if is_stopped {
            state.status = Status::Stopped;
            Cause::Stopped
        } else {
            self.run.cause_below(id)
        };
        Ok(Failure {
            flow: table.name,
            cause,
            state: Arc::new(state),
        })
    }
}
