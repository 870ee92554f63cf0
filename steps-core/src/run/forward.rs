//! The pass forward: runs what can run.

use futures_util::FutureExt;
use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    attempt::{At, VERIFY_FAILED, call, enter, pause, traced, verified},
    tree::{Id, ROOT},
};
use crate::{
    clock,
    error::StepError,
    json::Json,
    scope::{Answer, BoxFuture, Enter, Op, OpResult, Saved, Scope},
    state::{Kind, Until},
    status::{Event, Status},
    table::{Node, OnFailure, StepMeta, Work},
};

/// The recorded error of a group that ended because a sibling failed.
pub(super) const INTERRUPTED: &str = "given up, as a step beside it failed";

/// What a look at a step's record says.
enum Look {
    /// It has ended, or cannot go on now.
    End(End),
    /// An attempt begins; the step may have been at work when an earlier process ended.
    Attempt {
        number: u32,
        verify: bool,
        observe: bool,
    },
    /// It was waiting when a sibling failed: it makes no further attempt.
    GiveUp,
}

impl<'r> Pass<'r> {
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
                super::Back::Failed => return Ok(End::Failed),
                super::Back::Clean | super::Back::Pivot => {}
            }
        }
        match at.scope.load(at.item, at.line, Saved::Nothing) {
            Ok(()) => Ok(End::Done),
            Err(error) => Ok(self.fail(id, &StepError::fatal(error), self.now())),
        }
    }

    fn look(self, id: Id, meta: &StepMeta, now: Timestamp) -> Look {
        let cancelled = self.run.is_cancelled(id);
        let mut tree = self.run.tree();
        let record = &mut tree[id];
        let mut verify = false;
        match record.status {
            Status::Done => return Look::End(End::Done),
            Status::Pending if cancelled => {
                record.on(Event::Skip);
                self.run.changed(&tree, id);
                return Look::End(End::Interrupted);
            }
            Status::Pending => {}
            Status::Running => verify = meta.verify,
            Status::Waiting if cancelled => return Look::GiveUp,
            Status::Waiting => match record.rare().until {
                Some(Until::Time(time)) if time > now && !self.may_ask(meta, record) => {
                    return Look::End(End::Waiting(Some(time)));
                }
                Some(Until::Signal) if record.rare().input.is_none() => {
                    return Look::End(End::Waiting(None));
                }
                // Whether the last attempt did its work is still open.
                _ => {
                    let errors = &record.rare().errors;
                    verify =
                        meta.verify && errors.last().is_some_and(|e| e.contains(VERIFY_FAILED));
                }
            },
            _ => return Look::End(End::Failed),
        }
        record.begin(now);
        let look = Look::Attempt {
            number: record.attempts,
            verify,
            observe: meta.observe && record.rare().before.is_none(),
        };
        self.run.changed(&tree, id);
        look
    }

    /// Whether a step that waits is one that polls, and may be asked before its time.
    fn may_ask(self, meta: &StepMeta, record: &super::tree::Record) -> bool {
        self.run.eager && meta.policy.poll.is_some() && record.rare().errors.is_empty()
    }

    /// Runs one step: at most one attempt in a pass.
    async fn step(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<End> {
        let (number, verify, observe) = match self.look(id, meta, *now) {
            Look::End(end) => return Ok(end),
            Look::Attempt {
                number,
                verify,
                observe,
            } => (number, verify, observe),
            Look::GiveUp => return self.give_up(at, meta, id).await,
        };
        let cx = self.cx(id, number);
        if verify || observe {
            match self.prepare(at, meta, id, &cx, verify).await {
                Ok(None) => {}
                Ok(Some(saved)) => {
                    *now = self.now();
                    return Ok(self.done(id, saved, *now));
                }
                Err(error) => {
                    *now = self.now();
                    return Ok(self.failed(meta, id, &error, *now));
                }
            }
        }
        // The beginning is safe before the effect can happen.
        if self.run.journal.is_some() {
            self.run.commit().await?;
        }
        let run = self.op(at, Op::Run, &cx, meta.policy.timeout);
        let answer = traced(run, &cx).await;
        *now = self.now();
        self.answered(at, meta, id, &cx, answer, now).await
    }

    /// Records what an attempt came to.
    pub(super) async fn answered(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        cx: &crate::cx::Cx,
        answer: OpResult,
        now: &mut Timestamp,
    ) -> Kept<End> {
        match answer {
            Ok(Answer::Done(saved)) if !meta.observe => Ok(self.done(id, saved, *now)),
            Ok(Answer::Done(saved)) => self.observe_after(at, id, cx, saved, now).await,
            Ok(Answer::Wait(until)) => Ok(self.wait(id, until)),
            Ok(_) => Ok(self.not_yet(meta, id, *now)),
            Err(error) => {
                if meta.verify {
                    match self.verify(at, cx, &meta.policy).await.map(verified) {
                        Ok(Some(saved)) => return Ok(self.done(id, saved, self.now())),
                        Ok(None) => {}
                        Err(other) => {
                            *now = self.now();
                            let both = error.and(&other.text());
                            return Ok(self.failed(meta, id, &both, *now));
                        }
                    }
                    *now = self.now();
                }
                Ok(self.failed(meta, id, &error, *now))
            }
        }
    }

    /// What comes before an attempt: asking whether an earlier one did its work, and observing.
    async fn prepare(
        self,
        at: At<'_>,
        meta: &StepMeta,
        id: Id,
        cx: &crate::cx::Cx,
        verify: bool,
    ) -> Result<Option<Option<Json>>, StepError> {
        if verify && let Some(saved) = verified(self.verify(at, cx, &meta.policy).await?) {
            return Ok(Some(saved));
        }
        if meta.observe && self.run.tree()[id].rare().before.is_none() {
            let answer = self.op(at, Op::Observe, cx, meta.policy.timeout).await?;
            if let Answer::Seen(before) = answer {
                self.run
                    .change(id, |record| record.rare_mut().before = Some(before));
            }
        }
        Ok(None)
    }

    /// The step is done; its `#[observe]` looks again. That look failing doesn't undo the fact.
    async fn observe_after(
        self,
        at: At<'_>,
        id: Id,
        cx: &crate::cx::Cx,
        saved: Option<Json>,
        now: &mut Timestamp,
    ) -> Kept<End> {
        match self.op(at, Op::Observe, cx, None).await {
            Ok(Answer::Seen(after)) => self.run.tree()[id].rare_mut().after = Some(after),
            Ok(_) => {}
            Err(error) => {
                let text = Json::encode(&error.text()).ok();
                let extra = text.map(|text| ("afterErr".to_owned(), text));
                self.run.tree()[id].rare_mut().extra.extend(extra);
            }
        }
        Ok(self.done(id, saved, *now))
    }

    fn done(self, id: Id, saved: Option<Json>, now: Timestamp) -> End {
        let mut tree = self.run.tree();
        tree[id].finish(now, saved);
        self.run.changed(&tree, id);
        End::Done
    }

    fn wait(self, id: Id, until: Until) -> End {
        self.run.change(id, |record| record.wait(until));
        match until {
            Until::Time(time) => End::Waiting(Some(time)),
            Until::Signal => End::Waiting(None),
        }
    }

    fn not_yet(self, meta: &StepMeta, id: Id, now: Timestamp) -> End {
        let Some(poll) = meta.policy.poll else {
            let error = StepError::fatal("it gave `None`, but has no `poll` policy");
            return self.fail(id, &error, now);
        };
        let polls = {
            let mut tree = self.run.tree();
            let record = &mut tree[id];
            // What failed in between is no "not yet": it has its own allowance, of failures in a
            // row.
            let failures = record.rare().errors.len();
            if failures > 0 {
                record.rare_mut().errors.clear();
                record.add_failures(failures);
            }
            record.attempts.saturating_sub(record.failures())
        };
        if poll.times != 0 && polls >= poll.times {
            let error = format!("not ready after {polls} polls, {:?} apart", poll.every);
            return self.fail(id, &StepError::fatal(error), now);
        }
        self.wait(id, Until::Time(clock::add(now, poll.every)))
    }

    /// An attempt failed: another one follows, or the step has failed.
    fn failed(self, meta: &StepMeta, id: Id, error: &StepError, now: Timestamp) -> End {
        self.note(id, error);
        let failures = self.run.tree()[id].rare().errors.len();
        match pause(meta.policy.retry.as_ref(), error, failures) {
            Some(pause) if !self.run.is_cancelled(id) => {
                self.wait(id, Until::Time(clock::add(now, pause)))
            }
            _ => {
                self.run.change(id, |record| record.fail(now));
                End::Failed
            }
        }
    }

    pub(super) fn note(self, id: Id, error: &StepError) {
        self.run.keep_error(id, error);
        self.run.tree()[id].rare_mut().errors.push(error.text());
    }

    /// The node has failed, whatever its policy.
    pub(super) fn fail(self, id: Id, error: &StepError, now: Timestamp) -> End {
        self.note(id, error);
        self.run.change(id, |record| record.fail(now));
        End::Failed
    }

    /// A step that waits for its next attempt while a sibling has failed: its last effect may
    /// have happened, so its verify is asked.
    async fn give_up(self, at: At<'_>, meta: &StepMeta, id: Id) -> Kept<End> {
        if meta.verify {
            let cx = self.cx(id, self.run.tree()[id].attempts);
            if let Ok(Some(saved)) = self.verify(at, &cx, &meta.policy).await.map(verified) {
                return Ok(self.done(id, saved, self.now()));
            }
        }
        let now = self.now();
        self.run.change(id, |record| {
            record.rare_mut().errors.push(INTERRUPTED.to_owned());
            record.fail(now);
        });
        Ok(End::Interrupted)
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
            _ => End::Failed,
        })
    }

    /// Begins a node that has children, unless it has ended.
    pub(super) fn open(self, id: Id, now: Timestamp) -> Option<End> {
        let cancelled = self.run.is_cancelled(id);
        let mut tree = self.run.tree();
        let record = &mut tree[id];
        match record.status {
            Status::Done => Some(End::Done),
            Status::Running | Status::Waiting | Status::Undoing => None,
            Status::Pending if cancelled => {
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
        let mut errors: Vec<String> = tree
            .below(id)
            .into_iter()
            .filter(|child| !tree[*child].optional && tree[*child].done_at.is_some())
            .filter_map(|child| {
                let error = tree[child].rare().errors.last()?;
                Some(format!("{}: {error}", tree.name(child)))
            })
            .collect();
        if errors.is_empty() {
            errors.push(INTERRUPTED.to_owned());
        }
        tree[id].rare_mut().errors = errors;
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
        let rare = tree[id].rare();
        (rare.input.clone(), rare.decision)
    }

    /// Records what entering a scope evaluated, and makes the records below it.
    fn record_entry(
        self,
        node: &'static Node,
        id: Id,
        entered: &mut crate::scope::Entered<'_>,
    ) -> &'static [Node] {
        let mut tree = self.run.tree();
        let fresh = entered.input.is_some() || entered.decision.is_some();
        if let Some(input) = entered.input.take() {
            tree[id].rare_mut().input = Some(input);
        }
        if let Some(decision) = entered.decision {
            tree[id].rare_mut().decision = Some(decision);
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
            self.run.commit().await?;
            let finished = self.guarded(scope.finish(), None).await;
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

    /// The rounds of a `loop`.
    async fn rounds(
        self,
        at: At<'_>,
        body: &'static [Node],
        max: u32,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<Result<End, StepError>> {
        if !std::mem::replace(&mut self.run.tree()[id].loaded, true) {
            let done = {
                let tree = self.run.tree();
                let rounds = &tree[id].rare().rounds;
                rounds
                    .iter()
                    .filter(|round| tree[**round].status == Status::Done)
                    .count()
            };
            let how = Enter::default();
            if let Err((_, error)) = self.restore_round(at, body, id, done, how).await? {
                return Ok(Err(error));
            }
        }
        loop {
            let round = {
                let mut tree = self.run.tree();
                let rounds = &tree[id].rare().rounds;
                let count = rounds.len();
                match rounds.last().copied() {
                    Some(last) if tree[last].status != Status::Done => last,
                    Some(last) if tree[last].rare().decision == Some(true) => {
                        drop(tree);
                        return Ok(Ok(self.done(id, None, *now)));
                    }
                    _ if max != 0 && count >= max as usize => {
                        drop(tree);
                        return Ok(Err(StepError::fatal(format!(
                            "its condition did not hold after {max} rounds"
                        ))));
                    }
                    _ => tree.round(id),
                }
            };
            let nodes = self.run.tree().len();
            if let Err(error) = self.run.limits.check_nodes(nodes) {
                return Ok(Err(error));
            }
            match self.round(at, body, round, now).await? {
                Ok(End::Done) => {}
                other => return Ok(other),
            }
        }
    }

    async fn round(
        self,
        at: At<'_>,
        body: &'static [Node],
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<Result<End, StepError>> {
        if let Some(end) = self.open(id, *now) {
            return Ok(Ok(end));
        }
        let cx = self.cx(id, 1);
        let scope = match enter(at, Enter::default(), &cx).map(|entered| entered.scope) {
            Ok(Some(scope)) => scope,
            Ok(None) => return Ok(Ok(End::Done)),
            Err(error) => return Ok(Err(error)),
        };
        let first = self.run.tree().lines(id, body);
        if !std::mem::replace(&mut self.run.tree()[id].loaded, true)
            && let Err((_, error)) = self.restore(&*scope, 0, body, id).await?
        {
            return Ok(Err(error));
        }
        let end = self.sequence(&*scope, 0, body, first, now).await?;
        match end {
            End::Done => {}
            End::Waiting(_) => return Ok(Ok(end)),
            End::Failed | End::Interrupted => {
                self.fail_group(id, *now);
                return Ok(Ok(end));
            }
        }
        match call(|| scope.until(&cx)) {
            Ok(last) => {
                self.run.tree()[id].rare_mut().decision = Some(last);
                scope.close(last);
                Ok(Ok(self.done(id, None, *now)))
            }
            Err(error) => {
                self.fail(id, &error, *now);
                Ok(Ok(End::Failed))
            }
        }
    }
}

impl super::tree::Tree {
    /// The paths of the steps that wait for a signal.
    pub(crate) fn signals(&self, id: Id, paths: &mut Vec<String>) {
        let record = &self[id];
        if record.kind == Kind::Step
            && record.status == Status::Waiting
            && record.rare().until == Some(Until::Signal)
        {
            paths.push(self.path(id));
        }
        for child in self.below(id) {
            self.signals(child, paths);
        }
    }

    /// The step of this path that waits for a signal.
    pub(crate) fn waiting_for_signal(&self, path: &str) -> Option<Id> {
        let mut at = ROOT;
        for name in crate::state::path::split(path) {
            at = self
                .below(at)
                .into_iter()
                .find(|id| self.name(*id) == name)?;
        }
        let record = &self[at];
        let waits = record.kind == Kind::Step
            && record.status == Status::Waiting
            && record.rare().until == Some(Until::Signal);
        waits.then_some(at)
    }
}
