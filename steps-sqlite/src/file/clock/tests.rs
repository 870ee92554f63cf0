//! Restarts of the machine, and systems that tell no time since then.

use steps_core::testing::FakeClock;

use super::*;
use crate::file::schema;

/// A database with one that is held, one that is due, one that waits, and one that rests.
fn database() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    schema::upgrade(&conn, "first").unwrap();
    conn.execute_batch(
        "INSERT INTO executions (id, flow, status, priority, created_at, fence, input, worker, due_at, free_at)
         VALUES ('held', 'flow', 'running', 0, 0, 1, '', 'a worker', NULL, 9000000000000000000),
                ('due', 'flow', 'pending', 0, 0, 1, '', NULL, NULL, 1),
                ('waits', 'flow', 'waiting', 0, 0, 1, '', NULL, 77, NULL),
                ('rests', 'flow', 'waiting', 0, 0, 1, '', NULL, NULL, NULL)",
    )
    .unwrap();
    conn
}

type Row = (String, Option<i64>, Option<i64>, Option<String>);

fn rows(conn: &Connection) -> Vec<Row> {
    let sql = "SELECT id, due_at, free_at, worker FROM executions ORDER BY key";
    let mut statement = conn.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let rows = statement.query_map([], row).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn clock_set_a_restart_of_the_machine_frees_each_lease_at_once() {
    let conn = database();
    let before = rows(&conn);
    schema::upgrade(&conn, "first").unwrap();
    assert_eq!(rows(&conn), before, "another process of the same start");
    schema::upgrade(&conn, "second").unwrap();
    let row =
        |id: &str, due, worker: Option<&str>| (id.to_owned(), due, None, worker.map(str::to_owned));
    let freed = [
        row("held", Some(0), Some("a worker")),
        row("due", Some(0), None),
        row("waits", Some(77), None),
        row("rests", None, None),
    ];
    assert_eq!(rows(&conn), freed);
    let boot: String = conn
        .query_row("SELECT id FROM boot", [], |row| row.get(0))
        .unwrap();
    assert_eq!(boot, "second");
}

#[test]
fn where_the_system_tells_no_time_leases_go_by_the_wall_clock() {
    let now = Now {
        wall: 100,
        boot: None,
        started: 100,
    };
    let turn = now.after(Duration::from_nanos(5));
    assert_eq!((turn.due_at, turn.free_at), (Some(105), None));
    assert!(!turn.has_come(now));
    assert!(turn.has_come(Now { wall: 105, ..now }));
}

#[test]
fn a_moment_has_the_same_time_at_each_look_until_the_wall_clock_is_set() {
    let fake = FakeClock::new();
    let clock = Clock::test(Arc::new(fake.clone()));
    let before = clock.now();
    let turn = before.after(Duration::from_mins(1));
    fake.advance(Duration::from_secs(7));
    assert_eq!(turn.time(clock.now()), turn.time(before));
    fake.set(fake.now() - Duration::from_hours(1));
    let moved = turn.time(before).unwrap() - turn.time(clock.now()).unwrap();
    assert_eq!(moved / 1_000_000_000, 3600);
    assert!(!turn.has_come(clock.now()));
    fake.advance(Duration::from_mins(1));
    assert!(turn.has_come(clock.now()));
}

#[cfg(target_os = "linux")]
#[test]
fn this_system_names_its_start_and_tells_the_time_since() {
    let clock = Clock::default();
    assert_eq!(clock.boot().len(), 36, "{}", clock.boot());
    let (first, second) = (clock.now(), clock.now());
    assert!(first.boot.unwrap() <= second.boot.unwrap());
    assert!(Some(first.wall) > first.boot);
}
