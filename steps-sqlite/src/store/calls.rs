//! How a call is made: with room for what it brings, and by one of the threads.

use std::sync::{Arc, atomic::Ordering};

use steps_core::store::{BoxFuture, StoreError, Write, Written};

use super::{Inner, SqliteStore, WAITING};
use crate::{
    error::Result,
    file::clock::Now,
    ops::{self, txn::Txn},
    row::size,
    threads::{
        call::{self, Call},
        readers::Readers,
    },
};

impl SqliteStore {
    /// Waits for room, hands the call to one of the threads with `push`, and waits for the answer.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        bytes: usize,
        push: impl FnOnce(&Inner, Call) -> Result<(), StoreError>,
        work: impl FnMut(&Txn<'_>, Now) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = &self.inner;
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(self.closed());
        }
        let size = u32::try_from(bytes / 1024).map_or(WAITING, |kib| (1 + kib).min(WAITING));
        // Mostly there is room.
        let permit = match Arc::clone(&inner.room).try_acquire_many_owned(size) {
            Ok(permit) => permit,
            Err(_) => {
                let room = Arc::clone(&inner.room).acquire_many_owned(size);
                Box::pin(room).await.map_err(|_| self.closed())?
            }
        };
        let (call, answer) = call::new(permit, work);
        let _held = inner.clock.hold();
        push(inner, call)?;
        answer.await.unwrap_or_else(|| Err(self.closed()))
    }

    /// A call that writes, and may take an execution from whoever holds it.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        bytes: usize,
        mut work: impl FnMut(&Txn<'_>, Now) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let work = move |txn: &Txn<'_>, now| {
            txn.forget_leases();
            work(txn, now)
        };
        self.call(bytes, Inner::push, work).await
    }

    /// A call that writes, and itself forgets the leases that it takes, if it takes any.
    pub(super) async fn change_known<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnMut(&Txn<'_>, Now) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(bytes, Inner::push, work).await
    }

    pub(super) fn write_by(
        &self,
        push: fn(&Inner, Call) -> Result<(), StoreError>,
        write: Write,
    ) -> BoxFuture<'_, Result<Written, StoreError>> {
        let bytes = size::of_write(&write);
        let work = move |txn: &Txn<'_>, now| ops::write::write(txn, &write, now);
        Box::pin(self.call(bytes, push, work))
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        by: fn(&Inner) -> &Readers,
        work: impl FnMut(&Txn<'_>, Now) -> Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let push = |inner: &Inner, call| by(inner).push(call);
        self.call(0, push, work).await
    }
}
