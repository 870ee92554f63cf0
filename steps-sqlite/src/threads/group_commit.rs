//! One transaction for many calls, of which a bad one fails alone.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use steps_core::store::{ErrorKind, StoreError};

use super::call::Task;
use crate::{
    error::{Fail, Result},
    file::{clock::Clock, identity::File},
    ops::txn::Txn,
};

/// The most calls in one transaction: so many that a sync costs each of them nothing, and so few
/// that the first of them doesn't wait long for the last.
pub(super) const GROUP: usize = 512;

/// Commits all tasks, and answers each; before that it tells `before` how long the end of the
/// transaction took: mostly, the sync.
pub(super) fn commit(
    conn: &Connection,
    file: &File,
    clock: &Clock,
    tasks: &mut Vec<Box<dyn Task>>,
    before: impl FnOnce(Duration),
) {
    if let Err(error) = file.check() {
        return answer_all(tasks, &error);
    }
    let mut failed = Vec::new();
    match together(conn, clock, tasks, &mut failed) {
        Ok(end) => {
            let outcome = file.check();
            before(end);
            let mut failed = failed.into_iter().peekable();
            for (index, task) in tasks.drain(..).enumerate() {
                let own = failed.next_if(|(of, _)| *of == index);
                task.answer(match own {
                    Some((_, fail)) => Err(fail.of(file.path())),
                    None => outcome.clone(),
                });
            }
        }
        Err(fail) if tasks.len() == 1 => answer_all(tasks, &fail.of(file.path())),
        Err(fail) => {
            let error = fail.of(file.path());
            if of_all(error.kind()) {
                answer_all(tasks, &error);
            } else {
                one_by_one(conn, file, clock, tasks);
            }
        }
    }
}

/// Whether an error is not one task's doing, so that it would meet each of them. Where the disk is
/// full, a smaller one may still have room.
fn of_all(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Busy | ErrorKind::ReadOnly | ErrorKind::Io | ErrorKind::Gone
    )
}

/// Runs all tasks in one transaction, and gives how long its end took. Those that failed without
/// having changed anything are in `failed`; an error is one after which nothing is left of any.
fn together(
    conn: &Connection,
    clock: &Clock,
    tasks: &mut [Box<dyn Task>],
    failed: &mut Vec<(usize, Fail)>,
) -> Result<Duration> {
    begin(conn)?;
    let txn = Txn::of(conn);
    for (index, task) in tasks.iter_mut().enumerate() {
        let before = conn.total_changes();
        if let Err(fail) = task.run(&txn, clock.now()) {
            if conn.is_autocommit() || conn.total_changes() != before {
                roll_back(conn);
                return Err(fail);
            }
            failed.push((index, fail));
        }
    }
    let begun = Instant::now();
    end(conn)?;
    Ok(begun.elapsed())
}

/// Gives each task a transaction of its own, until one fails as all would.
fn one_by_one(conn: &Connection, file: &File, clock: &Clock, tasks: &mut Vec<Box<dyn Task>>) {
    let mut rest = tasks.drain(..);
    for mut task in rest.by_ref() {
        let outcome = alone(conn, clock, &mut *task).map_err(|fail| fail.of(file.path()));
        let outcome = outcome.and_then(|()| file.check());
        match outcome {
            Err(error) if of_all(error.kind()) => {
                task.answer(Err(error.clone()));
                for task in rest {
                    task.answer(Err(error.clone()));
                }
                return;
            }
            outcome => task.answer(outcome),
        }
    }
}

fn alone(conn: &Connection, clock: &Clock, task: &mut dyn Task) -> Result<()> {
    begin(conn)?;
    match task.run(&Txn::of(conn), clock.now()) {
        Ok(()) => end(conn),
        Err(fail) => {
            roll_back(conn);
            Err(fail)
        }
    }
}

fn begin(conn: &Connection) -> Result<()> {
    // Of a commit that ended in a panic.
    roll_back(conn);
    conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    Ok(())
}

fn end(conn: &Connection) -> Result<()> {
    let committed = conn.prepare_cached("COMMIT")?.execute([]);
    if committed.is_err() {
        roll_back(conn);
    }
    committed?;
    Ok(())
}

/// SQLite has done so itself after some errors.
fn roll_back(conn: &Connection) {
    if !conn.is_autocommit() {
        drop(conn.execute_batch("ROLLBACK"));
    }
}

fn answer_all(tasks: &mut Vec<Box<dyn Task>>, error: &StoreError) {
    for task in tasks.drain(..) {
        task.answer(Err(error.clone()));
    }
}
