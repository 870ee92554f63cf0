//! SQLite without the engine: the minimum of work for the same rows with the same settings. Each
//! row is written either once, or in the same way as the engine writes it.

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
        let table = text(&conn, "SELECT sql FROM sqlite_master WHERE name = 'steps'")?;
        // Without the generated columns.
        let columns: Vec<String> = conn
            .prepare("SELECT name FROM pragma_table_info('steps')")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let list = columns.join(", ");
        let rows: Vec<Vec<Value>> = conn
            .prepare(&format!("SELECT {list} FROM steps ORDER BY id LIMIT 1000"))?
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

/// How a step is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Its row, once, after all others.
    Once,
    /// As the engine does it: its row, which replaces the row that says that the step has begun;
    /// and such a row for the next step.
    Twice,
}

/// A table like the store's.
pub(crate) struct Bare {
    conn: Connection,
    form: Form,
    insert: String,
    rows: Vec<Vec<Value>>,
    /// The same rows, as they were when their steps had just begun.
    begun: Vec<Vec<Value>>,
    /// The number of steps so far.
    count: i64,
    /// The number of rows that the table must have.
    kept: i64,
    /// For each running execution, the row of its current step.
    places: Vec<i64>,
}

/// In the number of a step's row, the bit at which the number of its execution begins.
const NODE_BITS: u32 = 24;
/// The number of steps of an execution.
const STEPS: i64 = 10;

impl Bare {
    pub(crate) fn new(path: &Path, of: Rows, form: Form) -> Result<Self> {
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
        let mut begun = of.written.clone();
        for (index, column) in of.columns.iter().enumerate() {
            let value = match column.as_str() {
                "status" => Value::Text("running".to_owned()),
                "done_at" | "output" => Value::Null,
                _ => continue,
            };
            for row in &mut begun {
                row[index] = value.clone();
            }
        }
        let verb = match form {
            Form::Once => "INSERT",
            Form::Twice => "INSERT OR REPLACE",
        };
        Ok(Self {
            conn,
            form,
            insert: format!("{verb} INTO steps ({list}) VALUES ({marks})"),
            rows: of.written,
            begun,
            count: 0,
            kept: 0,
            places: Vec::new(),
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
            for place in 0..at_once {
                match self.form {
                    Form::Once => self.once()?,
                    Form::Twice => self.twice(place)?,
                }
            }
            self.conn.prepare_cached("COMMIT")?.execute([])?;
        }
        let took = start.elapsed();
        self.check()?;
        Ok((self.count - before) as f64 / took.as_secs_f64())
    }

    fn once(&mut self) -> Result {
        let row = usize::try_from(self.count)? % self.rows.len();
        self.count += 1;
        self.kept += 1;
        put(&self.conn, &self.insert, &mut self.rows[row], self.count)
    }

    fn twice(&mut self, place: usize) -> Result {
        while self.places.len() <= place {
            self.places
                .push(i64::try_from(self.places.len())? << NODE_BITS);
        }
        let (at, node) = (
            self.places[place],
            self.places[place] & ((1 << NODE_BITS) - 1),
        );
        let row = usize::try_from(self.count)? % self.rows.len();
        self.count += 1;
        if node > 0 {
            put(&self.conn, &self.insert, &mut self.rows[row], at)?;
        }
        let next = match node {
            STEPS => {
                let executions = i64::try_from(self.places.len())?;
                ((at >> NODE_BITS) + executions) << NODE_BITS | 1
            }
            _ => at + 1,
        };
        self.places[place] = next;
        self.kept += 1;
        put(&self.conn, &self.insert, &mut self.begun[row], next)
    }

    fn check(&self) -> Result {
        let found: i64 = self
            .conn
            .query_row("SELECT count(*) FROM steps", [], |row| row.get(0))?;
        if found == self.kept {
            return Ok(());
        }
        Err(format!("{found} bare rows are there; it should be {}", self.kept).into())
    }
}

/// Writes a row with this number.
fn put(conn: &Connection, sql: &str, row: &mut [Value], number: i64) -> Result {
    row[0] = Value::Integer(number);
    conn.prepare_cached(sql)?
        .execute(params_from_iter(row.iter()))?;
    Ok(())
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
