//! Puts the saved values of finished lines in their slots, before a scope is gone on with.

use super::{
    Kept, Pass,
    records::Id,
    user_code::{At, call, enter, pause},
};
use crate::{
    base::{clock, error::StepError},
    language::scope::{Answer, Enter, Op, Saved, Scope},
    model::{
        state::Until,
        status::Status,
        table::{Node, StepMeta, Work},
    },
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
            let cold = record.cold();
            (
                record.status,
                record
                    .output
                    .clone()
                    .or_else(|| cold.info.clone().filter(|_| tree.foreign)),
                cold.input.clone(),
                cold.decision,
            )
        };
        let load = |saved: Saved<'_>| {
            let load = || {
                at.scope
                    .load(at.item, at.line, saved)
                    .map_err(|e| StepError::fatal(format!("its saved output can't be read: {e}")))
            };
            call(load).map_err(|error| (id, error))
        };
        // What failed and was passed over has no value. A group was undone for that.
        if node.marks.optional && matches!(status, Status::Failed | Status::Undone) {
            return Ok(load(Saved::Nothing));
        }
        let composite = !matches!(node.work, Work::Step(_));
        if composite && status == Status::Running {
            return Box::pin(self.restore_begun(at, node, id)).await;
        }
        // A step whose undo is under way, or failed, was done. What is undone nobody asks for
        // any more: what could name it was undone before.
        if !matches!(status, Status::Done | Status::Undoing | Status::UndoFailed) {
            return Ok(Ok(()));
        }
        match &node.work {
            Work::Step(meta) if meta.volatile => {
                return self.run_again(at, meta, id).await;
            }
            Work::Step(_) => {
                let Some(text) = output.as_ref().map(crate::base::json::Json::get) else {
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
                let text = output.as_ref().map(crate::base::json::Json::get);
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
            first: false,
        };
        if let Work::Loop { body, .. } = &node.work {
            return self.restore_last_round(at, body, id, how).await;
        }
        let entered = match enter(at, how, &cx) {
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

    /// A volatile step's output was not saved: the step runs again, by its policy.
    async fn run_again(self, at: At<'_>, meta: &'static StepMeta, id: Id) -> Kept<Restored> {
        let (mut failures, mut polls) = (0, 0);
        loop {
            let attempt = self.run.tree()[id].attempts;
            let cx = self.cx(id, attempt);
            let due = match self.op(at, Op::Run, &cx, meta.policy.timeout).await {
                Ok(Answer::Done(_)) => return Ok(Ok(())),
                Ok(Answer::Wait(Until::Time(time))) => time,
                Ok(_) => {
                    polls += 1;
                    match meta.policy.poll {
                        Some(poll) if poll.times == 0 || polls < poll.times => {
                            clock::add(self.now(), poll.every)
                        }
                        _ => {
                            let error = "it is volatile and ran again, and was not ready";
                            return Ok(Err((id, StepError::fatal(error))));
                        }
                    }
                }
                Err(error) => {
                    failures += 1;
                    match pause(meta.policy.retry.as_ref(), &error, failures) {
                        Some(pause) => clock::add(self.now(), pause),
                        None => return Ok(Err((id, error))),
                    }
                }
            };
            self.run.clock.sleep_until(due).await;
        }
    }

    /// Restores what is finished in a scope that a pass was in the middle of. The values stay in
    /// the scope's cell until the pass comes to it.
    async fn restore_begun(self, at: At<'_>, node: &'static Node, id: Id) -> Kept<Restored> {
        let (input, decision) = {
            let tree = self.run.tree();
            let cold = tree[id].cold();
            (cold.input.clone(), cold.decision)
        };
        let recorded = match &node.work {
            Work::If { .. } => decision.is_some(),
            Work::For { .. } | Work::Flow(_) => input.is_some(),
            _ => true,
        };
        if !recorded {
            return Ok(Ok(()));
        }
        if let Work::Loop { body, .. } = &node.work {
            return self.restore_rounds(at, body, id).await;
        }
        let cx = self.cx(id, 1);
        let how = Enter {
            input: input.as_ref(),
            decision,
            fresh: true,
            first: false,
        };
        let entered = match enter(at, how, &cx) {
            Ok(entered) => entered,
            Err(error) => return Ok(Err((id, error))),
        };
        let Some(scope) = entered.scope else {
            return Ok(Ok(()));
        };
        self.run.tree()[id].loaded = true;
        self.restore_below(&*scope, node, id).await
    }

    /// Restores the finished rounds of a loop that a pass was in the middle of, as far as the next
    /// one may name them, and what is finished in the round that had begun.
    async fn restore_rounds(self, at: At<'_>, body: &'static [Node], id: Id) -> Kept<Restored> {
        let (done, begun) = {
            let mut tree = self.run.tree();
            tree[id].loaded = true;
            let rounds = tree[id].cold().rounds.clone();
            let done = rounds
                .iter()
                .filter(|round| tree[**round].status == Status::Done)
                .count();
            let begun = rounds.get(done).copied();
            (done, begun.filter(|id| tree[*id].status == Status::Running))
        };
        let how = Enter::default();
        if let Err(error) = self.restore_round(at, body, id, done, how).await? {
            return Ok(Err(error));
        }
        let Some(round) = begun else {
            return Ok(Ok(()));
        };
        let cx = self.cx(round, 1);
        let how = Enter {
            fresh: true,
            first: done == 0,
            ..how
        };
        let scope = match enter(at, how, &cx) {
            Ok(entered) => entered.scope,
            Err(error) => return Ok(Err((round, error))),
        };
        self.run.tree()[round].loaded = true;
        match scope {
            Some(scope) => Box::pin(self.restore(&*scope, 0, body, round)).await,
            None => Ok(Ok(())),
        }
    }

    /// Restores all that is in a line's scope.
    pub(super) async fn restore_below(
        self,
        scope: &dyn Scope,
        node: &'static Node,
        id: Id,
    ) -> Kept<Restored> {
        let decision = self.run.tree()[id].cold().decision;
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
        let last = self.run.tree()[id].cold().rounds.len();
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
        // What is evaluated again while a round is restored may name the round before it.
        let first = if asks_prev(body) { 1 } else { number };
        for each in first.max(1)..=number {
            let how = Enter {
                fresh: true,
                first: each == first,
                ..how
            };
            let restored = self.restore_one_round(at, body, id, each - 1, how).await?;
            if restored.is_err() {
                return Ok(restored);
            }
        }
        Ok(Ok(()))
    }

    async fn restore_one_round(
        self,
        at: At<'_>,
        body: &'static [Node],
        id: Id,
        index: usize,
        how: Enter<'_>,
    ) -> Kept<Restored> {
        let round = self.run.tree()[id].cold().rounds[index];
        let cx = self.cx(round, 1);
        let scope = match enter(at, how, &cx) {
            Ok(entered) => entered.scope,
            Err(error) => return Ok(Err((round, error))),
        };
        let Some(scope) = scope else {
            return Ok(Ok(()));
        };
        let restored = Box::pin(self.restore(&*scope, 0, body, round)).await?;
        if restored.is_ok() {
            let last = self.run.tree()[round].cold().decision == Some(true);
            scope.close(last);
        }
        Ok(restored)
    }
}

/// Whether restoring a round with these lines evaluates anything of the user's: then it may need
/// the round before.
fn asks_prev(lines: &[Node]) -> bool {
    lines.iter().any(|node| match &node.work {
        Work::Step(meta) => meta.volatile,
        Work::If { .. } | Work::For { .. } | Work::Flow(_) => true,
        work => asks_prev(work.lines()),
    })
}
