//! Branches at once. They share one task; a branch that waits is taken up again when it is due,
//! for as long as others are still at work.

use std::collections::VecDeque;

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};
use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    records::{Id, Tree},
    requests::{Gate, News},
    sooner,
    user_code::At,
};
use crate::{
    base::future::BoxFuture,
    language::scope::Scope,
    model::{
        state::{Kind, Until},
        status::Status,
        table::Node,
    },
};

impl Pass<'_> {
    /// The lines of a `parallel`.
    pub(super) async fn branches(
        self,
        scope: &dyn Scope,
        nodes: &'static [Node],
        region: Id,
        now: Timestamp,
    ) -> Kept<End> {
        let first = self.run.tree()[region].children().start;
        self.at_once(region, nodes.len(), usize::MAX, now, |line, mut now| {
            let id = first + u32::try_from(line).unwrap_or(u32::MAX);
            Box::pin(async move {
                let at = At {
                    scope,
                    item: 0,
                    line,
                };
                self.line(at, &nodes[line], id, &mut now).await
            })
        })
        .await
    }

    /// The items of a `for … parallel`.
    pub(super) async fn items_at_once(
        self,
        scope: &dyn Scope,
        body: &'static [Node],
        limit: usize,
        region: Id,
        now: Timestamp,
    ) -> Kept<End> {
        let items = self.run.tree()[region].children();
        self.at_once(region, items.len(), limit, now, |item, mut now| {
            let id = items.start + u32::try_from(item).unwrap_or(u32::MAX);
            Box::pin(async move { self.items(scope, item, body, id..id + 1, &mut now).await })
        })
        .await
    }

    fn has_failed_below(self, region: Id) -> bool {
        let tree = self.run.tree();
        tree[region].children().any(|id| {
            let record = &tree[id];
            !record.optional && matches!(record.status, Status::Failed | Status::Skipped)
        })
    }

    /// A branch that need not be entered: it is done, or waits for what is not there yet. None
    /// where that takes a closer look.
    fn idle(self, tree: &Tree, id: Id, now: Timestamp) -> Option<End> {
        let record = &tree[id];
        match (record.status, record.kind) {
            (Status::Done, _) => Some(End::Done),
            _ if self.run.is_held_up() => None,
            (Status::Waiting, Kind::Step) => match record.cold().until? {
                Until::Time(time) => {
                    (time > now && !self.run.eager).then_some(End::Waiting(Some(time)))
                }
                Until::Signal => record.cold().input.is_none().then_some(End::Waiting(None)),
            },
            (Status::Running, Kind::Item | Kind::Group) => record
                .children()
                .map(|id| self.idle(tree, id, now))
                .find(|idle| *idle != Some(End::Done))?,
            _ => None,
        }
    }

    /// The next branch to enter, while there is room. Those that only wait are put to the others
    /// that do.
    fn next_fresh(
        self,
        region: Id,
        fresh: &mut std::ops::Range<usize>,
        waiting: &mut Vec<(usize, Option<Timestamp>)>,
        room: usize,
        now: Timestamp,
    ) -> Option<usize> {
        let tree = self.run.tree();
        let first = tree[region].children().start;
        while waiting.len() < room {
            let index = fresh.next()?;
            let id = first + Id::try_from(index).unwrap_or(Id::MAX);
            match self.idle(&tree, id, now) {
                Some(End::Done) => {}
                Some(End::Waiting(until)) => waiting.push((index, until)),
                _ => return Some(index),
            }
        }
        None
    }

    async fn at_once<'s>(
        self,
        region: Id,
        count: usize,
        limit: usize,
        now: Timestamp,
        branch: impl Fn(usize, Timestamp) -> BoxFuture<'s, Kept<End>>,
    ) -> Kept<End> {
        // One that failed before an earlier process ended stops those that have not begun.
        if self.has_failed_below(region) {
            self.run.cancel(region);
        }
        let _at_once = self.run.at_once();
        let mut fresh = 0..count;
        // Those whose time has come again.
        let mut ready: VecDeque<usize> = VecDeque::new();
        let mut waiting: Vec<(usize, Option<Timestamp>)> = Vec::new();
        let mut running = FuturesUnordered::new();
        let mut worst = End::Done;
        let mut now = now;
        let mut heeded = self.run.news();
        loop {
            let news = self.run.news();
            if news != heeded {
                let all = news.asked != heeded.asked && news.asked.undoes();
                heeded = news;
                // They give up; or one has got its signal.
                ready.extend(self.roused(region, &mut waiting, all, now));
            }
            let halted = self.gate(region) == Gate::Halted;
            // One that waits has begun and not ended, so it counts.
            while !halted
                && let Some(index) = ready.pop_front().or_else(|| {
                    let room = limit.saturating_sub(running.len());
                    self.next_fresh(region, &mut fresh, &mut waiting, room, now)
                })
            {
                let future = branch(index, now);
                running.push(async move {
                    let ended = future.await;
                    if matches!(ended, Ok(End::Failed | End::Interrupted)) {
                        self.run.cancel(region);
                    }
                    // What it recorded last must not wait for its siblings. Here and not below, where
                    // nobody would poll a sibling that is about to commit, and so is before it.
                    let safe = self.run.commit().await;
                    (index, ended.and_then(|end| safe.map(|()| end)))
                });
            }
            if running.is_empty() {
                break;
            }
            let ended = if waiting.is_empty() {
                running.next().await
            } else {
                let alarm = std::pin::pin!(self.alarm(soonest(&waiting), heeded));
                match select(running.next(), alarm).await {
                    Either::Left((ended, _)) => ended,
                    Either::Right(((), _)) => None,
                }
            };
            now = self.now();
            if let Some((index, end)) = ended {
                match end? {
                    End::Done => {}
                    End::Waiting(until) => waiting.push((index, until)),
                    end @ (End::Failed | End::Interrupted) => {
                        if worst != End::Failed {
                            worst = end;
                            // They take note that it is over.
                            ready.extend(waiting.drain(..).map(|(index, _)| index));
                        }
                    }
                }
            }
            waiting.retain(|(index, until)| {
                let is_due = until.is_some_and(|until| until <= now);
                if is_due {
                    ready.push_back(*index);
                }
                !is_due
            });
        }
        // After a failure only an atomic branch still waits, which is let finish; or all is halted.
        if waiting.is_empty() && ready.is_empty() && fresh.is_empty() {
            Ok(worst)
        } else {
            Ok(End::Waiting(soonest(&waiting)))
        }
    }

    /// Takes out those that wait no more, or all.
    fn roused(
        self,
        region: Id,
        waiting: &mut Vec<(usize, Option<Timestamp>)>,
        all: bool,
        now: Timestamp,
    ) -> Vec<usize> {
        let tree = self.run.tree();
        let first = tree[region].children().start;
        let roused = waiting.extract_if(.., |(index, _)| {
            let id = first + Id::try_from(*index).unwrap_or(Id::MAX);
            all || !matches!(self.idle(&tree, id, now), Some(End::Waiting(_)))
        });
        roused.map(|(index, _)| index).collect()
    }

    /// Ends when it is time for a branch that waits, or there is other news.
    async fn alarm(self, due: Option<Timestamp>, heeded: News) {
        let asked = std::pin::pin!(self.run.other_news(heeded));
        match due {
            Some(time) => {
                let due = std::pin::pin!(self.run.clock.sleep_until(time));
                select(due, asked).await;
            }
            None => asked.await,
        }
    }
}

fn soonest(waiting: &[(usize, Option<Timestamp>)]) -> Option<Timestamp> {
    waiting
        .iter()
        .fold(None, |soonest, (_, at)| sooner(soonest, *at))
}
