//! Calls that take several transactions, so that no one of them holds others up for long: claims of large
//! trees, deletions, checks; and the transactions of steps.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use steps_core::store::{
    CheckReport, Claim, Claimed, Due, ExecutionQuery, InTransaction, Lease, LeaseAfter, Refuser,
    Share, Store, StoreError, Target, Transacted, Write,
};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

use super::{Inner, SqliteStore};
use crate::{
    error::Fail,
    file::schema,
    ops::{self, txn::Txn},
};

impl SqliteStore {
    /// Has the work of a step done in a transaction, on the caller's thread.
    pub(super) async fn transact_here(
        &self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + '_>,
    ) -> Result<Transacted, StoreError> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(self.closed());
        }
        let _held = self.inner.clock.hold();
        let transact = || self.inner.writer.transact(lease, &name, work);
        let runtime = Handle::try_current().map(|runtime| runtime.runtime_flavor());
        match runtime {
            Ok(RuntimeFlavor::MultiThread) => block_in_place(transact),
            _ => transact(),
        }
    }

    /// Claims what a share holds; a tree that alone is larger is read afterwards.
    pub(super) async fn claim_and_read(&self, claim: Claim) -> Result<Claimed, StoreError> {
        let claim = move |conn: &Txn<'_>, now| {
            schema::unchanged(conn)?;
            ops::claim::claim(conn, &claim, now)
        };
        let answer = self.change_known(0, claim).await?;
        match answer.unread {
            None => Ok(answer.claimed),
            Some(by) => self.read_held(answer.claimed, by).await,
        }
    }

    /// Reads the nodes of the one execution that a claim has taken, beside the thread that writes, which
    /// would be held up for long. Nobody else changes them while it is held.
    async fn read_held(
        &self,
        mut claimed: Claimed,
        refuser: Refuser,
    ) -> Result<Claimed, StoreError> {
        let Some(held) = claimed.taken.last_mut() else {
            return Ok(claimed);
        };
        let lease = held.lease;
        let nodes = move |txn: &Txn<'_>, now| {
            let found = ops::execution::by_key(txn, lease.key, now)?;
            let mut all = Share::UNBOUNDED;
            let nodes = found.map(|mut execution| execution.nodes(txn, &mut all));
            Ok(nodes.transpose()?.flatten().unwrap_or_default())
        };
        let nodes = self.read(Inner::lookups, move |txn: &Txn<'_>, now| {
            match nodes(txn, now) {
                Ok(nodes) => Ok(Ok(nodes)),
                Err(Fail::Row(why)) => Ok(Err(why)),
                Err(other) => Err(other),
            }
        });
        match nodes.await {
            Ok(Ok(nodes)) => held.nodes = nodes,
            Ok(Err(why)) => {
                let set_aside = move |txn: &Txn<'_>, _| {
                    ops::unreadable::set_aside_held(txn, lease, refuser, &why)
                };
                self.change_known(0, set_aside).await?;
                claimed.taken.clear();
            }
            Err(error) => {
                let due = LeaseAfter::Release {
                    due: Due::Now,
                    last_message: 0,
                };
                // If this fails, too, the execution is due again when the lease has ended.
                drop(self.write(Write::new(Target::Held(lease), due)).await);
                return Err(error);
            }
        }
        Ok(claimed)
    }

    /// Deletes what a share holds, again and again, and lets the file shrink by what that has left.
    pub(super) async fn delete_in_parts(&self, query: ExecutionQuery) -> Result<u64, StoreError> {
        let query = Arc::new(query);
        let of = Arc::clone(&query);
        let keys = move |txn: &Txn<'_>, now| ops::delete::keys(txn, &of, now);
        let keys = self.read(Inner::readers_for(&query), keys).await?;
        let keys: Arc<[i64]> = keys.into();
        let (mut deleted, mut seen, mut has_rest) = (0, 0, false);
        while seen < keys.len() || has_rest {
            let (query, keys) = (Arc::clone(&query), Arc::clone(&keys));
            let part = move |txn: &Txn<'_>, now| ops::delete::part(txn, &query, &keys[seen..], now);
            let part = self.change(0, part).await?;
            deleted += part.deleted;
            seen += part.seen;
            has_rest = part.has_rest;
        }
        while deleted > 0
            && self
                .change_known(0, |txn, _| ops::delete::shrink(txn))
                .await?
        {}
        Ok(deleted)
    }

    /// Ends a subscription, which keeps no changes from then on, and deletes those that it has.
    pub(super) async fn end_in_parts(&self, name: String, why: String) -> Result<bool, StoreError> {
        let name: Arc<str> = name.into();
        let of = Arc::clone(&name);
        let end = move |txn: &Txn<'_>, _| {
            schema::unchanged(txn)?;
            ops::subscriptions::end(txn, &of, &why)
        };
        let (is_there, mut has_more) = self.change_known(0, end).await?;
        while has_more {
            let of = Arc::clone(&name);
            let more = move |txn: &Txn<'_>, _| ops::subscriptions::has_more(txn, &of);
            has_more = self.change_known(0, more).await?;
        }
        Ok(is_there)
    }

    /// Removes a subscription, when it has ended and its changes are deleted.
    pub(super) async fn unsubscribe_in_parts(&self, name: String) -> Result<bool, StoreError> {
        let is_there = self
            .end_in_parts(name.clone(), "forgotten".to_owned())
            .await?;
        let remove = move |txn: &Txn<'_>, _| ops::subscriptions::remove(txn, &name);
        self.change_known(0, remove).await?;
        Ok(is_there)
    }

    /// Reads in several transactions, so that the log is not held up; only SQLite's own check of the
    /// pages is one.
    pub(super) async fn check_in_parts(&self) -> Result<CheckReport, StoreError> {
        let file = |txn: &Txn<'_>, _| {
            let mut report = CheckReport::default();
            ops::check::file(txn, &mut report)?;
            Ok(report)
        };
        let mut report = self.read(Inner::lists, file).await?;
        let mut after = Some(0);
        while let Some(key) = after {
            let page = move |txn: &Txn<'_>, now| {
                let mut report = report.clone();
                let last = ops::check::page(txn, key, &mut report, now)?;
                Ok((report, last))
            };
            (report, after) = self.read(Inner::lists, page).await?;
        }
        Ok(report)
    }

    /// Closes this clone, and with the last of them the file, when all calls are done.
    pub(super) async fn close_in_order(&self) -> Result<(), StoreError> {
        if self.is_closed.swap(true, Ordering::Relaxed) {
            return Err(self.closed());
        }
        if self.inner.open.fetch_sub(1, Ordering::Relaxed) > 1 {
            return Ok(());
        }
        let ended = {
            let mut ended = self
                .inner
                .ended
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            ended.take()
        };
        let Some(ended) = ended else {
            return Err(self.closed());
        };
        // No new calls to readers or writer. The writer closes last: it copies the log into the
        // database, which can't be done while somebody reads.
        self.inner.room.close();
        self.inner.lookups.closed().await;
        self.inner.lists.closed().await;
        self.inner.writer.queue.close();
        ended.await.unwrap_or(Ok(()))
    }
}
