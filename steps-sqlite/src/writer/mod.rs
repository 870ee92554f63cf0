//! The thread that writes: it takes what waits, commits it at once, and tells each caller.

mod crowd;
mod group;

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};
use steps_core::store::{ErrorKind, StoreError};
use tokio::sync::oneshot;

use crowd::Crowd;

use crate::{
    connect, error::Fail, file::File, ops::Result, options::SqliteOptions, queue::Queue, task::Task,
};

/// The most calls in one transaction: so many that a sync costs each of them nothing, and so few
/// that the first of them doesn't wait long for the last.
const GROUP: usize = 512;

/// A commit that takes longer has waited for something else, such as a lock or a checkpoint, and
/// says nothing of the next one.
const LONG: Duration = Duration::from_millis(10);

/// What becomes of the thread: the file that it opened, and how it ended.
pub(crate) struct Started {
    pub(crate) file: File,
    pub(crate) ended: oneshot::Receiver<Result<(), StoreError>>,
}

/// Starts the thread, which opens the file first.
pub(crate) async fn start(
    options: SqliteOptions,
    queue: Arc<Queue<Box<dyn Task>>>,
) -> Result<Started, StoreError> {
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
            if opened.send(Ok(file.clone())).is_err() {
                return;
            }
            let abandon = Abandon(&queue);
            run(&conn, &file, &options, abandon.0);
            drop(end.send(finish(conn, &file)));
        })
        .map_err(|error| broken("no thread can be started").with_source(error))?;
    let file = open
        .await
        .unwrap_or_else(|_| Err(broken("the thread that opens it has ended")))?;
    Ok(Started { file, ended })
}

/// Callers are told even if the thread ends by a panic: dropping what waits does.
struct Abandon<'a>(&'a Queue<Box<dyn Task>>);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn run(conn: &Connection, file: &File, options: &SqliteOptions, queue: &Queue<Box<dyn Task>>) {
    let mut tasks = Vec::with_capacity(GROUP);
    let mut crowd = Crowd::default();
    while queue.take(GROUP, &mut tasks) {
        tasks.retain(|task| !task.is_abandoned());
        if !tasks.is_empty() {
            let (begun, mut callers) = (Instant::now(), tasks.len());
            group::commit(conn, file, &options.clock, &mut tasks, || {
                callers += queue.len();
            });
            crowd.gather(queue, callers, begun.elapsed().min(LONG));
        }
    }
}

/// Copies the log into the database and closes it.
fn finish(conn: Connection, file: &File) -> Result<(), StoreError> {
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
        .map_err(|error| Fail::Sql(error).of(file.path()))
}
