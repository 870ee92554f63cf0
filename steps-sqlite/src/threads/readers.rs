//! The threads that read, each with a connection of its own, so that nobody waits for the writer.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rusqlite::Connection;
use steps_core::store::{ErrorKind, StoreError};
use tokio::sync::oneshot;

use super::{call::Call, queue::Queue};
use crate::{
    error::{Fail, Result, closed},
    file::{backup, connect, identity::FileIdentity, options::SqliteOptions},
    ops::txn::Txn,
};

/// Threads that read. They are started when they are needed.
pub(crate) struct Readers {
    queue: Arc<Queue<Call>>,
    options: SqliteOptions,
    file: FileIdentity,
    /// For each thread a channel that closes when the thread ends.
    running: Mutex<Vec<oneshot::Receiver<()>>>,
}

impl Readers {
    pub(crate) fn new(options: SqliteOptions, file: FileIdentity) -> Self {
        Self {
            queue: Arc::new(Queue::new()),
            options,
            file,
            running: Mutex::new(Vec::new()),
        }
    }

    /// Has a call done by one of the threads.
    pub(crate) fn push(&self, call: Call) -> Result<(), StoreError> {
        match self.queue.push(call) {
            Err(_) => Err(closed(self.file.path())),
            Ok(true) => Ok(()),
            Ok(false) => self.one_more(),
        }
    }

    /// Starts another thread, unless there are as many as the options allow.
    fn one_more(&self) -> Result<(), StoreError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain_mut(|end| end.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        if running.len() >= self.options.readers {
            return Ok(());
        }
        let (end, ended) = oneshot::channel();
        let queue = Arc::clone(&self.queue);
        let options = self.options.clone();
        let file = self.file.clone();
        let started = thread::Builder::new()
            .name("steps-sqlite-read".to_owned())
            .spawn(move || {
                run(&queue, &options, &file);
                drop(end);
            });
        match started {
            Ok(_) => running.push(ended),
            // The threads that run already will do it.
            Err(_) if !running.is_empty() => {}
            Err(error) => return Err(self.no_thread("read", error)),
        }
        Ok(())
    }

    /// Copies the file to another one, on a thread of its own.
    pub(crate) async fn backup(&self, to: PathBuf) -> Result<(), StoreError> {
        self.apart("copy", move |file, options| {
            backup::backup(file, options, &to)
        })
        .await
    }

    /// Writes the file anew, on a thread of its own.
    pub(crate) async fn compact(&self) -> Result<(), StoreError> {
        self.apart("compact", connect::compact).await
    }

    /// Does something with the whole file on a thread of its own.
    async fn apart(
        &self,
        what: &str,
        work: impl FnOnce(&FileIdentity, &SqliteOptions) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        let options = self.options.clone();
        let file = self.file.clone();
        let done = move || drop(done.send(work(&file, &options)));
        thread::Builder::new()
            .name(format!("steps-sqlite-{what}"))
            .spawn(done)
            .map_err(|error| self.no_thread(what, error))?;
        answer
            .await
            .unwrap_or_else(|_| Err(closed(self.file.path())))
    }

    fn no_thread(&self, what: &str, error: io::Error) -> StoreError {
        let path = self.file.path().display();
        let message = format!("{path}: no thread can be started to {what} it");
        StoreError::new(ErrorKind::Other, message).with_source(error)
    }

    /// Refuses new calls. The threads end when those that wait are done.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    /// Closes, and waits until all connections are closed.
    pub(crate) async fn closed(&self) {
        self.close();
        let running = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *running)
        };
        for end in running {
            drop(end.await);
        }
    }
}

fn run(queue: &Queue<Call>, options: &SqliteOptions, file: &FileIdentity) {
    let mut conn = None;
    let mut calls = Vec::with_capacity(1);
    while queue.take(1, &mut calls) {
        for call in calls.drain(..) {
            if call.is_abandoned() {
                continue;
            }
            let outcome = read(&mut conn, options, file, &call);
            call.answer(outcome);
        }
    }
}

/// Reads by the connection that is kept, or by a new one. It is kept on only if nothing went wrong.
fn read(
    kept: &mut Option<Connection>,
    options: &SqliteOptions,
    file: &FileIdentity,
    call: &Call,
) -> Result<(), StoreError> {
    file.check()?;
    let conn = match kept.take() {
        Some(conn) => conn,
        None => connect::reader(file.path(), options)?,
    };
    conn.prepare_cached("BEGIN")
        .and_then(|mut begin| begin.execute([]))
        .map_err(|error| Fail::from(error).of(file.path()))?;
    let outcome = call.run(&Txn::of(&conn), options.clock.now());
    // It may fail after damaged pages: what was read is no less right.
    let ended = conn
        .prepare_cached("COMMIT")
        .and_then(|mut commit| commit.execute([]));
    if outcome.is_ok() && ended.is_ok() {
        *kept = Some(conn);
    }
    outcome.map_err(|fail| fail.of(file.path()))
}
