//! The pass forward: runs what can run.

use futures_util::FutureExt;
use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    records::Id,
    requests::Gate,
    user_code::{At, enter},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    language::scope::{Enter, Saved, Scope},
    model::{
        state::FailureCause,
        status::{Event, Status},
        table::{Node, OnFailure, Work},
    },
};

impl<'r> Pass<'r> {
    /// Why something is given up.
    pub(super) fn given_up(self) -> FailureCause {
        if self.run.asked().undoes() {
            FailureCause::UndoRequested
        } else {
            FailureCause::SiblingFailed
        }
    }

    /// In a cancelled region, what has not begun never will.
    pub(super) fn skip_after(self, id: Id, first: Id, count: usize) {
        if !self.run.is_cancelled(id) {
            return;
        }
        let mut tree = self.run.tree();
        for later in id + 1..first + u32::try_from(count).unwrap_or(0) {
            if tree[later].status == Status::Pending {
                tree[later].on(Event::Skip);
                self.run.changed(&tree, later);
            }
        }
    }

    /// Runs one line.
    pub(super) async fn line(
        self,
        at: At<'_>,
        node: &'static Node,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<End> {
        let end = match &node.work {
            Work::Step(meta) => Box::pin(self.step(at, meta, id, now)).await?,
            _ => self.composite(at, node, id, now).await?,
        };
        self.passed_over(at, node, id, end).await
    }

    /// The failure of an optional line is passed over.
    pub(super) async fn passed_over(
        self,
        at: At<'_>,
        node: &'static Node,
        id: Id,
        end: End,
    ) -> Kept<End> {
        if node.marks.optional && end == End::Failed {
            return Box::pin(self.pass_over(at, node, id)).await;
        }
        Ok(end)
    }

    /// An optional line failed: what it did is undone, and the flow goes on without its value.
    async fn pass_over(self, at: At<'_>, node: &'static Node, id: Id) -> Kept<End> {
        let status = self.run.tree()[id].status;
        if status == Status::UndoFailed {
            return Ok(End::Failed);
        }
        if !matches!(node.work, Work::Step(_)) && status != Status::Undone {
            match Box::pin(self.unwind_line(at, node, id)).await? {
                super::Back::Waiting(until) => return Ok(End::Waiting(Some(until))),
                super::Back::Halted => return Ok(End::Waiting(None)),
                super::Back::Failed => return Ok(End::Failed),
                super::Back::Clean | super::Back::Pivot => {}
            }
        }
        match at.scope.load(at.item, at.line, Saved::Nothing) {
            Ok(()) => Ok(End::Done),
            Err(error) => Ok(self.fail(id, &StepError::fatal(error), self.now())),
        }
    }

    /// Runs a line that has a scope of its own.
    fn composite<'b>(
        self,
        at: At<'b>,
        node: &'static Node,
        id: Id,
        now: &'b mut Timestamp,
    ) -> BoxFuture<'b, Kept<End>>
    where
        'r: 'b,
    {
        Box::pin(self.composite_line(at, node, id, now))
    }

    async fn composite_line(
        self,
        at: At<'_>,
        node: &'static Node,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<End> {
        if let Some(end) = self.open(id, *now) {
            return Ok(end);
        }
        if self.run.tree()[id].status == Status::Undoing {
            return self.roll_back(at, node, id).await;
        }
        let end = match self.inside(at, node, id, now).await? {
            Ok(end) => end,
            Err(error) => {
                *now = self.now();
                self.fail(id, &error, *now)
            }
        };
        match end {
            End::Failed => {
                self.fail_group(id, *now);
                if let Work::Flow(table) = node.work
                    && table.on_failure == OnFailure::Undo
                {
                    self.run.change(id, |record| record.on(Event::Undo));
                    return self.roll_back(at, node, id).await;
                }
            }
            End::Interrupted => self.fail_group(id, *now),
            End::Done | End::Waiting(_) => {}
        }
        Ok(end)
    }

    /// A nested flow failed and takes itself back; for the flow around it, it has failed.
    async fn roll_back(self, at: At<'_>, node: &'static Node, id: Id) -> Kept<End> {
        Ok(match Box::pin(self.unwind_line(at, node, id)).await? {
            super::Back::Waiting(until) => End::Waiting(Some(until)),
            super::Back::Halted => End::Waiting(None),
            _ => End::Failed,
        })
    }

    /// Begins a node that has children, or goes on with it. Gives its end where it has ended, or may
    /// not go on.
    pub(super) fn open(self, id: Id, now: Timestamp) -> Option<End> {
        let gate = self.gate(id);
        let mut tree = self.run.tree();
        let record = &mut tree[id];
        match record.status {
            Status::Done => Some(End::Done),
            Status::Pending | Status::Running | Status::Waiting if gate == Gate::Halted => {
                Some(End::Waiting(None))
            }
            Status::Running | Status::Waiting | Status::Undoing => None,
            Status::Pending if gate == Gate::Cancelled => {
                record.on(Event::Skip);
                self.run.changed(&tree, id);
                Some(End::Interrupted)
            }
            Status::Pending => {
                record.begin(now);
                self.run.changed(&tree, id);
                None
            }
            _ => Some(End::Failed),
        }
    }

    /// A node failed because something below it did.
    pub(super) fn fail_group(self, id: Id, now: Timestamp) {
        let mut tree = self.run.tree();
        if tree[id].status == Status::Failed {
            return;
        }
        let errors: Vec<String> = tree
            .below(id)
            .into_iter()
            .filter(|child| !tree[*child].optional && tree[*child].done_at.is_some())
            .filter_map(|child| {
                let error = tree[child].cold().errors.last()?;
                Some(format!("{}: {error}", tree.name(child)))
            })
            .collect();
        let none = errors.is_empty();
        let cold = tree[id].cold_mut();
        cold.errors = errors;
        cold.cause = None;
        if none {
            tree[id].give_up(self.given_up());
        }
        tree[id].fail(now);
        self.run.changed(&tree, id);
    }

    /// Enters the line's scope and runs what is inside.
    async fn inside(
        self,
        at: At<'_>,
        node: &'static Node,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<Result<End, StepError>> {
        if let Work::Loop { body, max } = node.work {
            return self.rounds(at, body, max, id, now).await;
        }
        let cx = self.cx(id, 1);
        let (input, decision) = self.recorded(id);
        let how = Enter {
            input: input.as_ref(),
            decision,
            fresh: false,
            first: false,
        };
        let mut entered = match enter(at, how, &cx) {
            Ok(entered) => entered,
            Err(error) => return Ok(Err(error)),
        };
        let nodes = self.run.tree().len();
        if let Err(error) = self.run.limits.check_entry(&entered, nodes) {
            return Ok(Err(error));
        }
        let lines = self.record_entry(node, id, &mut entered);
        let Some(scope) = entered.scope else {
            return Ok(match at.scope.load(at.item, at.line, Saved::Nothing) {
                Ok(()) => Ok(self.done(id, None, *now)),
                Err(error) => Err(StepError::fatal(error)),
            });
        };
        if let Err(error) = self.load_once(&*scope, node, id).await? {
            return Ok(Err(error));
        }
        let first = self.run.tree()[id].children().start;
        let end = match node.work {
            Work::Parallel(lines) => self.branches(&*scope, lines, id, *now).await?,
            Work::For { body, at_once: 1 } => {
                let items = self.run.tree()[id].children();
                self.items(&*scope, 0, body, items, now).await?
            }
            Work::For { body, at_once } => {
                self.items_at_once(&*scope, body, at_once, id, *now).await?
            }
            _ => self.sequence(&*scope, 0, lines, first, now).await?,
        };
        if matches!(node.work, Work::Parallel(_) | Work::For { .. }) {
            *now = self.now();
        }
        if end != End::Done {
            return Ok(Ok(end));
        }
        self.close(scope, node, id, now).await
    }

    fn recorded(self, id: Id) -> (Option<Json>, Option<bool>) {
        let tree = self.run.tree();
        let cold = tree[id].cold();
        (cold.input.clone(), cold.decision)
    }

    /// Records what entering a scope evaluated, and makes the records below it.
    fn record_entry(
        self,
        node: &'static Node,
        id: Id,
        entered: &mut crate::language::scope::Entered<'_>,
    ) -> &'static [Node] {
        let mut tree = self.run.tree();
        let fresh = entered.input.is_some() || entered.decision.is_some();
        if let Some(input) = entered.input.take() {
            tree[id].cold_mut().input = Some(input);
        }
        if let Some(decision) = entered.decision {
            tree[id].cold_mut().decision = Some(decision);
        }
        if fresh {
            self.run.mark(id);
        }
        if let Some(keys) = entered.keys.take() {
            tree.items(id, keys);
            for item in tree[id].children() {
                self.run.mark(item);
            }
        }
        let lines = match node.work {
            Work::If { otherwise, .. } if entered.decision == Some(false) => otherwise,
            Work::For { .. } => return &[],
            ref work => work.lines(),
        };
        if entered.scope.is_some() {
            tree.lines(id, lines);
        }
        lines
    }

    /// Restores a scope that was read from a saved state, the first time it is entered.
    async fn load_once(
        self,
        scope: &dyn Scope,
        node: &'static Node,
        id: Id,
    ) -> Kept<Result<(), StepError>> {
        if std::mem::replace(&mut self.run.tree()[id].loaded, true) {
            return Ok(Ok(()));
        }
        Ok(self
            .restore_below(scope, node, id)
            .boxed()
            .await?
            .map_err(|(_, error)| error))
    }

    /// Ends a line whose scope is finished.
    async fn close(
        self,
        scope: Box<dyn Scope + '_>,
        node: &'static Node,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<Result<End, StepError>> {
        let saved = if let Work::Flow(_) = node.work {
            if let Some(end) = self.unfinished() {
                return Ok(Ok(end));
            }
            let finished = self.finished(scope.finish()).await?;
            *now = self.now();
            match finished {
                Ok(saved) => saved,
                Err(error) => return Ok(Err(error)),
            }
        } else {
            scope.close(true);
            None
        };
        Ok(Ok(self.done(id, saved, *now)))
    }
}
