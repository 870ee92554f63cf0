//! The pass back: takes back what was done, last first, branches of a `parallel` at once.
//!
//! It works on freshly restored scopes, so a rollback in the process that failed and one taken up
//! by another after a crash are the same.

use futures_util::{StreamExt, stream::FuturesUnordered};
use jiff::Timestamp;

use super::{
    Back, Kept, Pass,
    records::Id,
    user_code::{At, enter, pause},
};
use crate::{
    base::{clock, error::StepError, future::BoxFuture},
    language::scope::{Enter, Op, Scope},
    model::{
        state::Undo,
        status::{Event, Status},
        table::{Node, StepMeta, Work},
    },
};

impl<'r> Pass<'r> {
    /// Undoes lines of a restored scope, last first.
    pub(crate) async fn unwind(
        self,
        scope: &dyn Scope,
        item: usize,
        nodes: &'static [Node],
        parent: Id,
    ) -> Kept<Back> {
        let children = self.run.tree()[parent].children();
        for ((line, node), id) in nodes.iter().enumerate().zip(children).rev() {
            if node.marks.pivot && self.run.tree()[id].status == Status::Done {
                return Ok(Back::Pivot);
            }
            let back = self.unwind_line(At { scope, item, line }, node, id).await?;
            if back != Back::Clean {
                return Ok(back);
            }
        }
        Ok(Back::Clean)
    }

    /// Undoes one line.
    pub(super) async fn unwind_line(self, at: At<'_>, node: &'static Node, id: Id) -> Kept<Back> {
        match &node.work {
            Work::Step(meta) => self.undo(at, meta, id).await,
            _ => self.unwind_group(at, node, id).await,
        }
    }

    async fn undo(self, at: At<'_>, meta: &'static StepMeta, id: Id) -> Kept<Back> {
        let before = {
            let mut tree = self.run.tree();
            let record = &mut tree[id];
            match record.status {
                Status::Done | Status::Undoing if meta.undo => {}
                Status::UndoFailed => return Ok(Back::Failed),
                _ => return Ok(Back::Clean),
            }
            if self.is_suspended() {
                return Ok(Back::Halted);
            }
            let now = self.run.clock.now();
            if let Some(undo) = &record.cold().undo
                && let Some(until) = undo.until
                && until > now
            {
                return Ok(Back::Waiting(until));
            }
            let undoing = record.status == Status::Undoing;
            record.on(Event::Undo);
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.started_at.get_or_insert(now);
            // One that an earlier process died in has not failed: it is made again, as itself.
            let cut_off = undoing && undo.attempts > 0 && undo.until.is_none();
            undo.attempts += u32::from(!cut_off);
            undo.until = None;
            let before = record.cold().before.clone();
            self.run.changed(&tree, id);
            before
        };
        self.run.commit().await?;
        let cx = self.cx(id, self.undo_record(id, |undo| undo.attempts));
        let answer = self
            .op(at, Op::Undo(before.as_ref()), &cx, meta.undo_policy.timeout)
            .await;
        let now = self.now();
        let Err(error) = answer else {
            self.run.change(id, |record| {
                record.on(Event::UndoFinish);
                let undo = record.cold_mut().undo.get_or_insert_default();
                undo.done_at = Some(now);
                undo.err.clear();
            });
            return Ok(Back::Clean);
        };
        self.run.keep_error(id, &error);
        let retry = meta.undo_policy.retry.as_ref();
        let attempts = self.undo_record(id, |undo| undo.attempts);
        let again = pause(retry, &error, attempts as usize).map(|pause| clock::add(now, pause));
        self.run.change(id, |record| {
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.err = error.text();
            undo.until = again;
            if again.is_none() {
                undo.done_at = Some(now);
                record.on(Event::UndoFail);
            }
        });
        Ok(again.map_or(Back::Failed, Back::Waiting))
    }

    fn undo_record<R: Default>(self, id: Id, read: impl FnOnce(&Undo) -> R) -> R {
        let tree = self.run.tree();
        tree[id].cold().undo.as_ref().map(read).unwrap_or_default()
    }

    /// Undoes what is in a line's scope.
    fn unwind_group<'b>(self, at: At<'b>, node: &'static Node, id: Id) -> BoxFuture<'b, Kept<Back>>
    where
        'r: 'b,
    {
        Box::pin(self.unwind_group_line(at, node, id))
    }

    async fn unwind_group_line(self, at: At<'_>, node: &'static Node, id: Id) -> Kept<Back> {
        {
            let mut tree = self.run.tree();
            let record = &mut tree[id];
            match record.status {
                Status::Pending | Status::Skipped => return Ok(Back::Clean),
                Status::Undone => {
                    let nested = matches!(node.work, Work::Flow(_));
                    return Ok(if !nested && tree.is_past_pivot(id) {
                        Back::Pivot
                    } else {
                        Back::Clean
                    });
                }
                Status::UndoFailed => return Ok(Back::Failed),
                _ if self.is_suspended() => return Ok(Back::Halted),
                Status::Undoing => {}
                _ => record.on(Event::Undo),
            }
            self.run.changed(&tree, id);
        }
        let back = match self.unwind_inside(at, node, id).await? {
            Ok(back) => back,
            Err((line, error)) => {
                self.refuse(line, &error);
                Back::Failed
            }
        };
        let event = match back {
            Back::Waiting(_) | Back::Halted => return Ok(back),
            Back::Clean | Back::Pivot => Event::UndoFinish,
            Back::Failed => Event::UndoFail,
        };
        self.run.change(id, |record| record.on(event));
        // A nested flow's point of no return is its own.
        Ok(match (back, &node.work) {
            (Back::Pivot, Work::Flow(_)) => Back::Clean,
            _ => back,
        })
    }

    /// A line can't be undone, as its scope can't be restored.
    pub(crate) fn refuse(self, id: Id, error: &StepError) {
        self.run.keep_error(id, error);
        let now = self.now();
        self.run.change(id, |record| {
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.err = error.text();
            undo.done_at = Some(now);
            match record.status {
                Status::Pending | Status::Skipped | Status::Undone | Status::UndoFailed => {}
                Status::Undoing => record.on(Event::UndoFail),
                _ => {
                    record.on(Event::Undo);
                    record.on(Event::UndoFail);
                }
            }
        });
    }

    async fn unwind_inside(
        self,
        at: At<'_>,
        node: &'static Node,
        id: Id,
    ) -> Kept<Result<Back, (Id, StepError)>> {
        if let Work::Loop { body, .. } = node.work {
            return self.unwind_rounds(at, body, id).await;
        }
        let (input, decision) = {
            let tree = self.run.tree();
            let record = &tree[id];
            let begun = record.children().len();
            let cold = record.cold();
            if begun == 0 {
                return Ok(Ok(Back::Clean));
            }
            (cold.input.clone(), cold.decision)
        };
        let cx = self.cx(id, 1);
        let how = Enter {
            input: input.as_ref(),
            decision,
            fresh: true,
            first: false,
        };
        let scope = match enter(at, how, &cx) {
            Ok(entered) => entered.scope,
            Err(error) => return Ok(Err((id, error))),
        };
        let Some(scope) = scope else {
            return Ok(Ok(Back::Clean));
        };
        let scope = &*scope;
        if let Err(error) = self.restore_below(scope, node, id).await? {
            return Ok(Err(error));
        }
        let back = match node.work {
            Work::Parallel(lines) => {
                let children = self.run.tree()[id].children();
                self.all_at_once(lines.iter().enumerate().zip(children).map(
                    |((line, node), id)| {
                        Box::pin(async move {
                            let at = At {
                                scope,
                                item: 0,
                                line,
                            };
                            if node.marks.pivot && self.run.tree()[id].status == Status::Done {
                                return Ok(Back::Pivot);
                            }
                            self.unwind_line(at, node, id).await
                        })
                    },
                ))
                .await?
            }
            Work::For { body, at_once } => {
                let items = self.run.tree()[id].children();
                if at_once == 1 {
                    let mut back = Back::Clean;
                    for (item, id) in items.enumerate().rev() {
                        back = self.unwind_item(scope, item, body, id).await?;
                        if back != Back::Clean {
                            break;
                        }
                    }
                    back
                } else {
                    let items = items
                        .enumerate()
                        .map(|(item, id)| Box::pin(self.unwind_item(scope, item, body, id)));
                    self.all_at_once(items).await?
                }
            }
            Work::If { otherwise, .. } if decision == Some(false) => {
                self.unwind(scope, 0, otherwise, id).await?
            }
            ref work => self.unwind(scope, 0, work.lines(), id).await?,
        };
        Ok(Ok(back))
    }

    /// An item or a round: a record with lines below it.
    async fn unwind_item(
        self,
        scope: &dyn Scope,
        item: usize,
        body: &'static [Node],
        id: Id,
    ) -> Kept<Back> {
        let (status, past_pivot) = {
            let tree = self.run.tree();
            let status = tree[id].status;
            (status, status == Status::Undone && tree.is_past_pivot(id))
        };
        match status {
            Status::Undone if past_pivot => return Ok(Back::Pivot),
            Status::Pending | Status::Skipped | Status::Undone => return Ok(Back::Clean),
            Status::UndoFailed => return Ok(Back::Failed),
            _ if self.is_suspended() => return Ok(Back::Halted),
            Status::Undoing => {}
            _ => self.run.change(id, |record| record.on(Event::Undo)),
        }
        let back = self.unwind(scope, item, body, id).await?;
        match back {
            Back::Waiting(_) | Back::Halted => {}
            Back::Clean | Back::Pivot => {
                self.run.change(id, |record| record.on(Event::UndoFinish));
            }
            Back::Failed => self.run.change(id, |record| record.on(Event::UndoFail)),
        }
        Ok(back)
    }

    async fn unwind_rounds(
        self,
        at: At<'_>,
        body: &'static [Node],
        id: Id,
    ) -> Kept<Result<Back, (Id, StepError)>> {
        let rounds = self.run.tree()[id].cold().rounds.clone();
        for (index, round) in rounds.into_iter().enumerate().rev() {
            {
                let tree = self.run.tree();
                match tree[round].status {
                    Status::Undone if tree.is_past_pivot(round) => {
                        return Ok(Ok(Back::Pivot));
                    }
                    Status::Pending | Status::Skipped | Status::Undone => continue,
                    _ => {}
                }
            }
            let how = Enter {
                fresh: true,
                first: index == 0,
                ..Enter::default()
            };
            // The round's arguments may name the round before.
            if let Err(error) = self.restore_round(at, body, id, index, how).await? {
                return Ok(Err(error));
            }
            let cx = self.cx(round, 1);
            let scope = match enter(at, how, &cx) {
                Ok(entered) => entered.scope,
                Err(error) => return Ok(Err((round, error))),
            };
            let Some(scope) = scope else { continue };
            if let Err(error) = self.restore(&*scope, 0, body, round).await? {
                return Ok(Err(error));
            }
            let back = self.unwind_item(&*scope, 0, body, round).await?;
            if back != Back::Clean {
                return Ok(Ok(back));
            }
        }
        Ok(Ok(Back::Clean))
    }

    /// Undoes branches at once. All that can be undone is; each failure is kept.
    async fn all_at_once(
        self,
        branches: impl Iterator<Item = impl Future<Output = Kept<Back>> + Send>,
    ) -> Kept<Back> {
        let _at_once = self.run.at_once();
        // Each commits what it recorded last by itself, as on the way forward.
        let mut running: FuturesUnordered<_> = branches
            .map(|branch| async move {
                let back = branch.await?;
                self.run.commit().await?;
                Ok(back)
            })
            .collect();
        let mut worst = Back::Clean;
        while let Some(back) = running.next().await {
            worst = worse(worst, back?);
        }
        Ok(worst)
    }
}

/// A failure waits for the attempts that are still due beside it.
fn worse(a: Back, b: Back) -> Back {
    match (a, b) {
        (Back::Halted, _) | (_, Back::Halted) => Back::Halted,
        (Back::Waiting(a), Back::Waiting(b)) => Back::Waiting(Timestamp::min(a, b)),
        (Back::Waiting(at), _) | (_, Back::Waiting(at)) => Back::Waiting(at),
        (Back::Failed, _) | (_, Back::Failed) => Back::Failed,
        (Back::Pivot, _) | (_, Back::Pivot) => Back::Pivot,
        (Back::Clean, Back::Clean) => Back::Clean,
    }
}
