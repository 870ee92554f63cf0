//! What one transaction of a deletion deletes is bounded, whatever the executions hold.

use super::*;
use crate::file::schema;

/// A file with executions that are done, each with so many nodes of so many bytes.
fn filled(executions: usize, nodes: usize, bytes: usize) -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    schema::upgrade(&conn, "boot").unwrap();
    conn.execute_batch(&format!(
        "CREATE TEMP TABLE e AS WITH RECURSIVE n(n) AS
             (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {executions}) SELECT n FROM n;
         CREATE TEMP TABLE s AS WITH RECURSIVE n(n) AS
             (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {nodes}) SELECT n FROM n;
         INSERT INTO executions (id, flow, status, priority, created_at, done_at, fence, input)
             SELECT n, 'five', 'done', 0, n, n, 1, '{{}}' FROM e;
         INSERT INTO nodes (id, parent, name, kind, status, attempts, output)
             SELECT e.n << 24 | s.n, 0, 'step', 'step', 'done', 1,
                 '\"' || hex(zeroblob({bytes} / 2)) || '\"' FROM e, s;"
    ))
    .unwrap();
    conn
}

fn count(conn: &Connection, table: &str) -> usize {
    let sql = format!("SELECT count(*) FROM {table}");
    let count: i64 = conn.query_row(&sql, [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

/// Deletes everything, and returns the most nodes that went with one part, and how many parts there
/// were.
fn delete_all(conn: &Connection) -> (usize, usize) {
    let query = ExecutionQuery::default();
    let now = Now::of(5, 5);
    let keys = keys(conn, &query, now).unwrap();
    let executions = keys.len();
    let (mut most, mut parts, mut seen, mut deleted) = (0, 0, 0, 0);
    loop {
        let before = count(conn, "nodes");
        let part = part(conn, &query, &keys[seen..], now).unwrap();
        most = most.max(before - count(conn, "nodes"));
        parts += 1;
        seen += part.seen;
        deleted += part.deleted;
        assert_eq!(count(conn, "steps") == 0, count(conn, "executions") == 0);
        if seen == keys.len() && !part.has_rest {
            break;
        }
    }
    assert_eq!(deleted, executions as u64);
    for table in ["executions", "nodes", "deleted"] {
        assert_eq!(count(conn, table), 0, "{table}");
    }
    (most, parts)
}

#[test]
fn scale_claims_a_deletion_is_bounded_by_rows() {
    for (executions, nodes) in [(3, 2 * Share::ROWS + 1), (40, Share::ROWS / 3), (1, 1)] {
        let conn = filled(executions, nodes, 2);
        let (most, parts) = delete_all(&conn);
        assert!(most <= Share::ROWS, "{most} nodes in one transaction");
        let least = (executions * nodes).div_ceil(Share::ROWS);
        assert!(parts <= 2 * least + 1, "{parts} parts, of {least}");
    }
}

#[test]
fn scale_claims_a_deletion_is_bounded_by_bytes() {
    const BYTES: usize = 100 << 10;
    let conn = filled(2, 3 * Share::BYTES / BYTES, BYTES);
    let (most, _) = delete_all(&conn);
    assert!(
        most * BYTES <= Share::BYTES,
        "{most} nodes in one transaction"
    );
    // One that alone has more goes by itself.
    let conn = filled(2, 3, Share::BYTES + 2);
    assert_eq!(delete_all(&conn).0, 1);
}

/// What a deletion has left that was cut off goes with the next, and is no damage.
#[test]
fn the_next_deletion_ends_one_that_was_cut_off() {
    let conn = filled(1, 2 * Share::ROWS - 1, 2);
    let (query, now) = (ExecutionQuery::default(), Now::of(5, 5));
    let first = keys(&conn, &query, now).unwrap();
    assert!(part(&conn, &query, &first, now).unwrap().has_rest);
    assert_eq!((count(&conn, "executions"), count(&conn, "steps")), (0, 0));
    assert!(count(&conn, "nodes") > 0);
    let mut report = steps_core::store::CheckReport::default();
    super::super::check::file(&conn, &mut report).unwrap();
    assert_eq!(report.damages, []);
    let none = part(&conn, &query, &[], now).unwrap();
    assert_eq!((none.deleted, none.has_rest), (0, false));
    assert_eq!(count(&conn, "nodes"), 0);
}

/// An execution whose steps have logged more than a share.
#[test]
fn a_log_is_deleted_in_parts() {
    let conn = filled(2, 1, 10);
    conn.execute_batch(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {})
         INSERT INTO logs (execution, number, path, of_step, at, level, attempt, undo, message)
             SELECT 1, n, 'a', n, 0, 'info', 1, 0, 'text' FROM n",
        2 * Share::ROWS
    ))
    .unwrap();
    let (_, parts) = delete_all(&conn);
    assert!(parts > 2, "{parts}");
    assert_eq!(count(&conn, "logs"), 0);
}
