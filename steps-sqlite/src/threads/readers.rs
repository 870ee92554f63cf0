//! The threads that read, each with a connection of its own, so that nobody waits for the writer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rusqlite::Connection;
use steps_core::store::{ErrorKind, StoreError};
use tokio::sync::oneshot;

use super::{call::Task, queue::Queue};
use crate::{
    error::{Result, closed},
    file::{connect, identity::File, options::SqliteOptions},
    ops::txn::Txn,
};

/// Some threads, started when they are needed.
pub(crate) struct Readers {
    queue: Arc<Queue<Box<dyn Task>>>,
    options: SqliteOptions,
    file: File,
    /// One for each thread; it comes to its end with the thread.
    running: Mutex<Vec<oneshot::Receiver<()>>>,
}

impl Readers {
    pub(crate) fn new(options: SqliteOptions, file: File) -> Self {
        Self {
            queue: Arc::new(Queue::new()),
            options,
            file,
            running: Mutex::new(Vec::new()),
        }
    }

    /// Has a task done. Gives it back if the store is closed.
    pub(crate) fn push(&self, task: Box<dyn Task>) -> Result<(), StoreError> {
        match self.queue.push(task) {
            Err(_) => Err(closed(self.file.path())),
            Ok(true) => Ok(()),
            Ok(false) => self.one_more(),
        }
    }

    /// Starts another thread, if there may be one.
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
            // The others will do it.
            Err(_) if !running.is_empty() => {}
            Err(error) => {
                let path = self.file.path().display();
                let message = format!("{path}: no thread can be started to read it");
                return Err(StoreError::new(ErrorKind::Other, message).with_source(error));
            }
        }
        Ok(())
    }

    /// Takes no more tasks. The threads end when all is done.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    /// Waits until all connections are closed.
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

fn run(queue: &Queue<Box<dyn Task>>, options: &SqliteOptions, file: &File) {
    let mut conn = None;
    let mut tasks = Vec::with_capacity(1);
    while queue.take(1, &mut tasks) {
        for mut task in tasks.drain(..) {
            if task.is_abandoned() {
                continue;
            }
            let outcome = read(&mut conn, options, file, &mut *task);
            if outcome.is_err() {
                // Whatever it was, the next one begins anew.
                conn = None;
            }
            task.answer(outcome);
        }
    }
}

fn read(
    conn: &mut Option<Connection>,
    options: &SqliteOptions,
    file: &File,
    task: &mut dyn Task,
) -> Result<(), StoreError> {
    file.check()?;
    let conn = match conn {
        Some(conn) => conn,
        none => none.insert(connect::reader(file.path(), options)?),
    };
    let mut read = || {
        conn.prepare_cached("BEGIN")?.execute([])?;
        let read = task.run(&Txn::of(conn), options.clock.now());
        conn.prepare_cached("COMMIT")?.execute([])?;
        read
    };
    read().map_err(|fail| fail.of(file.path()))
}
