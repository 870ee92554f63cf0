//! The pass back: undoes what was done, last first, and the branches of a `parallel` concurrently.
//!
//! A rollback works on restored scopes, so it is the same in the process that failed and in another
//! one after a crash. A scope that is still in memory is used as it is: it may hold the output of a
//! volatile step, which is not saved.

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{
    End, Kept, Pass, RollbackEnd,
    data_flow::Queue,
    enter::{At, OrStop, Slots, Stop},
    loops::Body,
    nested_ends::owe_failed,
    records::{Id, nth},
};
use crate::{
    base::{error::StepError, future::BoxFuture},
    language::scope::Scope,
    model::{
        status::{Status, Transition},
        table::{Line, Work, undoes_by_prev},
    },
};

impl<'r> Pass<'r> {
    /// Undoes lines of a restored scope, the one that began last first.
    pub(super) async fn roll_back_lines(
        self,
        scope: &dyn Scope,
        item: usize,
        nodes: &'static [Line],
        parent: Id,
    ) -> Kept<RollbackEnd> {
        let (first, order) = {
            let records = self.run.records();
            let children = records[parent].children();
            let order = if children.is_empty() {
                Vec::new()
            } else {
                records.in_order(children.start, nodes)
            };
            (children.start, order)
        };
        for line in order.into_iter().rev() {
            let (node, id) = (&nodes[line], nth(first, line));
            let end = self
                .roll_back_to_pivot(At { scope, item, line }, node, id)
                .await?;
            if end != RollbackEnd::Clean {
                return Ok(end);
            }
        }
        Ok(RollbackEnd::Clean)
    }

    /// Undoes one line, unless it is a pivot that is done.
    pub(super) async fn roll_back_to_pivot(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
    ) -> Kept<RollbackEnd> {
        if node.marks.pivot && self.run.records()[id].status == Status::Done {
            return Ok(RollbackEnd::Pivot);
        }
        self.roll_back_line(at, node, id).await
    }

    /// Undoes one line.
    pub(super) async fn roll_back_line(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
    ) -> Kept<RollbackEnd> {
        match &node.work {
            Work::Step(meta) => self.undo(at, meta, id).await,
            Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::For { .. }
            | Work::Loop { .. }
            | Work::Flow(_) => self.roll_back_group(at, node, id).await,
        }
    }

    /// Undoes everything in a line's scope.
    fn roll_back_group<'b>(
        self,
        at: At<'b>,
        node: &'static Line,
        id: Id,
    ) -> BoxFuture<'b, Kept<RollbackEnd>>
    where
        'r: 'b,
    {
        Box::pin(async move {
            if let Some(end) = self.begin_rollback(id, Some(node)) {
                if let Work::Flow(table) = &node.work {
                    self.tell_failed(at, table, id).await?;
                }
                // A pivot in a nested flow counts only there.
                return Ok(own_pivot(node, end));
            }
            let end = match Stop::split(self.roll_back_inside(at, node, id).await)? {
                Ok(end) => end,
                Err((line, error)) => {
                    self.refuse(line, &error);
                    RollbackEnd::Failed
                }
            };
            if self.end_rollback(id, end)
                && let Work::Flow(table) = &node.work
            {
                self.tell_failed(at, table, id).await?;
            }
            Ok(own_pivot(node, end))
        })
    }

    /// Begins the rollback of a group, an item or a round, or goes on with it. Returns its end if
    /// the rollback has ended or may not go on.
    fn begin_rollback(self, id: Id, node: Option<&'static Line>) -> Option<RollbackEnd> {
        let mut records = self.run.records();
        match records[id].status {
            Status::Undone if records.is_past_pivot(id) => Some(RollbackEnd::Pivot),
            Status::Pending | Status::Skipped | Status::Undone => Some(RollbackEnd::Clean),
            Status::UndoFailed => Some(RollbackEnd::Failed),
            // Who only looks goes where the rollback pauses.
            status
                if self.is_suspended()
                    && !(self.run.options.looks && status == Status::Undoing) =>
            {
                Some(RollbackEnd::Halted)
            }
            Status::Undoing => {
                self.run.changed(&records, id);
                None
            }
            _ => {
                if let Some(node) = node {
                    owe_failed(&mut records[id], node);
                }
                records[id].on(Transition::Undo);
                self.run.changed(&records, id);
                None
            }
        }
    }

    /// Records how the rollback of a group, an item or a round ended, if it has ended, and returns
    /// whether it has.
    fn end_rollback(self, id: Id, end: RollbackEnd) -> bool {
        let transition = match end {
            RollbackEnd::Waiting(_) | RollbackEnd::Halted => return false,
            RollbackEnd::Clean | RollbackEnd::Pivot => Transition::UndoFinish,
            RollbackEnd::Failed => Transition::UndoFail,
        };
        // For a node that could not be entered, `refuse` has already recorded the failure.
        if self.run.records()[id].status != Status::UndoFailed {
            self.run.change(id, |record| record.on(transition));
        }
        true
    }

    /// Records that a line can't be undone, because its scope can't be restored.
    pub(super) fn refuse(self, id: Id, error: &StepError) {
        self.run.failures.keep(id, error);
        let now = self.now();
        self.run.change(id, |record| {
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.err = error.text();
            undo.done_at = Some(now);
            match record.status {
                Status::Pending | Status::Skipped | Status::Undone | Status::UndoFailed => {}
                Status::Undoing => record.on(Transition::UndoFail),
                _ => {
                    record.on(Transition::Undo);
                    record.on(Transition::UndoFail);
                }
            }
        });
    }

    async fn roll_back_inside(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
    ) -> OrStop<RollbackEnd> {
        if let Work::Loop { body, prev, .. } = &node.work {
            let body = Body { lines: body, prev };
            return self.roll_back_rounds(at, body, id).await;
        }
        if self.run.records()[id].children().is_empty() {
            return Ok(RollbackEnd::Clean);
        }
        let entry = self.entry(&node.work, id, Slots::Kept);
        let Some(scope) = entry.scope(at)? else {
            return Ok(RollbackEnd::Clean);
        };
        let scope = &*scope;
        self.restore_below(scope, node, id).await?;
        let children = self.run.records()[id].children();
        let end = match &node.work {
            Work::Parallel(lines) | Work::Race(lines) => {
                self.roll_back_at_once(Queue::back(lines), |line| {
                    let at = At {
                        scope,
                        item: 0,
                        line,
                    };
                    let id = nth(children.start, line);
                    Box::pin(self.roll_back_to_pivot(at, &lines[line], id))
                })
                .await?
            }
            Work::For { body, .. } if !self.run.records()[id].at_once => {
                let mut end = RollbackEnd::Clean;
                for (item, id) in children.enumerate().rev() {
                    end = self.roll_back_item(scope, item, body, id).await?;
                    if end != RollbackEnd::Clean {
                        break;
                    }
                }
                end
            }
            Work::For { body, .. } => {
                self.roll_back_at_once(Queue::of_items(children.len()), |item| {
                    let id = nth(children.start, item);
                    Box::pin(self.roll_back_item(scope, item, body, id))
                })
                .await?
            }
            Work::Match { .. } => self.roll_back_arm(scope, node, id).await?,
            Work::Step(_)
            | Work::Group(_)
            | Work::If { .. }
            | Work::Loop { .. }
            | Work::Flow(_) => {
                let way = node.work.way(self.run.records()[id].cold());
                let lines = node.work.own_lines(way);
                self.roll_back_lines(scope, 0, lines, id).await?
            }
        };
        Ok(end)
    }

    /// Undoes an item or a round: a record with lines below it.
    async fn roll_back_item(
        self,
        scope: &dyn Scope,
        item: usize,
        body: &'static [Line],
        id: Id,
    ) -> Kept<RollbackEnd> {
        if let Some(end) = self.begin_rollback(id, None) {
            return Ok(end);
        }
        let end = self.roll_back_lines(scope, item, body, id).await?;
        self.end_rollback(id, end);
        Ok(end)
    }

    async fn roll_back_rounds(self, at: At<'_>, body: Body, id: Id) -> OrStop<RollbackEnd> {
        self.bring_back(id, body.lines).await?;
        let (rounds, let_go, mut in_memory) = {
            let records = self.run.records();
            let rounds = records[id].cold().rounds.clone();
            let open = rounds
                .last()
                .filter(|last| records[**last].done_at.is_none());
            let in_memory = open.copied().filter(|_| records[id].loaded);
            (rounds, records[id].cold().let_go, in_memory)
        };
        // Where rounds were let go, the rollback ends, as at a pivot.
        let clean = if let_go == 0 {
            RollbackEnd::Clean
        } else {
            RollbackEnd::Pivot
        };
        for (index, round) in rounds.into_iter().enumerate().rev() {
            {
                let records = self.run.records();
                match records[round].status {
                    Status::Undone if records.is_past_pivot(round) => {
                        return Ok(RollbackEnd::Pivot);
                    }
                    Status::Pending | Status::Skipped | Status::Undone => continue,
                    _ if index == 0 && let_go > 0 && undoes_by_prev(body.lines, body.prev) => {
                        return Ok(RollbackEnd::Pivot);
                    }
                    _ => {}
                }
            }
            let slots = if in_memory.take() == Some(round) {
                Slots::Kept
            } else {
                // The round's arguments may use the round before.
                self.restore_round(at, body, id, let_go + index).await?;
                Slots::Fresh
            };
            let entry = self.round_entry(round, slots, index == 0);
            let Some(scope) = entry.scope(at)? else {
                continue;
            };
            self.restore(&*scope, 0, body.lines, round).await?;
            let end = self.roll_back_item(&*scope, 0, body.lines, round);
            let end = end.await?;
            if end != RollbackEnd::Clean {
                return Ok(end);
            }
        }
        Ok(clean)
    }

    /// Undoes branches concurrently, each when those are undone that used its value. A failure does
    /// not stop the other branches; each failure is recorded.
    pub(super) async fn roll_back_at_once<F: Future<Output = Kept<RollbackEnd>> + Send>(
        self,
        mut queue: Queue,
        branch: impl Fn(usize) -> F,
    ) -> Kept<RollbackEnd> {
        let _region = self.run.committer.enter_parallel();
        let mut running = FuturesUnordered::new();
        let mut worst = RollbackEnd::Clean;
        loop {
            while let Some(next) = queue.next() {
                let undone = branch(next.line);
                // Each branch commits its last record itself, as in a forward pass.
                running.push(async move {
                    let end = undone.await?;
                    self.run.commit().await?;
                    Ok((next.line, end))
                });
            }
            let Some(ended) = running.next().await else {
                return Ok(worst);
            };
            let (line, end) = ended?;
            worst = worse(worst, end);
            // What a line used stays for as long as the line does.
            if end == RollbackEnd::Clean {
                queue.ended(line, End::Done);
            }
        }
    }
}

/// Returns what the end of a line's rollback means for the lines before it: a pivot in a nested
/// flow counts only there.
fn own_pivot(node: &Line, end: RollbackEnd) -> RollbackEnd {
    match &node.work {
        Work::Flow(_) if end == RollbackEnd::Pivot => RollbackEnd::Clean,
        Work::Step(_)
        | Work::Group(_)
        | Work::Parallel(_)
        | Work::Race(_)
        | Work::If { .. }
        | Work::Match { .. }
        | Work::For { .. }
        | Work::Loop { .. }
        | Work::Flow(_) => end,
    }
}

/// Returns the worse of two ends. Waiting is worse than failure, because attempts that are still
/// due are made before the failure ends the rollback.
fn worse(a: RollbackEnd, b: RollbackEnd) -> RollbackEnd {
    use RollbackEnd::{Clean, Failed, Halted, Pivot, Waiting};
    match (a, b) {
        (Halted, _) | (_, Halted) => Halted,
        (Waiting(a), Waiting(b)) => Waiting(a.sooner(b)),
        (Waiting(at), _) | (_, Waiting(at)) => Waiting(at),
        (Failed, _) | (_, Failed) => Failed,
        (Pivot, _) | (_, Pivot) => Pivot,
        (Clean, Clean) => Clean,
    }
}
