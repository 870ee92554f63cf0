//! Calls the handlers of nested flows: when one is done, when it has been taken back, and when the
//! execution was stopped while it was at work.
//!
//! As for the whole flow, what is owed is recorded as the node's `ending` before the call, and is gone
//! with the next record; after a crash in between, the handler is called again.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    enter::{At, Entry, OrStop, RootFlow, Slots, Stop},
    records::{Id, ROOT, Record},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    language::scope::{Saved, Scope},
    model::{
        failure::{Cause, Failure},
        state::{Ending, State},
        status::Status,
        table::{Line, OnFailure, Table, Work},
    },
};

impl Pass<'_> {
    /// Ends a nested flow that has its output.
    pub(super) async fn flow_done(
        self,
        at: At<'_>,
        table: &'static Table,
        id: Id,
        output: Option<Json>,
        now: &mut Timestamp,
    ) -> Kept<End> {
        if !table.handlers.done {
            return Ok(self.done(id, output, *now));
        }
        {
            let mut records = self.run.records();
            records[id].output = output;
            records[id].cold_mut().ending = Some(Ending::OnDone);
            self.run.committer.mark(id);
        }
        self.run.commit().await?;
        self.tell_done(at, id, now).await
    }

    /// Makes up for a handler of a nested flow that a crash cut off. Returns the flow's end, if it has
    /// nothing else to do.
    pub(super) async fn owed(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<Option<End>> {
        let Work::Flow(table) = &node.work else {
            return Ok(None);
        };
        let (status, ending, output) = {
            let records = self.run.records();
            let record = &records[id];
            (record.status, record.cold().ending, record.output.clone())
        };
        match ending {
            Some(Ending::OnDone) if status == Status::Running => {
                let saved = Saved::Output(output.as_ref().map(Json::get));
                if let Err(error) = at.scope.load(at.item, at.line, saved) {
                    return Ok(Some(self.fail(id, &StepError::fatal(error), *now)));
                }
                self.tell_done(at, id, now).await.map(Some)
            }
            Some(Ending::OnFailed) if status != Status::Undoing => {
                self.tell_failed(at, table, id).await?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    async fn tell_done(self, at: At<'_>, id: Id, now: &mut Timestamp) -> Kept<End> {
        let entry = self.entry(id, Slots::Fresh);
        self.tell(at, &entry, id, Ending::OnDone, None).await;
        *now = self.now();
        let output = {
            let mut records = self.run.records();
            records[id].cold_mut().ending = None;
            records[id].output.take()
        };
        Ok(self.done(id, output, *now))
    }

    /// Tells a flow that is left as it is when it fails.
    pub(super) async fn flow_failed(self, at: At<'_>, table: &'static Table, id: Id) -> Kept<()> {
        if table.on_failure == OnFailure::Hold && table.handlers.failed {
            self.run.change(id, |record| {
                record.cold_mut().ending = Some(Ending::OnFailed);
            });
            self.tell_failed(at, table, id).await?;
        }
        Ok(())
    }

    /// Calls the `#[on_failed]` that a nested flow is owed, after its end is committed.
    pub(super) async fn tell_failed(self, at: At<'_>, table: &'static Table, id: Id) -> Kept<()> {
        if self.run.records()[id].cold().ending != Some(Ending::OnFailed) || self.is_suspended() {
            return Ok(());
        }
        self.run.commit().await?;
        self.run
            .change(id, |record| record.cold_mut().ending = None);
        let failure = self.failure_below(table, id).await?;
        let entry = self.entry(id, Slots::Fresh);
        self.tell(at, &entry, id, Ending::OnFailed, Some(&failure))
            .await;
        Ok(())
    }

    /// The failure of a nested flow, as if it had run alone.
    async fn failure_below(self, table: &'static Table, id: Id) -> Kept<Failure> {
        let path = self.run.records().path(id);
        let whole = match self.run.recorded().await? {
            Some(state) => state,
            None => self.run.state(),
        };
        let mut state = whole.get(&path).cloned().unwrap_or_default();
        state.ending = None;
        Ok(Failure {
            flow: table.name,
            cause: self.run.cause_below(id),
            state: Arc::new(state),
        })
    }

    /// Calls a handler of a nested flow. Its error changes nothing else.
    async fn tell(
        self,
        at: At<'_>,
        entry: &Entry,
        id: Id,
        which: Ending,
        failure: Option<&Failure>,
    ) {
        let handled = match entry.enter(at) {
            Ok(entered) => {
                let scope = entered.scope.as_ref();
                let call = scope.and_then(|scope| match (which, failure) {
                    (Ending::OnStopped, Some(failure)) => scope.on_stopped(failure),
                    (_, Some(failure)) => scope.on_failed(failure),
                    (_, None) => scope.on_done(),
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
}

/// Notes, when the rollback of a line begins, that a nested flow is owed its `#[on_failed]`.
pub(super) fn owe_failed(record: &mut Record, node: &'static Line) {
    if let Work::Flow(table) = &node.work {
        record.cold_mut().ending = table.handlers.failed.then_some(Ending::OnFailed);
    }
}

/// What was stopped with the execution.
impl<'r> Pass<'r> {
    /// Calls the `#[on_stopped]` of the nested flows that are at work, the inner ones first.
    pub(super) async fn tell_nested_of_a_stop(
        self,
        table: &'static Table,
        flow: &dyn RootFlow,
    ) -> Kept<()> {
        if !table.nodes.iter().any(Line::hears_of_a_stop) {
            return Ok(());
        }
        let told = Box::pin(self.tell_of_a_stop(table, flow)).await;
        if let Err((id, error)) = Stop::split(told)? {
            self.handler_failed(id, Ending::OnStopped, &error);
        }
        Ok(())
    }

    async fn tell_of_a_stop(self, table: &'static Table, flow: &dyn RootFlow) -> OrStop {
        if self.run.records()[ROOT].children().is_empty() {
            return Ok(());
        }
        let entry = self.root_entry(Slots::Kept);
        let entered = entry.enter(flow).map_err(|error| Stop::Node(ROOT, error))?;
        let Some(scope) = entered.scope else {
            return Ok(());
        };
        self.restore(&*scope, 0, table.nodes, ROOT).await?;
        self.stopped_lines(&*scope, 0, table.nodes, ROOT).await
    }

    fn stopped_lines<'b>(
        self,
        scope: &'b dyn Scope,
        item: usize,
        nodes: &'static [Line],
        parent: Id,
    ) -> BoxFuture<'b, OrStop>
    where
        'r: 'b,
    {
        Box::pin(async move {
            let children = self.run.records()[parent].children();
            for ((line, node), id) in nodes.iter().enumerate().zip(children) {
                if node.hears_of_a_stop() && self.is_at_work(id) {
                    self.stopped_line(At { scope, item, line }, node, id)
                        .await?;
                }
            }
            Ok(())
        })
    }

    async fn stopped_line(self, at: At<'_>, node: &'static Line, id: Id) -> OrStop {
        if let Work::Loop { body, .. } = &node.work {
            let last = self.run.records()[id].cold().rounds.last().copied();
            let Some(round) = last.filter(|round| self.is_at_work(*round)) else {
                return Ok(());
            };
            let entry = self.round_entry(round, Slots::Kept, false);
            let Some(scope) = entry.scope(at)? else {
                return Ok(());
            };
            return self.stopped_lines(&*scope, 0, body, round).await;
        }
        {
            let entry = self.entry(id, Slots::Kept);
            let Some(scope) = entry.scope(at)? else {
                return Ok(());
            };
            if let Work::For { body, .. } = &node.work {
                let items = self.run.records()[id].children();
                for (item, id) in items.enumerate() {
                    if self.is_at_work(id) {
                        self.stopped_lines(&*scope, item, body, id).await?;
                    }
                }
            } else {
                let decision = self.run.records()[id].cold().decision;
                let lines = node.work.own_lines(decision);
                self.stopped_lines(&*scope, 0, lines, id).await?;
            }
        }
        if let Work::Flow(table) = &node.work
            && table.handlers.stopped
        {
            let mut failure = self.failure_below(table, id).await?;
            failure.cause = Cause::Stopped;
            let mut state = State::clone(&failure.state);
            state.status = Status::Stopped;
            failure.state = Arc::new(state);
            let entry = self.entry(id, Slots::Kept);
            self.tell(at, &entry, id, Ending::OnStopped, Some(&failure))
                .await;
        }
        Ok(())
    }

    fn is_at_work(self, id: Id) -> bool {
        matches!(
            self.run.records()[id].status,
            Status::Running | Status::Waiting
        )
    }
}
