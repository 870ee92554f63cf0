//! SQLite without the engine: the minimum of work for the same rows with the same settings. Each
//! row is written once, after all others, as the engine does.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, params_from_iter, types::Value};

use crate::Result;

/// The length at which the log is copied and restarted: 4,000 pages.
const LOG: u64 = 4000 * 4096;

/// The settings of a store's connection, from its documentation. Settings that the file keeps are
/// read from the file.
const SETTINGS: [(&str, i64); 3] = [
    ("synchronous", 2),
    ("wal_autocheckpoint", 4000),
    ("journal_size_limit", 64 << 20),
];

/// Rows of steps, as the engine has written them.
pub(crate) struct Rows {
    /// The SQL that creates their table.
    table: String,
    columns: Vec<String>,
    written: Vec<Vec<Value>>,
    page_size: i64,
}

impl Rows {
    /// Reads the rows from a store's file.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mode = text(&conn, "PRAGMA journal_mode")?;
        if mode != "wal" {
            return Err(format!("the store's journal mode is {mode}").into());
        }
        let table = text(&conn, "SELECT sql FROM sqlite_master WHERE name = 'nodes'")?;
        // Without the generated columns.
        let columns: Vec<String> = conn
            .prepare("SELECT name FROM pragma_table_info('nodes')")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let list = columns.join(", ");
        let rows: Vec<Vec<Value>> = conn
            .prepare(&format!("SELECT {list} FROM nodes ORDER BY id LIMIT 1000"))?
            .query_map([], |row| {
                (0..columns.len()).map(|index| row.get(index)).collect()
            })?
            .collect::<Result<_, _>>()?;
        if rows.is_empty() {
            return Err("the store has no row of a step".into());
        }
        let page_size = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        Ok(Self {
            table,
            columns,
            written: rows,
            page_size,
        })
    }
}

fn text(conn: &Connection, sql: &str) -> Result<String> {
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

/// A table like the store's.
pub(crate) struct Bare {
    conn: Connection,
    insert: String,
    rows: Vec<Vec<Value>>,
    /// The number of steps so far, each of them a row.
    count: i64,
}

impl Bare {
    pub(crate) fn new(path: &Path, of: Rows) -> Result<Self> {
        let conn = Connection::open(path)?;
        set(&conn, "page_size", of.page_size)?;
        let mode = text(&conn, "PRAGMA journal_mode = wal")?;
        if mode != "wal" {
            return Err(format!("the journal mode is {mode}").into());
        }
        for (setting, value) in SETTINGS {
            set(&conn, setting, value)?;
        }
        conn.execute_batch(&of.table)?;
        let marks = vec!["?"; of.columns.len()].join(", ");
        let list = of.columns.join(", ");
        Ok(Self {
            conn,
            insert: format!("INSERT INTO nodes ({list}) VALUES ({marks})"),
            rows: of.written,
            count: 0,
        })
    }

    /// Commits until the log has its full size: see [`log_is_full`].
    pub(crate) fn warm(&mut self, path: &Path, rows: usize) -> Result {
        set(&self.conn, "synchronous", 0)?;
        while !log_is_full(path) {
            self.turn(rows, Duration::from_millis(50))?;
        }
        set(&self.conn, "synchronous", 2)
    }

    /// Commits this many steps at a time for a while. Returns the steps per second.
    pub(crate) fn turn(&mut self, at_once: usize, window: Duration) -> Result<f64> {
        let before = self.count;
        let start = Instant::now();
        while start.elapsed() < window {
            self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for _ in 0..at_once {
                self.put()?;
            }
            self.conn.prepare_cached("COMMIT")?.execute([])?;
        }
        let took = start.elapsed();
        self.check()?;
        Ok((self.count - before) as f64 / took.as_secs_f64())
    }

    /// Writes the next row.
    fn put(&mut self) -> Result {
        let index = usize::try_from(self.count)? % self.rows.len();
        self.count += 1;
        let row = &mut self.rows[index];
        row[0] = Value::Integer(self.count);
        self.conn
            .prepare_cached(&self.insert)?
            .execute(params_from_iter(row.iter()))?;
        Ok(())
    }

    fn check(&self) -> Result {
        let found: i64 = self
            .conn
            .query_row("SELECT count(*) FROM nodes", [], |row| row.get(0))?;
        if found == self.count {
            return Ok(());
        }
        Err(format!("{found} bare rows are there; it should be {}", self.count).into())
    }
}

/// Returns whether a database's log has its full size. From then on it is overwritten, and a sync
/// is cheaper, because it stores no new length.
pub(crate) fn log_is_full(database: &Path) -> bool {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let length = std::fs::metadata(log).map_or(0, |file| file.len());
    length >= LOG
}

fn set(conn: &Connection, setting: &str, value: i64) -> Result {
    conn.pragma(None, setting, value, |_| Ok(()))?;
    let found: i64 = conn.query_row(&format!("PRAGMA {setting}"), [], |row| row.get(0))?;
    if found == value {
        return Ok(());
    }
    Err(format!("SQLite has {setting} {found}, not {value}").into())
}
