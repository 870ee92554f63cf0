//! Runs a line of any kind, and everything in the scope of a group.

use futures_util::FutureExt;
use jiff::Timestamp;

use super::{
    End, Kept, Pass, RollbackEnd,
    enter::{At, OrStop, Slots, Stop},
    gate::Gate,
    loops::{Body, Rounds},
    nested_ends::owe_failed,
    records::Id,
};
use crate::{
    base::{error::StepError, future::BoxFuture},
    language::scope::{Saved, Scope},
    model::{
        state::FailureCause,
        status::{Status, Transition},
        table::{Line, OnFailure, Work},
    },
};

impl<'r> Pass<'r> {
    /// Skips the lines after `id` that have not begun, if `id` is in a cancelled region.
    pub(super) fn skip_after(self, id: Id, first: Id, count: usize) {
        if !self.run.is_cancelled(id) {
            return;
        }
        let now = self.now();
        let mut records = self.run.records();
        for later in id + 1..first + u32::try_from(count).unwrap_or(0) {
            if records[later].status == Status::Pending {
                records[later].skip(now);
                self.run.changed(&records, later);
            }
        }
    }

    /// Runs one line.
    pub(super) async fn line(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<End> {
        let end = match &node.work {
            Work::Step(meta) => Box::pin(self.step(at, meta, id, node.deadline(), now)).await?,
            Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::For { .. }
            | Work::Loop { .. }
            | Work::Flow(_) => self.group(at, node, id, now).await?,
        };
        self.passed_over(at, node, id, end).await
    }

    /// Passes over the failure of an optional line or of one whose failure is caught; leaves any other
    /// end as it is.
    pub(super) async fn passed_over(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
        end: End,
    ) -> Kept<End> {
        if node.marks.passes_over() && end == End::Failed && !self.run.options.looks {
            return Box::pin(self.pass_over(at, node, id)).await;
        }
        Ok(end)
    }

    /// Undoes what a failed line did; the flow goes on without its value, or with its failure.
    async fn pass_over(self, at: At<'_>, node: &'static Line, id: Id) -> Kept<End> {
        let status = self.run.records()[id].status;
        if status == Status::UndoFailed {
            return Ok(self.not_passed_over(id));
        }
        let has_done_something = match &node.work {
            // A step that failed has nothing to take back.
            Work::Step(_) => false,
            Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::For { .. }
            | Work::Loop { .. }
            | Work::Flow(_) => status != Status::Undone,
        };
        if has_done_something {
            match Box::pin(self.roll_back_line(at, node, id)).await? {
                RollbackEnd::Waiting(until) => return Ok(End::Waiting(Some(until))),
                RollbackEnd::Halted => return Ok(End::Waiting(None)),
                RollbackEnd::Failed => return Ok(self.not_passed_over(id)),
                RollbackEnd::Clean | RollbackEnd::Pivot => {}
            }
        }
        let failure = self.run.failure_of(id);
        match at.scope.load(at.item, at.line, Saved::Failed(&failure)) {
            Ok(()) => Ok(End::Done),
            Err(error) => Ok(self.fail(id, &StepError::fatal(error), self.now())),
        }
    }

    /// Records that the failure of such a line counts, because it could not be undone.
    fn not_passed_over(self, id: Id) -> End {
        let mut records = self.run.records();
        records[id].cold_mut().cause = Some(FailureCause::NotPassedOver);
        self.run.committer.mark(id);
        End::Failed
    }

    /// Runs a line that has a scope of its own.
    fn group<'b>(
        self,
        at: At<'b>,
        node: &'static Line,
        id: Id,
        now: &'b mut Timestamp,
    ) -> BoxFuture<'b, Kept<End>>
    where
        'r: 'b,
    {
        Box::pin(self.group_line(at, node, id, now))
    }

    async fn group_line(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<End> {
        if let Some(end) = self.open(id, *now) {
            if end == End::Failed {
                self.owed(at, node, id, now).await?;
            }
            return Ok(end);
        }
        if let Some(end) = self.owed(at, node, id, now).await? {
            return Ok(end);
        }
        if self.run.records()[id].status == Status::Undoing {
            return self.roll_back_flow(at, node, id).await;
        }
        self.keep_time(id, node.deadline());
        let end = match Stop::split(self.inside(at, node, id, now).await)? {
            Ok(end) => end,
            Err((_, error)) => {
                *now = self.now();
                self.fail(id, &error, *now)
            }
        };
        let end = match end {
            End::Failed | End::Interrupted if self.is_late(id) => {
                self.fail_late(id, node.deadline(), *now)
            }
            end => end,
        };
        match end {
            End::Failed => {
                self.fail_group(id, *now);
                let takes_itself_back = match &node.work {
                    Work::Flow(table) => {
                        self.flow_failed(at, table, id).await?;
                        table.on_failure == OnFailure::Undo
                    }
                    Work::Step(_)
                    | Work::Group(_)
                    | Work::Parallel(_)
                    | Work::Race(_)
                    | Work::If { .. }
                    | Work::Match { .. }
                    | Work::For { .. }
                    | Work::Loop { .. } => false,
                };
                if takes_itself_back {
                    self.run.change(id, |record| {
                        owe_failed(record, node);
                        record.on(Transition::Undo);
                    });
                    return self.roll_back_flow(at, node, id).await;
                }
            }
            End::Interrupted => self.fail_group(id, *now),
            End::Done | End::Waiting(_) => {}
        }
        Ok(end)
    }

    /// Rolls back a nested flow that failed. For the outer flow, the line has failed.
    async fn roll_back_flow(self, at: At<'_>, node: &'static Line, id: Id) -> Kept<End> {
        Ok(match Box::pin(self.roll_back_line(at, node, id)).await? {
            RollbackEnd::Waiting(until) => End::Waiting(Some(until)),
            RollbackEnd::Halted => End::Waiting(None),
            RollbackEnd::Clean | RollbackEnd::Pivot | RollbackEnd::Failed => End::Failed,
        })
    }

    /// Begins a node that has children, or goes on with it. Returns its end if the node has ended
    /// or may not go on.
    pub(super) fn open(self, id: Id, now: Timestamp) -> Option<End> {
        let gate = self.gate_to(id);
        let mut records = self.run.records();
        let record = &mut records[id];
        match record.status {
            Status::Done => Some(End::Done),
            Status::Pending | Status::Running | Status::Waiting if gate == Gate::Halted => {
                Some(End::Waiting(None))
            }
            Status::Running | Status::Waiting | Status::Undoing => None,
            Status::Pending if gate == Gate::Cancelled => {
                record.on(Transition::Skip);
                self.run.changed(&records, id);
                Some(End::Interrupted)
            }
            Status::Pending => {
                record.begin(now);
                self.run.changed(&records, id);
                None
            }
            _ => Some(End::Failed),
        }
    }

    /// Enters the line's scope and runs everything in it.
    async fn inside(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
        now: &mut Timestamp,
    ) -> OrStop<End> {
        match node.work {
            Work::Loop {
                body,
                max,
                keep,
                prev,
            } => {
                let limits = Rounds { max, keep };
                self.rounds(at, Body { lines: body, prev }, limits, id, now)
                    .await
            }
            Work::Step(_)
            | Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::For { .. }
            | Work::Flow(_) => self.inside_scope(at, node, id, now).await,
        }
    }

    /// Enters the one scope of a line that is no `loop`, and runs everything in it.
    async fn inside_scope(
        self,
        at: At<'_>,
        node: &'static Line,
        id: Id,
        now: &mut Timestamp,
    ) -> OrStop<End> {
        let failed = |error| Stop::Node(id, error);
        let entry = self.entry(&node.work, id, Slots::Kept);
        let mut entered = entry.enter(at).map_err(failed)?;
        (self.run.options.limits.check_entry(&entered)).map_err(failed)?;
        let lines = (self.record_entry(node, id, &mut entered)).map_err(failed)?;
        let Some(scope) = entered.scope else {
            let loaded = at.scope.load(at.item, at.line, Saved::Nothing);
            loaded.map_err(|error| failed(StepError::fatal(error)))?;
            return Ok(self.done(id, None, *now));
        };
        self.load_once(&*scope, node, id).await?;
        let first = self.run.records()[id].children().start;
        let end = match node.work {
            Work::Parallel(lines) => {
                let end = self.branches(&*scope, lines, id, *now).await?;
                *now = self.now();
                end
            }
            Work::Race(lines) => {
                let end = self.race(&*scope, lines, id, *now).await?;
                *now = self.now();
                end
            }
            Work::For { body, at_once, .. } => {
                let end = match entered.at_once.unwrap_or(at_once) {
                    1 => {
                        let items = self.run.records()[id].children();
                        self.items(&*scope, 0, body, items, now).await?
                    }
                    most => self.items_at_once(&*scope, body, most, id, *now).await?,
                };
                *now = self.now();
                end
            }
            Work::Step(_)
            | Work::Group(_)
            | Work::If { .. }
            | Work::Loop { .. }
            | Work::Flow(_) => self.sequence(&*scope, 0, lines, first, now).await?,
            Work::Match { .. } => self.arm(&*scope, node, id, now).await?,
        };
        if end != End::Done {
            return Ok(end);
        }
        if self.is_late(id) {
            return Ok(End::Interrupted);
        }
        self.close(scope, at, node, id, now).await
    }

    /// Records the values that entering a scope evaluated, and makes the records below it; records
    /// nothing if they are too many.
    fn record_entry(
        self,
        node: &'static Line,
        id: Id,
        entered: &mut crate::language::scope::Entered<'_>,
    ) -> Result<&'static [Line], StepError> {
        let mut records = self.run.records();
        let lines = node.work.own_lines(entered.way);
        records[id].runs_at_once(entered.at_once);
        if let Some(keys) = entered.keys.take() {
            records.items(id, keys)?;
            for item in records[id].children() {
                self.run.committer.mark(item);
            }
        }
        if entered.scope.is_some() {
            records.lines(id, lines)?;
        }
        let fresh = entered.input.is_some() || entered.way.is_known();
        if let Some(input) = entered.input.take() {
            records[id].cold_mut().input = Some(input);
        }
        if let Some(decision) = entered.way.branch {
            records[id].cold_mut().decision = Some(decision);
        }
        if entered.way.arm.is_some()
            && let Some(arm) = lines.first()
        {
            records[id].cold_mut().chosen = Some(arm.name.into());
        }
        if fresh {
            self.run.committer.mark(id);
        }
        Ok(lines)
    }

    /// Restores a scope that was read from a saved state, the first time it is entered.
    async fn load_once(self, scope: &dyn Scope, node: &'static Line, id: Id) -> OrStop {
        if std::mem::replace(&mut self.run.records()[id].loaded, true) {
            return Ok(());
        }
        self.restore_below(scope, node, id).boxed().await
    }

    /// Ends a line, after everything in its scope is done.
    async fn close(
        self,
        scope: Box<dyn Scope + '_>,
        at: At<'_>,
        node: &'static Line,
        id: Id,
        now: &mut Timestamp,
    ) -> OrStop<End> {
        match &node.work {
            Work::Flow(table) => {
                if let Some(end) = self.interrupted_at_end() {
                    return Ok(end);
                }
                let finished = self.finished(scope.finish()).await?;
                *now = self.now();
                let failed = |error| Stop::Node(id, error);
                let saved = finished.map_err(failed)?;
                let limits = &self.run.options.limits;
                limits.check("output", saved.as_ref()).map_err(failed)?;
                Ok(self.flow_done(at, table, id, saved, now).await?)
            }
            Work::Step(_)
            | Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::For { .. }
            | Work::Loop { .. } => {
                scope.close(true);
                Ok(self.done(id, None, *now))
            }
        }
    }
}
