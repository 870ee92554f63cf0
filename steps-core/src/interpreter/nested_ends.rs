//! Calls the handlers of nested flows: when one is done, when it has been taken back, and when the
//! execution was stopped while it was at work.
//!
//! As for the whole flow, what is owed is recorded as the node's `ending` before the call, and is gone
//! with the next record; after a crash in between, the handler is called again.

use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    enter::{At, OrStop, RootFlow, Slots, Stop},
    handlers::Told,
    records::{Id, ROOT, Record},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    language::scope::{Saved, Scope},
    model::{
        state::Ending,
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
        let entry = self.open_entry(id, Slots::Fresh);
        self.tell(id, entry.enter(at), Told::Done).await;
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
        let failure = self.failure(table, id, false).await?;
        let entry = self.open_entry(id, Slots::Fresh);
        let told = Told::Failed(&failure);
        self.tell(id, entry.enter(at), told).await;
        Ok(())
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
            let entry = self.entry(&node.work, id, Slots::Kept);
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
            } else if let Some(arm) = self.arm_taken(node, id) {
                if arm.line.hears_of_a_stop() && self.is_at_work(arm.id) {
                    Box::pin(self.stopped_line(arm.at(&*scope), arm.line, arm.id)).await?;
                }
            } else {
                let way = node.work.way(self.run.records()[id].cold());
                let lines = node.work.own_lines(way);
                self.stopped_lines(&*scope, 0, lines, id).await?;
            }
        }
        if let Work::Flow(table) = &node.work
            && table.handlers.stopped
        {
            let failure = self.failure(table, id, true).await?;
            let entry = self.entry(&node.work, id, Slots::Kept);
            let told = Told::Stopped(&failure);
            self.tell(id, entry.enter(at), told).await;
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
