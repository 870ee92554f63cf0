//! Loads the saved values of finished lines into their slots, before a pass goes on with a scope.

use super::{
    Pass,
    enter::{At, OrStop, Slots, Stop},
    loops::Body,
    records::Id,
    retry::pause,
    user_code::call,
};
use crate::{
    base::{error::StepError, json::Json},
    language::scope::{Answer, Op, Saved, Scope},
    model::{
        state::Until,
        status::Status,
        table::{Line, StepMeta, Work, asks_prev},
    },
};

impl Pass<'_> {
    /// Restores the finished lines of one scope, and everything below them.
    pub(super) async fn restore(
        self,
        scope: &dyn Scope,
        item: usize,
        nodes: &'static [Line],
        parent: Id,
    ) -> OrStop {
        let children = self.run.records()[parent].children();
        for ((line, node), id) in nodes.iter().enumerate().zip(children) {
            self.restore_line(At { scope, item, line }, node, id)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn restore_line(self, at: At<'_>, node: &'static Line, id: Id) -> OrStop {
        let status = self.run.records()[id].status;
        // The value of a line whose failure was passed over. If it is a group, it was undone.
        if node.marks.passes_over() && matches!(status, Status::Failed | Status::Undone) {
            let failure = self.run.failure_of(id);
            return load(at, id, Saved::Failed(&failure));
        }
        match status {
            Status::Done if self.is_over(node, id) => Ok(()),
            Status::Done => self.restore_done(at, node, id).await,
            // A step with an error was taken back at once, and no output of it was recorded.
            Status::Undoing | Status::UndoFailed
                if !self.run.records()[id].cold().errors.is_empty() =>
            {
                Ok(())
            }
            // Any other whose undo has begun was done before.
            Status::Undoing | Status::UndoFailed => match &node.work {
                Work::Step(meta) => self.restore_step(at, meta, id).await,
                Work::Group(_)
                | Work::Parallel(_)
                | Work::Race(_)
                | Work::If { .. }
                | Work::Match { .. }
                | Work::For { .. }
                | Work::Loop { .. }
                | Work::Flow(_) => Ok(()),
            },
            Status::Running => match &node.work {
                Work::Step(_) => Ok(()),
                Work::Group(_)
                | Work::Parallel(_)
                | Work::Race(_)
                | Work::If { .. }
                | Work::Match { .. }
                | Work::For { .. }
                | Work::Loop { .. }
                | Work::Flow(_) => Box::pin(self.restore_begun(at, node, id)).await,
            },
            // The value of an undone line is not needed: every line that could use it was undone
            // before.
            Status::Pending
            | Status::Waiting
            | Status::Failed
            | Status::Skipped
            | Status::Undone
            | Status::Stuck
            | Status::Stopped => Ok(()),
        }
    }

    /// Restores the value of a line that is done.
    async fn restore_done(self, at: At<'_>, node: &'static Line, id: Id) -> OrStop {
        match &node.work {
            Work::Step(meta) => self.restore_step(at, meta, id).await,
            Work::Flow(_) => {
                let output = self.run.records()[id].output.clone();
                load(at, id, Saved::Output(output.as_ref().map(Json::get)))
            }
            // The value of a finished loop is its last round; the others are not needed.
            Work::Loop { body, prev, .. } => {
                let rounds = self.run.records().rounds_begun(id);
                let body = Body { lines: body, prev };
                self.restore_round(at, body, id, rounds).await
            }
            Work::Race(lines) => self.restore_race(at, lines, id).await,
            Work::Group(_)
            | Work::Parallel(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::For { .. } => {
                let entry = self.entry(&node.work, id, Slots::Fresh);
                let Some(scope) = entry.scope(at)? else {
                    return load(at, id, Saved::Nothing);
                };
                Box::pin(self.restore_below(&*scope, node, id)).await?;
                scope.close(true);
                Ok(())
            }
        }
    }

    /// Restores the output of a step that is or was done.
    async fn restore_step(self, at: At<'_>, meta: &'static StepMeta, id: Id) -> OrStop {
        if !self.run.records().is_saved(id, meta) {
            return self.run_again(at, meta, id).await;
        }
        let (output, stand_in) = {
            let records = self.run.records();
            let info = records[id].cold().info.as_ref();
            let stand_in = info.filter(|_| records.foreign).cloned();
            (records[id].output.clone(), stand_in)
        };
        match (output, stand_in) {
            (Some(output), _) => load(at, id, Saved::Output(Some(output.get()))),
            // In a foreign state, the `info` that stands for the output may be something else.
            (None, Some(info)) => load(at, id, Saved::Output(Some(info.get())))
                .or_else(|_| load(at, id, Saved::Output(None))),
            (None, None) => load(at, id, Saved::Output(None)),
        }
    }

    /// Runs a volatile step again, by its policy, because its output was not saved; unless it is
    /// still in memory.
    ///
    /// In a forward pass, such a step is pending again and runs as any other: see
    /// [`Records::run_volatile_again`](super::records::Records::run_volatile_again). Here it runs
    /// for its undo, or for what is undone after it.
    async fn run_again(self, at: At<'_>, meta: &'static StepMeta, id: Id) -> OrStop {
        let cx = self.cx(id, self.run.records()[id].attempts);
        if let Ok(Answer::Done(_)) = self.op(at, Op::Held, &cx, None).await {
            return Ok(());
        }
        let (mut failures, mut polls) = (0, 0);
        loop {
            let attempt = self.run.records()[id].attempts;
            let cx = self.cx(id, attempt);
            let clock = &self.run.options.clock;
            let due = match self
                .op(at, Op::Run(usize::MAX), &cx, meta.policy.timeout)
                .await
            {
                Ok(Answer::Done(_)) => return Ok(()),
                Ok(Answer::Wait(Until::Time(time))) => {
                    self.run.deadline(&self.run.records()[id], time).moment
                }
                Ok(_) => {
                    polls += 1;
                    match meta.policy.poll {
                        Some(poll) if poll.times == 0 || polls < poll.times => {
                            clock.moment().after(poll.every)
                        }
                        _ => {
                            let error = "it is volatile and ran again, and was not ready";
                            return Err(Stop::Node(id, StepError::fatal(error)));
                        }
                    }
                }
                Err(error) => {
                    failures += 1;
                    match pause(meta.policy.retry.as_ref(), &error, failures) {
                        Some(pause) => clock.moment().after(pause),
                        None => return Err(Stop::Node(id, error)),
                    }
                }
            };
            clock.sleep_until(due).await;
        }
    }

    /// Restores the finished lines of a scope that an earlier pass had begun. The values stay in
    /// the scope's cell until the pass enters it.
    async fn restore_begun(self, at: At<'_>, node: &'static Line, id: Id) -> OrStop {
        let is_entered = {
            let records = self.run.records();
            let cold = records[id].cold();
            match &node.work {
                Work::If { .. } => cold.decision.is_some(),
                Work::Match { .. } => cold.chosen.is_some(),
                Work::For { .. } | Work::Flow(_) => cold.input.is_some(),
                Work::Step(_)
                | Work::Group(_)
                | Work::Parallel(_)
                | Work::Race(_)
                | Work::Loop { .. } => true,
            }
        };
        if !is_entered {
            return Ok(());
        }
        match &node.work {
            Work::Loop { body, prev, .. } => {
                let body = Body { lines: body, prev };
                self.restore_rounds(at, body, id).await
            }
            Work::Step(_)
            | Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::For { .. }
            | Work::Flow(_) => {
                let entry = self.entry(&node.work, id, Slots::Fresh);
                let Some(scope) = entry.scope(at)? else {
                    return Ok(());
                };
                self.run.records()[id].loaded = true;
                self.restore_below(&*scope, node, id).await
            }
        }
    }

    /// Restores a loop that an earlier pass had begun: the finished rounds that the next round may
    /// use, and the finished lines of the round that had begun.
    async fn restore_rounds(self, at: At<'_>, body: Body, id: Id) -> OrStop {
        let (done, begun) = {
            let mut records = self.run.records();
            records[id].loaded = true;
            let done = records.rounds_done(id);
            let begun = records.round_of(id, done + 1);
            (
                done,
                begun.filter(|id| records[*id].status == Status::Running),
            )
        };
        self.restore_round(at, body, id, done).await?;
        let Some(round) = begun else {
            return Ok(());
        };
        let entry = self.round_entry(round, Slots::Fresh, done == 0);
        let scope = entry.scope(at)?;
        self.run.records()[round].loaded = true;
        match scope {
            Some(scope) => Box::pin(self.restore(&*scope, 0, body.lines, round)).await,
            None => Ok(()),
        }
    }

    /// Restores everything in a line's scope.
    pub(super) async fn restore_below(
        self,
        scope: &dyn Scope,
        node: &'static Line,
        id: Id,
    ) -> OrStop {
        match &node.work {
            Work::For { body, .. } => {
                let items = self.run.records()[id].children();
                for (item, id) in items.enumerate() {
                    self.restore(scope, item, body, id).await?;
                }
                Ok(())
            }
            Work::Match { .. } => self.restore_arm(scope, node, id).await,
            Work::Step(_)
            | Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Loop { .. }
            | Work::Flow(_) => {
                let way = node.work.way(self.run.records()[id].cold());
                let lines = node.work.own_lines(way);
                self.restore(scope, 0, lines, id).await
            }
        }
    }

    /// Restores the finished round `number`, counted from 1, as the previous round; nothing if it
    /// is 0.
    pub(super) async fn restore_round(
        self,
        at: At<'_>,
        body: Body,
        id: Id,
        number: usize,
    ) -> OrStop {
        // Expressions that are evaluated again while a round is restored may use the round before.
        let asks = asks_prev(body.lines, body.prev);
        let first = if asks { 1 } else { number };
        for each in first.max(1)..=number {
            let Some(round) = self.run.records().round_of(id, each) else {
                continue;
            };
            let entry = self.round_entry(round, Slots::Fresh, each == first);
            let Some(scope) = entry.scope(at)? else {
                continue;
            };
            Box::pin(self.restore(&*scope, 0, body.lines, round)).await?;
            let last = self.run.records()[round].cold().decision == Some(true);
            scope.close(last);
        }
        Ok(())
    }
}

/// Loads a saved value into a line's slot.
fn load(at: At<'_>, id: Id, saved: Saved<'_>) -> OrStop {
    let load = || {
        let loaded = at.scope.load(at.item, at.line, saved);
        loaded.map_err(|e| StepError::fatal(format!("its saved output can't be read: {e}")))
    };
    call(load).map_err(|error| Stop::Node(id, error))
}
