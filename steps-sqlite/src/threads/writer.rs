//! The connection that writes, and its thread, which takes the calls that wait, commits them
//! together and answers each. A single caller may commit on its own thread instead, in place.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::ErrorCode;
use steps_core::store::{ErrorKind, InTransaction, Lease, StoreError, Transacted};
use tokio::{sync::oneshot, task::block_in_place};

use super::{
    call::Call,
    group_commit::{self, GROUP, WritingConnection},
    pacing::{LastCommit, Pacing},
    queue::Queue,
};
use crate::{
    error::{Fail, Result, closed},
    file::{clock::Clock, connect, identity::FileIdentity, options::SqliteOptions},
};

/// A commit that takes longer has waited for something else, such as a lock or a checkpoint: its
/// time says nothing about the next one, so no more than this is counted of it.
const LONG: Duration = Duration::from_millis(10);

/// The connection that writes, and the calls that wait for it.
pub(crate) struct Writer {
    pub(crate) file: FileIdentity,
    pub(crate) queue: Queue<Call>,
    clock: Clock,
    /// `None` once it is closed.
    conn: Mutex<Option<WritingConnection>>,
    /// Whether the last commit had a single caller, and no other call has arrived since.
    alone: AtomicBool,
}

/// Receives how the thread ended, when it has.
pub(crate) type Ended = oneshot::Receiver<Result<(), StoreError>>;

impl Writer {
    /// Starts the thread, which opens the file first.
    pub(crate) async fn start(options: SqliteOptions) -> Result<(Arc<Self>, Ended), StoreError> {
        let (opened, open) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let path = options.path.clone();
        let broken = move |why: &str| {
            let path = path.display();
            StoreError::new(ErrorKind::Other, format!("{path}: {why}"))
        };
        thread::Builder::new()
            .name("steps-sqlite".to_owned())
            .spawn(move || {
                let (conn, file) = match connect::writer(&options) {
                    Ok((conn, file)) => (conn, file),
                    Err(error) => return drop(opened.send(Err(error))),
                };
                let writer = Arc::new(Self {
                    file,
                    queue: Queue::new(),
                    clock: options.clock,
                    conn: Mutex::new(Some(WritingConnection::new(
                        conn,
                        options.busy_timeout,
                        options.room,
                    ))),
                    alone: AtomicBool::new(true),
                });
                if opened.send(Ok(Arc::clone(&writer))).is_err() {
                    return;
                }
                let abandon = Abandon(&writer.queue);
                writer.run();
                drop(abandon);
                drop(end.send(writer.finish()));
            })
            .map_err(|error| broken("no thread can be started").with_source(error))?;
        let writer = open
            .await
            .unwrap_or_else(|_| Err(broken("the thread that opens it has ended")))?;
        Ok((writer, ended))
    }

    /// A poisoned lock is taken all the same: a transaction that a panic left open is rolled back
    /// before the next one begins.
    fn lock(&self) -> MutexGuard<'_, Option<WritingConnection>> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut calls = Vec::with_capacity(GROUP);
        let mut pacing = Pacing::default();
        while self.queue.take(GROUP, &mut calls) {
            calls.retain(|call| !call.is_abandoned());
            if calls.is_empty() {
                continue;
            }
            // Before the lock is waited for: a caller that commits in place again and again goes to
            // the queue from now on, and so lets go of the connection.
            self.alone.store(false, Ordering::Relaxed);
            // Also locked while `pacing` waits, so that no caller commits in place meanwhile.
            let conn = self.lock();
            let Some(conn) = &*conn else { return };
            let (begun, mut callers, mut end) = (Instant::now(), calls.len(), Duration::ZERO);
            group_commit::commit(conn, &self.file, &self.clock, &mut calls, |took| {
                callers += self.queue.len();
                end = took;
            });
            self.alone.store(callers == 1, Ordering::Relaxed);
            let last = LastCommit {
                callers,
                took: begun.elapsed().min(LONG),
                end: end.min(LONG),
            };
            pacing.wait(&self.queue, &last);
        }
    }

    /// Commits a call on the caller's thread if nobody else has anything to write, and returns the
    /// call otherwise. Must be called from a task of a multi-threaded tokio runtime.
    pub(crate) fn in_place(&self, call: Call) -> Result<(), Call> {
        if !self.alone.load(Ordering::Relaxed) || !self.queue.is_idle() {
            return Err(call);
        }
        let conn = match self.conn.try_lock() {
            Ok(conn) => conn,
            Err(TryLockError::Poisoned(conn)) => conn.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(call),
        };
        let Some(conn) = &*conn else { return Err(call) };
        let mut calls = vec![call];
        block_in_place(|| {
            group_commit::commit(conn, &self.file, &self.clock, &mut calls, |_| ());
        });
        if self.queue.len() > 0 {
            self.alone.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Has the work of a step done in a transaction of its own, on the caller's thread, which waits until the
    /// connection is free.
    pub(crate) fn transact(
        &self,
        lease: Lease,
        name: &str,
        work: Box<dyn InTransaction + '_>,
    ) -> Result<Transacted, StoreError> {
        match &mut *self.lock() {
            Some(conn) => group_commit::transact(conn, &self.file, (lease, name), work),
            None => Err(closed(self.file.path())),
        }
    }

    /// Copies the write-ahead log into the database, and closes the connection.
    fn finish(&self) -> Result<(), StoreError> {
        let Some(WritingConnection { conn, .. }) = self.lock().take() else {
            return Ok(());
        };
        // Without waiting for others: whoever else has the file open copies what is left.
        let copied = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        let copied = match copied {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
            other => other,
        };
        // What was committed is lost with a file that is gone. Closing deletes the log.
        let is_there = self.file.check();
        conn.flush_prepared_statement_cache();
        let closed = conn.close().map_err(|(_, error)| error);
        copied
            .and(closed)
            .map_err(|error| Fail::Sql(error).of(self.file.path()))
            .and(is_there)
    }
}

/// Drops the calls that wait when the thread ends, be it by a panic: their callers then get an
/// answer.
struct Abandon<'a>(&'a Queue<Call>);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
