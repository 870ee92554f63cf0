//! The connection that writes, and the thread that has it do so: it takes what waits, commits it at
//! once, and tells each caller. A caller that is alone may do that itself, in place.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};
use steps_core::store::{ErrorKind, StoreError};
use tokio::{sync::oneshot, task::block_in_place};

use super::{
    call::Task,
    group_commit::{self, GROUP},
    pacing::{Crowd, Round},
    queue::Queue,
};
use crate::{
    error::{Fail, Result},
    file::{clock::Clock, connect, identity::File, options::SqliteOptions},
};

/// A commit that takes longer has waited for something else, such as a lock or a checkpoint, and
/// says nothing of the next one.
const LONG: Duration = Duration::from_millis(10);

/// Where to bring what is to be written.
pub(crate) struct Writer {
    pub(crate) file: File,
    pub(crate) queue: Queue<Box<dyn Task>>,
    clock: Clock,
    /// None once it is closed.
    conn: Mutex<Option<Connection>>,
    /// Whether the last commit was that of one caller, and nobody has come since.
    alone: AtomicBool,
}

/// How the thread ended, when it has.
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
                    conn: Mutex::new(Some(conn)),
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

    /// A transaction that a panic left open is rolled back before the next one.
    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut tasks = Vec::with_capacity(GROUP);
        let mut crowd = Crowd::default();
        while self.queue.take(GROUP, &mut tasks) {
            tasks.retain(|task| !task.is_abandoned());
            if tasks.is_empty() {
                continue;
            }
            // Who commits in place, over and over, lets this pass.
            self.alone.store(false, Ordering::Relaxed);
            // Nobody does while this waits for others to come back.
            let conn = self.lock();
            let Some(conn) = &*conn else { return };
            let (begun, mut callers, mut end) = (Instant::now(), tasks.len(), Duration::ZERO);
            group_commit::commit(conn, &self.file, &self.clock, &mut tasks, |took| {
                callers += self.queue.len();
                end = took;
            });
            self.alone.store(callers == 1, Ordering::Relaxed);
            let round = Round {
                callers,
                took: begun.elapsed().min(LONG),
                end: end.min(LONG),
            };
            crowd.gather(&self.queue, &round);
        }
    }

    /// Commits this on the caller's thread, if nobody else has anything to write. Otherwise gives
    /// it back. Called from a task of a multi-threaded tokio runtime.
    pub(crate) fn in_place(&self, task: Box<dyn Task>) -> Result<(), Box<dyn Task>> {
        if !self.alone.load(Ordering::Relaxed) || !self.queue.is_idle() {
            return Err(task);
        }
        let conn = match self.conn.try_lock() {
            Ok(conn) => conn,
            Err(TryLockError::Poisoned(conn)) => conn.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(task),
        };
        let Some(conn) = &*conn else { return Err(task) };
        let mut tasks = vec![task];
        block_in_place(|| group_commit::commit(conn, &self.file, &self.clock, &mut tasks, |_| ()));
        if self.queue.len() > 0 {
            self.alone.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Copies the log into the database and closes it.
    fn finish(&self) -> Result<(), StoreError> {
        let Some(conn) = self.lock().take() else {
            return Ok(());
        };
        // Without waiting for anybody: where others have it open, they will copy what is left.
        let copied = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        let copied = match copied {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
            other => other,
        };
        conn.flush_prepared_statement_cache();
        let closed = conn.close().map_err(|(_, error)| error);
        copied
            .and(closed)
            .map_err(|error| Fail::Sql(error).of(self.file.path()))
    }
}

/// Callers are told even if the thread ends by a panic: dropping what waits does.
struct Abandon<'a>(&'a Queue<Box<dyn Task>>);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
