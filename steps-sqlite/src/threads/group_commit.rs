//! Group commit: one transaction for many calls, in which a call that fails does not affect the
//! others.

use std::{
    cell::{Cell, RefCell},
    path::Path,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};
use steps_core::{
    store::{ErrorKind, InTransaction, Lease, StoreError, Transacted},
    telemetry,
};

use super::call::Call;
use crate::{
    error::{Fail, Result},
    file::{clock::Clock, identity::FileIdentity, room::Room, schema},
    ops::{known::KnownLeases, transactions, txn::Txn},
};

/// The most calls in one transaction: enough that each one's share of the sync is negligible, and
/// few enough that the first call does not wait long for the last one.
pub(super) const GROUP: usize = 512;

/// The connection that writes, and what it knows of leases.
pub(super) struct WritingConnection {
    pub(super) conn: Connection,
    /// How long a call waits for a lock of somebody else's, from when it came.
    busy_timeout: Duration,
    known: RefCell<KnownLeases>,
    room: fn(&Path) -> Option<Room>,
    /// How many commits there were since the room on the disk was looked at.
    commits: Cell<u32>,
}

/// After so many commits the room on the disk is looked at.
const LOOK_AFTER: u32 = 8;

impl WritingConnection {
    pub(super) fn new(
        conn: Connection,
        busy_timeout: Duration,
        room: fn(&Path) -> Option<Room>,
    ) -> Self {
        Self {
            conn,
            busy_timeout: busy_timeout.min(LONGEST),
            known: RefCell::default(),
            room,
            commits: Cell::new(0),
        }
    }

    /// Copies the log into the database, now and then, if it would fill a small disk otherwise. Where a
    /// reader is in the way, another time does.
    fn make_room(&self, file: &FileIdentity) {
        self.commits.set(self.commits.get() + 1);
        if self.commits.get() < LOOK_AFTER {
            return;
        }
        self.commits.set(0);
        if (self.room)(file.log_path()).is_some_and(Room::is_scarce) {
            self.copy_log();
        }
    }

    /// Copies the log into the database, and empties it, unless somebody reads it: nobody is waited
    /// for.
    fn copy_log(&self) {
        let copy = "PRAGMA wal_checkpoint(TRUNCATE)";
        let at_once = self.conn.busy_timeout(Duration::ZERO);
        let copied = at_once.and_then(|()| self.conn.query_row(copy, [], |_| Ok(())));
        let restored = self.conn.busy_timeout(self.busy_timeout);
        // What fails here fails again where it matters.
        drop(copied.and(restored));
    }
}

/// The longest timeout that SQLite takes, in milliseconds.
const LONGEST: Duration = Duration::from_millis(i32::MAX.unsigned_abs() as u64);

/// What a call has waited before its turn is not worth a change of the connection's timeout.
const AT_ONCE: Duration = Duration::from_millis(20);

/// Commits all calls and answers each of them, also where somebody else has the database locked: then
/// each is told so when its own time is over. Between the commit and the answers it passes
/// `committed` the time that `COMMIT` took, which is mostly the sync.
pub(super) fn commit(
    conn: &WritingConnection,
    file: &FileIdentity,
    clock: &Clock,
    calls: &mut Vec<Call>,
    committed: impl FnOnce(Duration),
) {
    let mut has_copied = false;
    while !calls.is_empty() {
        let mut failed = Vec::new();
        let error = match together_in_time(conn, clock, calls, &mut failed) {
            Ok(end) => {
                let outcome = file.check();
                committed(end);
                answer_each(calls, failed, file, &outcome);
                return conn.make_room(file);
            }
            Err(fail) => fail.of(file.path()),
        };
        if error.kind() == ErrorKind::Busy {
            answer_overdue(conn, calls, &error);
        } else if error.kind() == ErrorKind::Full && !has_copied {
            // A log that begins anew needs no more room.
            conn.copy_log();
            has_copied = true;
        } else if calls.len() == 1 || concerns_all(error.kind()) {
            answer_all(calls, &error);
        } else {
            one_by_one(conn, file, clock, calls);
        }
    }
}

/// Answers the calls of a commit: those that failed with their own error.
fn answer_each(
    calls: &mut Vec<Call>,
    failed: Vec<(usize, Fail)>,
    file: &FileIdentity,
    outcome: &Result<(), StoreError>,
) {
    let mut failed = failed.into_iter().peekable();
    for (index, call) in calls.drain(..).enumerate() {
        let own = failed.next_if(|(of, _)| *of == index);
        call.answer(match own {
            Some((_, fail)) => Err(fail.of(file.path())),
            None => outcome.clone(),
        });
    }
}

/// Runs all calls, and waits for a lock no longer than until the time of the oldest of them is over.
fn together_in_time(
    conn: &WritingConnection,
    clock: &Clock,
    calls: &[Call],
    failed: &mut Vec<(usize, Fail)>,
) -> Result<Duration> {
    let oldest = calls.iter().map(Call::came).min();
    let waited = oldest.map_or(Duration::ZERO, |came| came.elapsed());
    if waited < AT_ONCE {
        return together(conn, clock, calls, failed);
    }
    let left = conn.busy_timeout.saturating_sub(waited);
    conn.conn.busy_timeout(left)?;
    let done = together(conn, clock, calls, failed);
    conn.conn.busy_timeout(conn.busy_timeout)?;
    done
}

/// Answers the calls whose time is over: at least the oldest, which was waited for.
fn answer_overdue(conn: &WritingConnection, calls: &mut Vec<Call>, error: &StoreError) {
    let Some(oldest) = calls.iter().map(Call::came).min() else {
        return;
    };
    let is_over = |call: &mut Call| {
        let came = call.came();
        came <= oldest + AT_ONCE || came.elapsed() >= conn.busy_timeout
    };
    for call in calls.extract_if(.., is_over) {
        call.answer(Err(error.clone()));
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
    writing: &WritingConnection,
    clock: &Clock,
    calls: &[Call],
    failed: &mut Vec<(usize, Fail)>,
) -> Result<Duration> {
    let conn = begin(writing)?;
    let rows_before = conn.total_changes();
    let txn = Txn::writing(conn, &writing.known);
    // One moment for all: nothing that is due in between can be seen by only some of them.
    let now = clock.now();
    for (index, call) in calls.iter().enumerate() {
        let before = conn.total_changes();
        if let Err(fail) = call.run(&txn, now) {
            if conn.is_autocommit() || conn.total_changes() != before {
                give_up(writing);
                return Err(fail);
            }
            failed.push((index, fail));
        }
    }
    let begun = Instant::now();
    end(writing)?;
    let took = begun.elapsed();
    let rows = conn.total_changes().saturating_sub(rows_before);
    telemetry::committed(calls.len() - failed.len(), rows, took);
    Ok(took)
}

/// Runs each call in a transaction of its own. After an error that concerns all calls, the
/// remaining ones are not tried.
fn one_by_one(conn: &WritingConnection, file: &FileIdentity, clock: &Clock, calls: &mut Vec<Call>) {
    let mut rest = calls.drain(..);
    for call in rest.by_ref() {
        let outcome = alone(conn, clock, &call).map_err(|fail| fail.of(file.path()));
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

fn alone(writing: &WritingConnection, clock: &Clock, call: &Call) -> Result<()> {
    let conn = begin(writing)?;
    let rows_before = conn.total_changes();
    match call.run(&Txn::writing(conn, &writing.known), clock.now()) {
        Ok(()) => {
            let begun = Instant::now();
            end(writing)?;
            let rows = conn.total_changes().saturating_sub(rows_before);
            telemetry::committed(1, rows, begun.elapsed());
            Ok(())
        }
        Err(fail) => {
            give_up(writing);
            Err(fail)
        }
    }
}

/// Has the work of a step done in a transaction of its own, and keeps it with what the work returns.
pub(super) fn transact(
    writing: &mut WritingConnection,
    file: &FileIdentity,
    (lease, name): (Lease, &str),
    work: Box<dyn InTransaction + '_>,
) -> Result<Transacted, StoreError> {
    let done = begin(writing).map(drop).and_then(|()| {
        let done = work_and_commit(writing, (lease, name), work);
        if !matches!(done, Ok(Transacted::Committed)) {
            give_up(writing);
        }
        done
    });
    let done = done.map_err(|fail| fail.of(file.path()))?;
    file.check()?;
    if done == Transacted::Committed {
        writing.make_room(file);
    }
    Ok(done)
}

fn work_and_commit(
    writing: &mut WritingConnection,
    (lease, name): (Lease, &str),
    work: Box<dyn InTransaction + '_>,
) -> Result<Transacted> {
    schema::unchanged(&writing.conn)?;
    let rows_before = writing.conn.total_changes();
    let mut working = work.run(&mut writing.conn);
    let worked = working
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    drop(working);
    let Poll::Ready(worked) = worked else {
        let why = "a transaction of a SQLite file holds up all other writers, so a step may not wait in it: its \
            function is not `async`";
        return Err(Fail::new(ErrorKind::Rejected, why));
    };
    let Ok(output) = worked else {
        return Ok(Transacted::Abandoned);
    };
    let conn = &writing.conn;
    if conn.is_autocommit() {
        let why = "the step has ended its transaction itself, so that what it has done may be there without a record \
            of it. Leave out COMMIT and ROLLBACK: the engine commits, and an error of the step rolls back";
        return Err(Fail::new(ErrorKind::Rejected, why));
    }
    let txn = Txn::writing(conn, &writing.known);
    transactions::keep(&txn, lease, name, output.as_ref())?;
    drop(txn);
    let begun = Instant::now();
    match end(writing) {
        Ok(()) => {
            let rows = conn.total_changes().saturating_sub(rows_before);
            telemetry::committed(1, rows, begun.elapsed());
            Ok(Transacted::Committed)
        }
        Err(Fail::Sql(error))
            if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) =>
        {
            Ok(Transacted::Refused(error.to_string()))
        }
        Err(fail) => Err(fail),
    }
}

fn begin(writing: &WritingConnection) -> Result<&Connection> {
    // A panic during the last commit may have left its transaction open.
    roll_back(writing);
    let conn = &writing.conn;
    conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let entered = writing.known.borrow_mut().enter(conn);
    if entered.is_err() {
        roll_back(writing);
    }
    entered.map(|()| conn)
}

fn end(writing: &WritingConnection) -> Result<()> {
    let committed = writing.conn.prepare_cached("COMMIT")?.execute([]);
    if committed.is_err() {
        give_up(writing);
    }
    committed?;
    Ok(())
}

/// Rolls back the open transaction, if there is one: after some errors SQLite itself has done so.
fn roll_back(writing: &WritingConnection) {
    if !writing.conn.is_autocommit() {
        writing.known.borrow_mut().forget_all();
        drop(writing.conn.execute_batch("ROLLBACK"));
    }
}

/// Rolls a transaction back that failed. SQLite itself may have done so before.
fn give_up(writing: &WritingConnection) {
    writing.known.borrow_mut().forget_all();
    roll_back(writing);
}

fn answer_all(calls: &mut Vec<Call>, error: &StoreError) {
    for call in calls.drain(..) {
        call.answer(Err(error.clone()));
    }
}
