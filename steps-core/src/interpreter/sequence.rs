//! Runs the lines of a scope in order, and the items of a `for`.
//!
//! A run spends most of its time here, so one lock of the records is enough to end a step, to pass
//! over lines that are done, and to begin the next step. Everything but a plain step that begins
//! for the first time goes through [`Pass::line`].

use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    enter::At,
    records::{Id, Records, nth},
    user_code::{begun, caught, is_traced},
};
use crate::{
    base::{error::StepError, json::Json, telemetry::Begun},
    language::{
        log::span::is_wanted,
        scope::{Answer, Op, Scope},
    },
    model::{
        status::Status,
        table::{Line, StepMeta, Work},
    },
};

/// The position of a pass among lines.
struct Cursor {
    nodes: &'static [Line],
    /// The record of the first line.
    first: Id,
    line: usize,
    /// The number of the item that the lines belong to.
    item: usize,
    items: Items,
}

/// The items of a `for` that the lines belong to.
struct Items {
    /// The item whose lines are being run.
    open: Option<Id>,
    left: std::ops::Range<Id>,
}

/// What to do next.
enum Next {
    /// A plain step has begun: call it.
    Attempt(&'static StepMeta, u32),
    /// Run a line that is no plain step, or no new one.
    Line(&'static Line),
    /// Open an item, if it may begin.
    Item(Id),
    /// An item has begun, and its lines are more nodes than the limit allows.
    TooMany(Id, StepError),
    /// Nothing: all lines are done.
    Nothing,
}

impl Cursor {
    fn id(&self) -> Id {
        nth(self.first, self.line)
    }

    fn at<'s>(&self, scope: &'s dyn Scope) -> At<'s> {
        At {
            scope,
            item: self.item,
            line: self.line,
        }
    }

    fn open(&mut self, records: &mut Records, item: Id) -> Result<(), StepError> {
        self.first = records.lines(item, self.nodes)?;
        self.line = 0;
        self.items.open = Some(item);
        Ok(())
    }

    fn pass_item(&mut self) {
        self.items.open = None;
        self.items.left.start += 1;
        self.item += 1;
    }
}

impl Pass<'_> {
    /// Runs lines in order. `now` is the time when the last work ended; the next begins then.
    pub(super) fn sequence(
        self,
        scope: &dyn Scope,
        item: usize,
        nodes: &'static [Line],
        first: Id,
        now: &mut Timestamp,
    ) -> impl Future<Output = Kept<End>> + Send {
        let items = Items {
            open: None,
            left: 0..0,
        };
        let cursor = Cursor {
            nodes,
            first,
            line: 0,
            item,
            items,
        };
        self.each(scope, cursor, now)
    }

    /// Runs items of a `for` in order; `item` is the number of the first.
    pub(super) fn items(
        self,
        scope: &dyn Scope,
        item: usize,
        body: &'static [Line],
        left: std::ops::Range<Id>,
        now: &mut Timestamp,
    ) -> impl Future<Output = Kept<End>> + Send {
        let cursor = Cursor {
            nodes: body,
            first: 0,
            line: body.len(),
            item,
            items: Items { open: None, left },
        };
        self.each(scope, cursor, now)
    }

    /// Runs everything from the cursor on. An `async` block is used, because an `async fn` would
    /// store each argument twice.
    #[expect(clippy::manual_async_fn, reason = "half the size")]
    fn each(
        self,
        scope: &dyn Scope,
        mut cursor: Cursor,
        now: &mut Timestamp,
    ) -> impl Future<Output = Kept<End>> + Send {
        async move {
            let mut cx = self.cx(cursor.first, 1);
            let mut ended = None;
            loop {
                let end = match self.next(&mut cursor, ended.take(), *now) {
                    Next::Nothing => return Ok(End::Done),
                    Next::Attempt(meta, number) => {
                        (cx.id, cx.attempt) = (cursor.id(), number);
                        if self.run.committer.has_journal() {
                            self.commit_beginning(meta).await?;
                        }
                        let at = cursor.at(scope);
                        let op = Op::Run(self.run.options.limits.payload);
                        let since = Begun::now();
                        let answer = match meta.policy.timeout {
                            None => {
                                let call = begun(|| scope.call(at.item, at.line, op, &cx));
                                self.believed(caught(call).await)
                            }
                            limit => self.op(at, op, &cx, limit).await,
                        };
                        *now = self.now();
                        self.measure(meta, cx.id, since, &answer);
                        if let Ok(Answer::Done(saved)) = answer {
                            ended = Some(saved);
                            continue;
                        }
                        let node = &cursor.nodes[cursor.line];
                        let answered = self.answered(at, meta, cx.id, &cx, answer, now);
                        let end = Box::pin(answered).await?;
                        self.passed_over(at, node, cx.id, end).await?
                    }
                    Next::Line(node) => {
                        let (at, id) = (cursor.at(scope), cursor.id());
                        self.line(at, node, id, now).await?
                    }
                    Next::Item(item) => match self.open(item, *now) {
                        Some(End::Done) => {
                            cursor.pass_item();
                            continue;
                        }
                        Some(end) => return Ok(end),
                        None => {
                            let opened = cursor.open(&mut self.run.records(), item);
                            match opened {
                                Ok(()) => continue,
                                Err(error) => return Ok(self.fail(item, &error, *now)),
                            }
                        }
                    },
                    Next::TooMany(item, error) => return Ok(self.fail(item, &error, *now)),
                };
                match end {
                    End::Done => cursor.line += 1,
                    End::Waiting(_) => return Ok(end),
                    End::Failed | End::Interrupted => {
                        self.skip_after(cursor.id(), cursor.first, cursor.nodes.len());
                        if let Some(item) = cursor.items.open {
                            self.fail_group(item, *now);
                        }
                        return Ok(end);
                    }
                }
            }
        }
    }

    /// Ends the step at the cursor, if it is done, and finds what to do next.
    fn next(self, cursor: &mut Cursor, ended: Option<Option<Json>>, now: Timestamp) -> Next {
        // Steps whose spans are wanted take the same way as those that may be blocked.
        let may_be_blocked = self.run.may_be_blocked() || is_traced() || is_wanted();
        let mut records = self.run.records();
        if let Some(saved) = ended {
            let id = cursor.id();
            records[id].finish(now, saved);
            self.run.changed(&records, id);
            cursor.line += 1;
        }
        loop {
            while let Some(node) = cursor.nodes.get(cursor.line) {
                let id = cursor.id();
                let record = &mut records[id];
                match (record.status, &node.work) {
                    (Status::Done, _) => cursor.line += 1,
                    (Status::Pending, Work::Step(meta))
                        if !meta.observe
                            && !meta.is_external()
                            && !may_be_blocked
                            && node.deadline().is_none() =>
                    {
                        records.begin(id, now);
                        let number = records[id].attempts;
                        self.run.changed(&records, id);
                        return Next::Attempt(meta, number);
                    }
                    _ => return Next::Line(node),
                }
            }
            if let Some(item) = cursor.items.open {
                records[item].finish(now, None);
                self.run.changed(&records, item);
                cursor.pass_item();
            }
            let Some(item) = cursor.items.left.clone().next() else {
                return Next::Nothing;
            };
            match records[item].status {
                Status::Done => cursor.pass_item(),
                Status::Pending if !may_be_blocked => {
                    records[item].begin(now);
                    self.run.changed(&records, item);
                    if let Err(error) = cursor.open(&mut records, item) {
                        return Next::TooMany(item, error);
                    }
                }
                Status::Running => {
                    if let Err(error) = cursor.open(&mut records, item) {
                        return Next::TooMany(item, error);
                    }
                }
                _ => return Next::Item(item),
            }
        }
    }
}
