//! Runs branches concurrently, in one task. While other branches run, a branch that waits is
//! entered again as soon as it is due.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};
use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    data_flow::Queue,
    enter::At,
    gate::Gate,
    records::{Id, Records, nth},
    requests::Wakeup,
    sooner,
};
use crate::{
    base::{clock::Deadline, future::BoxFuture},
    language::scope::Scope,
    model::{
        state::{Kind, Until},
        status::Status,
        table::Line,
    },
};

/// How branches that run at once end.
#[derive(Clone, Copy)]
enum Ends {
    /// With all of them. The first failure keeps the others from going on.
    All,
    /// With the first of these lines that is done: the others go on no further.
    First(&'static [Line]),
}

impl Pass<'_> {
    /// Runs the lines of a `parallel`.
    pub(super) async fn branches(
        self,
        scope: &dyn Scope,
        nodes: &'static [Line],
        region: Id,
        now: Timestamp,
    ) -> Kept<End> {
        let branch = self.branch(scope, nodes, region);
        let queue = Queue::of_lines(nodes);
        self.at_once(region, Ends::All, queue, usize::MAX, now, branch)
            .await
    }

    /// Runs the lines of a `race`, until one is done and the others have ended.
    pub(super) async fn first_of(
        self,
        scope: &dyn Scope,
        nodes: &'static [Line],
        region: Id,
        now: Timestamp,
    ) -> Kept<End> {
        let branch = self.branch(scope, nodes, region);
        let queue = Queue::of_items(nodes.len());
        self.at_once(region, Ends::First(nodes), queue, usize::MAX, now, branch)
            .await
    }

    fn branch<'s>(
        self,
        scope: &'s dyn Scope,
        nodes: &'static [Line],
        region: Id,
    ) -> impl Fn(usize, Timestamp) -> BoxFuture<'s, Kept<End>>
    where
        Self: 's,
    {
        let first = self.run.records()[region].children().start;
        move |line, mut now| {
            let id = nth(first, line);
            Box::pin(async move {
                let at = At {
                    scope,
                    item: 0,
                    line,
                };
                self.line(at, &nodes[line], id, &mut now).await
            })
        }
    }

    /// Runs the items of a `for … parallel`.
    pub(super) async fn items_at_once(
        self,
        scope: &dyn Scope,
        body: &'static [Line],
        limit: usize,
        region: Id,
        now: Timestamp,
    ) -> Kept<End> {
        let items = self.run.records()[region].children();
        let queue = Queue::of_items(items.len());
        self.at_once(region, Ends::All, queue, limit, now, |item, mut now| {
            let id = nth(items.start, item);
            Box::pin(async move { self.items(scope, item, body, id..id + 1, &mut now).await })
        })
        .await
    }

    fn has_failed_below(self, region: Id) -> bool {
        let records = self.run.records();
        records[region].children().any(|id| {
            let record = &records[id];
            !record.optional && matches!(record.status, Status::Failed | Status::Skipped)
        })
    }

    /// Returns the end of a branch that need not be entered: it is done, or waits for something
    /// that has not happened yet. `None` if the branch must be entered.
    fn idle(self, records: &Records, id: Id) -> Option<End> {
        let record = &records[id];
        match record.status {
            Status::Done => Some(End::Done),
            _ if self.run.may_be_blocked() => None,
            Status::Waiting => match record.cold().until.filter(|_| record.kind == Kind::Step)? {
                // Its pause may have become shorter.
                Until::Time(_) if record.waits_since().is_some() => None,
                Until::Time(time) => {
                    let deadline = self.run.deadline(record, time);
                    (!self.run.options.eager && self.run.is_ahead(deadline))
                        .then_some(End::Waiting(Some(deadline)))
                }
                Until::Signal => record.cold().input.is_none().then_some(End::Waiting(None)),
                Until::Child => (!self.run.has_news_of_child(record)).then_some(End::Waiting(None)),
                Until::Report => (!self.run.has_report(record) && !record.is_asked_to_stop())
                    .then_some(End::Waiting(None)),
            },
            Status::Running => match record.kind {
                Kind::Item | Kind::Group | Kind::Match => record
                    .children()
                    .map(|id| self.idle(records, id))
                    .find(|idle| *idle != Some(End::Done))?,
                Kind::Step
                | Kind::Parallel
                | Kind::Race
                | Kind::If
                | Kind::For
                | Kind::Loop
                | Kind::Round
                | Kind::Flow => None,
            },
            _ => None,
        }
    }

    /// Returns the next branch to enter, while there is room. Branches that only wait are moved to
    /// `waiting`.
    fn next_fresh(
        self,
        region: Id,
        queue: &mut Queue,
        waiting: &mut Vec<(usize, Option<Deadline>)>,
        room: usize,
    ) -> Option<usize> {
        let mut records = self.run.records();
        let first = records[region].children().start;
        while waiting.len() < room {
            let next = queue.next()?;
            let index = next.line;
            let id = nth(first, index);
            if next.lacks_a_value && records[id].status == Status::Pending {
                records[id].skip(self.now());
                self.run.changed(&records, id);
                queue.ended(index, End::Interrupted);
                continue;
            }
            match self.idle(&records, id) {
                Some(End::Done) => queue.ended(index, End::Done),
                Some(End::Waiting(until)) => waiting.push((index, until)),
                _ => return Some(index),
            }
        }
        None
    }

    async fn at_once<'s>(
        self,
        region: Id,
        ends: Ends,
        mut queue: Queue,
        limit: usize,
        mut now: Timestamp,
        branch: impl Fn(usize, Timestamp) -> BoxFuture<'s, Kept<End>>,
    ) -> Kept<End> {
        // A branch that failed in an earlier process keeps the others from beginning.
        if matches!(ends, Ends::All) && self.has_failed_below(region) {
            self.run.cancel(region);
        }
        let _region = self.run.committer.enter_parallel();
        // Branches that have waited and can go on.
        let mut ready: VecDeque<usize> = VecDeque::new();
        let mut waiting: Vec<(usize, Option<Deadline>)> = Vec::new();
        // How many branches have begun and not ended.
        let open = AtomicUsize::new(0);
        let mut running = FuturesUnordered::new();
        let mut worst = End::Done;
        let mut is_decided = self.is_decided(region, ends);
        let mut seen = self.run.requests.wakeup();
        loop {
            let wakeup = self.run.requests.wakeup();
            if wakeup != seen {
                let undo = wakeup.requested != seen.requested && wakeup.requested.undoes();
                seen = wakeup;
                self.run.deliver();
                // After an undo request, all waiting branches give up; otherwise, those go on that
                // have received their signal.
                ready.extend(self.woken(region, &mut waiting, undo));
            }
            let halted = self.gate_to(region) == Gate::Halted;
            // A branch that waits has begun and not ended, so it counts towards the limit.
            while !halted
                && let Some(index) = ready.pop_front().or_else(|| {
                    let room = limit.saturating_sub(running.len());
                    self.next_fresh(region, &mut queue, &mut waiting, room)
                })
            {
                let future = branch(index, now);
                // Whether it is entered to give up.
                let gives_up = is_decided || worst != End::Done;
                let open = &open;
                open.fetch_add(1, Ordering::Relaxed);
                running.push(async move {
                    let ended = future.await;
                    open.fetch_sub(1, Ordering::Relaxed);
                    self.has_ended(region, ends, index, &ended);
                    if matches!(ends, Ends::First(_)) {
                        // Those that only wait, or give up, share the commit of what follows.
                        give_way().await;
                    }
                    // The last record of a branch must not wait for its siblings. The commit must
                    // be in this future: in the loop below, a sibling that is ahead in the queue
                    // for the commit would not be polled, and neither would go on.
                    let safe = match ends {
                        Ends::First(_) if open.load(Ordering::Relaxed) == 0 => Ok(()),
                        _ => self.run.commit().await,
                    };
                    let ended = ended.and_then(|end| safe.map(|()| end));
                    (index, ended, gives_up)
                });
            }
            if running.is_empty() {
                break;
            }
            let ended = if waiting.is_empty() {
                running.next().await
            } else {
                let alarm = std::pin::pin!(self.alarm(soonest(&waiting), seen));
                match select(running.next(), alarm).await {
                    Either::Left((ended, _)) => ended,
                    Either::Right(((), _)) => None,
                }
            };
            now = self.now();
            if let Some((index, end, gave_up)) = ended {
                let end = end?;
                queue.ended(index, end);
                match (ends, end) {
                    // It had begun to wait, and was at the commit of that, when a sibling ended all.
                    (_, End::Waiting(_)) if !gave_up && (is_decided || worst != End::Done) => {
                        ready.push_back(index);
                    }
                    (_, End::Waiting(until)) => waiting.push((index, until)),
                    (Ends::All, End::Done) => {}
                    // The waiting branches are entered once more, to give up.
                    (Ends::First(_), End::Done) => {
                        worst = End::Done;
                        is_decided = true;
                        ready.extend(waiting.drain(..).map(|(index, _)| index));
                    }
                    (Ends::First(_), end) => {
                        if !is_decided && worst != End::Failed {
                            worst = end;
                        }
                    }
                    (Ends::All, end @ (End::Failed | End::Interrupted)) => {
                        if worst != End::Failed {
                            worst = end;
                            // The waiting branches are entered once more, to give up.
                            ready.extend(waiting.drain(..).map(|(index, _)| index));
                        }
                    }
                }
            }
            if waiting.is_empty() {
                continue;
            }
            self.move_due(&mut waiting, &mut ready);
        }
        // After a failure, only atomic branches still wait, and they may finish; or the run is
        // halted.
        if waiting.is_empty() && ready.is_empty() && queue.is_empty() {
            Ok(worst)
        } else {
            Ok(End::Waiting(soonest(&waiting)))
        }
    }

    /// A branch has ended: those beside it are cancelled, if by that all is over.
    fn has_ended(self, region: Id, ends: Ends, index: usize, ended: &Kept<End>) {
        match (ends, ended) {
            (Ends::All, Ok(End::Failed | End::Interrupted)) => self.run.cancel(region),
            (Ends::First(nodes), Ok(End::Done)) => self.run.decide(region, nodes, index),
            _ => {}
        }
    }

    /// Returns whether it is a race that one of its lines has won.
    fn is_decided(self, region: Id, ends: Ends) -> bool {
        match ends {
            Ends::All => false,
            Ends::First(nodes) => self.run.records().winner(region, nodes).is_some(),
        }
    }

    /// Moves the branches whose time has come from `waiting` to `ready`.
    fn move_due(self, waiting: &mut Vec<(usize, Option<Deadline>)>, ready: &mut VecDeque<usize>) {
        let moment = self.run.options.clock.moment();
        waiting.retain(|(index, until)| {
            let is_due = until.is_some_and(|until| until.moment <= moment);
            // One that only looks has seen it.
            let is_due = is_due && !self.run.options.looks;
            if is_due {
                ready.push_back(*index);
            }
            !is_due
        });
    }

    /// Takes the branches that no longer wait out of `waiting`, or all of them.
    fn woken(
        self,
        region: Id,
        waiting: &mut Vec<(usize, Option<Deadline>)>,
        all: bool,
    ) -> Vec<usize> {
        let records = self.run.records();
        let first = records[region].children().start;
        let woken = waiting.extract_if(.., |(index, _)| {
            let id = nth(first, *index);
            all || !matches!(self.idle(&records, id), Some(End::Waiting(_)))
        });
        woken.map(|(index, _)| index).collect()
    }

    /// Returns when a waiting branch is due, or when a new request or signal has arrived.
    async fn alarm(self, due: Option<Deadline>, seen: Wakeup) {
        let woken = std::pin::pin!(self.run.requests.until_wakeup(seen));
        match due {
            Some(due) => {
                let due = std::pin::pin!(self.run.options.clock.sleep_until(due.moment));
                select(due, woken).await;
            }
            None => woken.await,
        }
    }
}

/// Lets the others go on first.
async fn give_way() {
    let mut given = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn soonest(waiting: &[(usize, Option<Deadline>)]) -> Option<Deadline> {
    waiting
        .iter()
        .fold(None, |soonest, (_, at)| sooner(soonest, *at))
}
