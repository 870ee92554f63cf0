//! Puts the saved values of finished lines in their slots, before a scope is gone on with.

use super::{Kept, Pass, attempt::At, tree::Id};
use crate::{
    error::StepError,
    scope::{Enter, Op, Saved, Scope},
    status::Status,
    table::{Node, Work},
};

/// Why a scope could not be restored: the line, and the reason.
pub(super) type Restored = Result<(), (Id, StepError)>;

impl Pass<'_> {
    /// Restores the finished lines of one scope, and what is below them.
    pub(super) async fn restore(
        self,
        scope: &dyn Scope,
        item: usize,
        nodes: &'static [Node],
        parent: Id,
    ) -> Kept<Restored> {
        let children = self.run.tree()[parent].children();
        for ((line, node), id) in nodes.iter().enumerate().zip(children) {
            let at = At { scope, item, line };
            if let Err(error) = self.restore_line(at, node, id).await? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    async fn restore_line(self, at: At<'_>, node: &'static Node, id: Id) -> Kept<Restored> {
        let (status, output, input, decision) = {
            let tree = self.run.tree();
            let record = &tree[id];
            let rare = record.rare();
            (
                record.status,
                record
                    .output
                    .clone()
                    .or_else(|| rare.info.clone().filter(|_| tree.foreign)),
                rare.input.clone(),
                rare.decision,
            )
        };
        let load = |saved: Saved<'_>| {
            at.scope.load(at.item, at.line, saved).map_err(|e| {
                let error = format!("its saved output can't be read: {e}");
                (id, StepError::fatal(error))
            })
        };
        // A step whose undo is under way, or failed, was done; so was what is in a group.
        let was_done = matches!(
            status,
            Status::Done | Status::Undoing | Status::UndoFailed | Status::Undone
        );
        if !was_done {
            if node.marks.optional && matches!(status, Status::Failed) {
                return Ok(load(Saved::Nothing));
            }
            return Ok(Ok(()));
        }
        match &node.work {
            Work::Step(meta) if meta.volatile => {
                // Its output was not saved: it runs again.
                let cx = self.cx(id, self.run.tree()[id].attempts);
                let run = self.op(at, Op::Run, &cx, meta.policy.timeout).await;
                return Ok(run.map(drop).map_err(|e| (id, e)));
            }
            Work::Step(_) => {
                let Some(text) = output.as_ref().map(crate::json::Json::get) else {
                    return Ok(load(Saved::Output(None)));
                };
                let own = self.run.tree()[id].output.is_some();
                let loaded = load(Saved::Output(Some(text)));
                // What stands in for the output of a foreign state may be nothing of the kind.
                return Ok(if own {
                    loaded
                } else {
                    loaded.or_else(|_| load(Saved::Output(None)))
                });
            }
            Work::Flow(_) if status == Status::Done => {
                let text = output.as_ref().map(crate::json::Json::get);
                return Ok(load(Saved::Output(text)));
            }
            _ if status != Status::Done => return Ok(Ok(())),
            _ => {}
        }
        let cx = self.cx(id, 1);
        let how = Enter {
            input: input.as_ref(),
            decision,
            fresh: true,
        };
        if let Work::Loop { body, .. } = &node.work {
            return self.restore_last_round(at, body, id, how).await;
        }
        let entered = match self.enter(at, how, &cx) {
            Ok(entered) => entered,
            Err(error) => return Ok(Err((id, error))),
        };
        let Some(scope) = entered.scope else {
            return Ok(load(Saved::Nothing));
        };
        let below = Box::pin(self.restore_below(&*scope, node, id)).await?;
        if below.is_ok() {
            scope.close(true);
        }
        Ok(below)
    }

    /// Restores all that is in a line's scope.
    pub(super) async fn restore_below(
        self,
        scope: &dyn Scope,
        node: &'static Node,
        id: Id,
    ) -> Kept<Restored> {
        let decision = self.run.tree()[id].rare().decision;
        let lines = match &node.work {
            Work::Step(_) => return Ok(Ok(())),
            Work::For { body, .. } => {
                let items = self.run.tree()[id].children();
                for (item, id) in items.enumerate() {
                    if let Err(error) = self.restore(scope, item, body, id).await? {
                        return Ok(Err(error));
                    }
                }
                return Ok(Ok(()));
            }
            Work::If { then, otherwise } => {
                if decision == Some(false) {
                    *otherwise
                } else {
                    *then
                }
            }
            work => work.lines(),
        };
        self.restore(scope, 0, lines, id).await
    }

    /// A finished loop's value is its last round; no other is needed.
    async fn restore_last_round(
        self,
        at: At<'_>,
        body: &'static [Node],
        id: Id,
        how: Enter<'_>,
    ) -> Kept<Restored> {
        let last = self.run.tree()[id].rare().rounds.len();
        self.restore_round(at, body, id, last, how).await
    }

    /// Makes one finished round, counted from 1, the round before.
    pub(super) async fn restore_round(
        self,
        at: At<'_>,
        body: &'static [Node],
        id: Id,
        number: usize,
        how: Enter<'_>,
    ) -> Kept<Restored> {
        let Some(index) = number.checked_sub(1) else {
            return Ok(Ok(()));
        };
        let round = self.run.tree()[id].rare().rounds[index];
        let cx = self.cx(round, 1);
        let how = Enter { fresh: true, ..how };
        let scope = match self.enter(at, how, &cx) {
            Ok(entered) => entered.scope,
            Err(error) => return Ok(Err((round, error))),
        };
        let Some(scope) = scope else {
            return Ok(Ok(()));
        };
        let restored = Box::pin(self.restore(&*scope, 0, body, round)).await?;
        if restored.is_ok() {
            let last = self.run.tree()[round].rare().decision == Some(true);
            scope.close(last);
        }
        Ok(restored)
    }
}
