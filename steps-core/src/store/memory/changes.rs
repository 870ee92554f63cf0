//! Subscriptions, and the changes that are kept for them.

use std::{
    collections::{BTreeMap, HashSet},
    convert::Infallible,
};

use jiff::Timestamp;

use super::{row::Row, rows::Rows};
use crate::{
    model::status::Status,
    store::{
        Before, Change, ChangeQuery, Changed, NodeReader, NodeRow, Rewrite, Settled, Subscription,
        SubscriptionInfo, WhichChanges,
    },
};

/// All subscriptions, and all changes that are kept.
#[derive(Default)]
pub(super) struct Changes {
    /// By their names.
    subscriptions: BTreeMap<String, SubscriptionInfo>,
    /// Those that have not ended.
    open: Vec<Subscription>,
    /// By their numbers, each with the name of its subscription.
    kept: BTreeMap<i64, (String, Change)>,
    last: i64,
}

/// What was there before a write, and what the write brings.
pub(super) struct BeforeWrite {
    before: Before,
    nodes: Vec<NodeRow>,
    how: Rewrite,
}

impl NodeReader for Row {
    type Error = Infallible;

    fn execution_status(&self) -> Result<Status, Infallible> {
        Ok(self.info.status)
    }

    fn status(&self, node: u32) -> Result<Option<Status>, Infallible> {
        Ok(self.nodes.get(&node).map(|row| row.node.status))
    }

    fn place(&self, node: u32) -> Result<Option<(u32, String)>, Infallible> {
        let row = self.nodes.get(&node);
        Ok(row.map(|row| (row.parent, row.node.name.to_string())))
    }

    fn all(&self) -> Result<Vec<NodeRow>, Infallible> {
        Ok(self.nodes.values().cloned().collect())
    }
}

impl Rows {
    /// Looks at what is there before a write to an execution.
    pub(super) fn before(
        &self,
        row: &Row,
        nodes: &[NodeRow],
        replace: bool,
    ) -> Option<BeforeWrite> {
        let how = if replace { Rewrite::All } else { Rewrite::Some };
        self.before_as(row, nodes, how)
    }

    /// The same before a write that makes it.
    pub(super) fn before_new(&self, row: &Row, nodes: &[NodeRow]) -> Option<BeforeWrite> {
        self.before_as(row, nodes, Rewrite::New)
    }

    fn before_as(&self, row: &Row, nodes: &[NodeRow], how: Rewrite) -> Option<BeforeWrite> {
        let changed = changed(row, nodes, how, self.now.wall);
        let Ok(before) = Before::of(&self.changes.open, &changed, row);
        let nodes = before.as_ref().map(|_| nodes.to_vec());
        before
            .zip(nodes)
            .map(|(before, nodes)| BeforeWrite { before, nodes, how })
    }

    /// Keeps what a write has changed.
    pub(super) fn changed(&mut self, key: i64, before: Option<BeforeWrite>) {
        let Some((BeforeWrite { before, nodes, how }, row)) = before.zip(self.by_key.get(&key))
        else {
            return;
        };
        let changed = changed(row, &nodes, how, self.now.wall);
        let Ok(found) = before.changes(&self.changes.open, &changed, row);
        for (subscription, mut change) in found {
            self.changes.last += 1;
            change.number = self.changes.last;
            let kept = (subscription.to_owned(), change);
            self.changes.kept.insert(self.changes.last, kept);
        }
    }

    pub(super) fn subscribe(&mut self, subscription: Subscription) {
        let now = self.now.wall;
        let changes = &mut self.changes;
        let name = subscription.name.clone();
        let new = SubscriptionInfo::new(subscription.clone(), now);
        let info = changes.subscriptions.entry(name).or_insert(new);
        info.subscription = subscription;
        changes.reopen();
    }
}

fn changed<'a>(row: &'a Row, nodes: &'a [NodeRow], how: Rewrite, at: Timestamp) -> Changed<'a> {
    Changed {
        id: &row.info.id,
        flow: &row.info.flow,
        at,
        nodes,
        how,
    }
}

impl Changes {
    fn reopen(&mut self) {
        let open = self.subscriptions.values();
        let open = open.filter(|info| info.ended.is_none());
        self.open = open.map(|info| info.subscription.clone()).collect();
    }

    pub(super) fn unsubscribe(&mut self, name: &str) -> bool {
        let removed = self.subscriptions.remove(name).is_some();
        self.kept.retain(|_, (of, _)| of != name);
        self.reopen();
        removed
    }

    pub(super) fn end(&mut self, name: &str, why: String) -> bool {
        let Some(info) = self.subscriptions.get_mut(name) else {
            return false;
        };
        info.ended = Some(why);
        self.kept.retain(|_, (of, _)| of != name);
        self.reopen();
        true
    }

    pub(super) fn subscriptions(&self) -> Vec<SubscriptionInfo> {
        let all = self.subscriptions.values().map(|info| {
            let mut info = info.clone();
            for change in self.of(&info.subscription.name) {
                info.waiting += 1;
                info.failed += u64::from(change.attempts > 0);
                info.oldest = info.oldest.or(Some(change.at));
            }
            info
        });
        all.collect()
    }

    fn of(&self, subscription: &str) -> impl Iterator<Item = &Change> {
        let kept = self.kept.values().filter(move |(of, _)| of == subscription);
        kept.map(|(_, change)| change)
    }

    pub(super) fn list(&self, query: &ChangeQuery) -> Vec<Change> {
        let all = self.of(&query.subscription);
        let mut failed: Vec<&Change> = all.filter(|change| change.attempts > 0).collect();
        match query.which {
            WhichChanges::New { after } => {
                let held: HashSet<&str> = failed.iter().map(|it| &*it.execution).collect();
                let new = self.of(&query.subscription).filter(|change| {
                    change.number > after
                        && change.attempts == 0
                        && !held.contains(&*change.execution)
                });
                new.take(query.limit).cloned().collect()
            }
            WhichChanges::Failed => {
                failed.sort_by_key(|change| (change.due, change.number));
                failed.into_iter().take(query.limit).cloned().collect()
            }
        }
    }

    pub(super) fn settle(&mut self, settled: Settled) {
        let Settled {
            subscription,
            done,
            failed,
        } = settled;
        for number in done {
            if self
                .kept
                .get(&number)
                .is_some_and(|(of, _)| *of == subscription)
            {
                self.kept.remove(&number);
            }
        }
        for failed in failed {
            let kept = self.kept.get_mut(&failed.number);
            if let Some((_, change)) = kept.filter(|(of, _)| *of == subscription) {
                change.attempts = failed.attempts;
                change.due = Some(failed.due);
                change.failure = Some(failed.failure);
            }
        }
    }
}
