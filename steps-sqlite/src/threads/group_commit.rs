//! Group commit: one transaction for many calls, in which a call that fails does not affect the
//! others.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use steps_core::store::{ErrorKind, StoreError};

use super::call::Call;
use crate::{
    error::{Fail, Result},
    file::{clock::Clock, identity::FileIdentity},
    ops::txn::Txn,
};

/// The most calls in one transaction: enough that each one's share of the sync is negligible, and
/// few enough that the first call does not wait long for the last one.
pub(super) const GROUP: usize = 512;

/// Commits all calls and answers each of them. Between the commit and the answers it passes
/// `committed` the time that `COMMIT` took, which is mostly the sync.
pub(super) fn commit(
    conn: &Connection,
    file: &FileIdentity,
    clock: &Clock,
    calls: &mut Vec<Box<dyn Call>>,
    committed: impl FnOnce(Duration),
) {
    if let Err(error) = file.check() {
        return answer_all(calls, &error);
    }
    let mut failed = Vec::new();
    match together(conn, clock, calls, &mut failed) {
        Ok(end) => {
            let outcome = file.check();
            committed(end);
            let mut failed = failed.into_iter().peekable();
            for (index, call) in calls.drain(..).enumerate() {
                let own = failed.next_if(|(of, _)| *of == index);
                call.answer(match own {
                    Some((_, fail)) => Err(fail.of(file.path())),
                    None => outcome.clone(),
                });
            }
        }
        Err(fail) if calls.len() == 1 => answer_all(calls, &fail.of(file.path())),
        Err(fail) => {
            let error = fail.of(file.path());
            if concerns_all(error.kind()) {
                answer_all(calls, &error);
            } else {
                one_by_one(conn, file, clock, calls);
            }
        }
    }
}

/// Whether an error has nothing to do with the single call, so that every call would fail with it.
/// `Full` is not such an error: there may still be room for a smaller call.
fn concerns_all(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Busy | ErrorKind::ReadOnly | ErrorKind::Io | ErrorKind::Gone
    )
}

/// Runs all calls in one transaction, and returns how long `COMMIT` took. Calls that failed without
/// having changed anything are added to `failed`, and the others are committed. After an error the
/// whole transaction is rolled back.
fn together(
    conn: &Connection,
    clock: &Clock,
    calls: &mut [Box<dyn Call>],
    failed: &mut Vec<(usize, Fail)>,
) -> Result<Duration> {
    begin(conn)?;
    let txn = Txn::of(conn);
    for (index, call) in calls.iter_mut().enumerate() {
        let before = conn.total_changes();
        if let Err(fail) = call.run(&txn, clock.now()) {
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

/// Runs each call in a transaction of its own. After an error that concerns all calls, the
/// remaining ones are not tried.
fn one_by_one(
    conn: &Connection,
    file: &FileIdentity,
    clock: &Clock,
    calls: &mut Vec<Box<dyn Call>>,
) {
    let mut rest = calls.drain(..);
    for mut call in rest.by_ref() {
        let outcome = alone(conn, clock, &mut *call).map_err(|fail| fail.of(file.path()));
        let outcome = outcome.and_then(|()| file.check());
        match outcome {
            Err(error) if concerns_all(error.kind()) => {
                call.answer(Err(error.clone()));
                for call in rest {
                    call.answer(Err(error.clone()));
                }
                return;
            }
            outcome => call.answer(outcome),
        }
    }
}

fn alone(conn: &Connection, clock: &Clock, call: &mut dyn Call) -> Result<()> {
    begin(conn)?;
    match call.run(&Txn::of(conn), clock.now()) {
        Ok(()) => end(conn),
        Err(fail) => {
            roll_back(conn);
            Err(fail)
        }
    }
}

fn begin(conn: &Connection) -> Result<()> {
    // A panic during the last commit may have left its transaction open.
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

/// Rolls back the open transaction, if there is one: after some errors SQLite itself has done so.
fn roll_back(conn: &Connection) {
    if !conn.is_autocommit() {
        drop(conn.execute_batch("ROLLBACK"));
    }
}

fn answer_all(calls: &mut Vec<Box<dyn Call>>, error: &StoreError) {
    for call in calls.drain(..) {
        call.answer(Err(error.clone()));
    }
}
