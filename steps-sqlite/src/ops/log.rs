//! What steps have logged: keeping the newest lines, reading them, and deleting those of an execution.

use std::collections::{HashMap, hash_map::Entry};

use rusqlite::{Connection, OptionalExtension, Row, params};
use steps_core::store::{LogLevel, LogLine, LogQuery, NewLine, NewLines, Share, StoredLog};

use crate::{
    error::{Fail, Result},
    row::{
        columns::Columns,
        nanos::{clamped, time},
    },
};

const IS_THERE: &str = "SELECT 1 FROM executions WHERE key = ?1";
const LAST: &str = "SELECT ifnull(max(number), 0) FROM logs WHERE execution = ?1";
const LAST_OF_STEP: &str =
    "SELECT ifnull(max(of_step), 0) FROM logs WHERE execution = ?1 AND path = ?2";
const PUT: &str = "INSERT INTO logs (execution, number, path, of_step, at, level, attempt, undo, \
    message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const OLD: &str = "DELETE FROM logs WHERE execution = ?1 AND number <= ?2";
const OLD_OF_STEP: &str = "DELETE FROM logs WHERE execution = ?1 AND path = ?2 AND of_step <= ?3";

const KEY: &str = "SELECT key FROM executions WHERE id = ?1";
// Of a step, and what is below it: `?3` is its path, and what is below has a path from `?4` to `?5`.
const OLDEST: &str = "SELECT number, of_step, at, level, path, attempt, undo, message FROM logs \
    WHERE execution = ?1 AND number > ?2 \
    AND (?3 IS NULL OR path = ?3 OR (path >= ?4 AND path < ?5)) ORDER BY number LIMIT ?6";
const NEWEST: &str = "SELECT number, of_step, at, level, path, attempt, undo, message FROM logs \
    WHERE execution = ?1 AND number > ?2 \
    AND (?3 IS NULL OR path = ?3 OR (path >= ?4 AND path < ?5)) ORDER BY number DESC LIMIT ?6";

const SIZES: &str = "SELECT number, octet_length(message) FROM logs WHERE execution = ?1 \
    ORDER BY number";

/// Where the log of an execution ends, and those of its steps which have logged.
struct Ends {
    last: i64,
    of_steps: HashMap<String, i64>,
}

impl Ends {
    fn of(conn: &Connection, key: i64) -> Result<Self> {
        let last = conn
            .prepare_cached(LAST)?
            .query_row([key], |row| row.get(0))?;
        let of_steps = HashMap::new();
        Ok(Self { last, of_steps })
    }
}

/// Keeps lines.
pub(crate) fn put(conn: &Connection, new: &NewLines) -> Result<()> {
    let mut is_there = conn.prepare_cached(IS_THERE)?;
    // By the key of the execution; `None` of one that is gone.
    let mut all: HashMap<i64, Option<Ends>> = HashMap::new();
    for line in &new.lines {
        let ends = match all.entry(line.key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let is_there = is_there.exists([line.key])?;
                new.insert(is_there.then(|| Ends::of(conn, line.key)).transpose()?)
            }
        };
        if let Some(ends) = ends {
            put_line(conn, line, ends)?;
        }
    }
    let bound = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
    for (key, ends) in all {
        let Some(Ends { last, of_steps }) = ends else {
            continue;
        };
        for (path, last) in of_steps {
            let last = last.saturating_sub(bound(new.per_step));
            if last > 0 {
                conn.prepare_cached(OLD_OF_STEP)?
                    .execute(params![key, path, last])?;
            }
        }
        let last = last.saturating_sub(bound(new.per_execution));
        if last > 0 {
            conn.prepare_cached(OLD)?.execute([key, last])?;
        }
    }
    Ok(())
}

fn put_line(conn: &Connection, line: &NewLine, ends: &mut Ends) -> Result<()> {
    let key = line.key;
    let last_of_step = match ends.of_steps.get(&line.path) {
        Some(last) => *last,
        None => conn
            .prepare_cached(LAST_OF_STEP)?
            .query_row(params![key, line.path], |row| row.get(0))?,
    };
    let line = line.clone().behind(ends.last, last_of_step);
    conn.prepare_cached(PUT)?.execute(params![
        key,
        line.number,
        line.path,
        line.of_step,
        clamped(line.at),
        line.level.as_str(),
        line.attempt,
        line.is_undo,
        line.message,
    ])?;
    ends.last = line.number;
    ends.of_steps.insert(line.path, line.of_step);
    Ok(())
}

/// Returns the lines that a query finds.
pub(crate) fn read(conn: &Connection, query: &LogQuery) -> Result<Option<StoredLog>> {
    let mut key = conn.prepare_cached(KEY)?;
    let Some(key) = key.query_row([&query.id], |row| row.get(0)).optional()? else {
        return Ok(None);
    };
    let step = query.step.as_deref().filter(|step| !step.is_empty());
    let (first, behind) = step.map(LogQuery::below).unzip();
    let most = query.limit.and_then(|limit| i64::try_from(limit).ok());
    let sql = if query.newest { NEWEST } else { OLDEST };
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![
        key,
        query.after.unwrap_or_default(),
        step,
        first,
        behind,
        most.unwrap_or(-1),
    ])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(line(row)?);
    }
    if query.newest {
        lines.reverse();
    }
    Ok(Some(StoredLog { key, lines }))
}

fn line(row: &Row<'_>) -> Result<LogLine> {
    let mut columns = Columns::from(row, 0);
    let number = columns.number()?.unwrap_or_default();
    let of_step = columns.number()?.unwrap_or_default();
    let at = time(columns.number()?.unwrap_or_default());
    let level = columns.text()?.unwrap_or_default();
    let level = LogLevel::from_name(level)
        .ok_or_else(|| Fail::Row(format!("column `level`: {level:?} is no level")))?;
    let path = columns.text()?.unwrap_or_default().to_owned();
    let attempt = columns.count()?.unwrap_or_default();
    let is_undo = columns.number()? == Some(1);
    let message = columns.text()?.unwrap_or_default();
    Ok(LogLine::new(
        number, of_step, at, level, path, attempt, is_undo, message,
    ))
}

/// Deletes lines of an execution, the first ones first, as far as the share goes. Returns whether all are
/// deleted.
pub(crate) fn remove_share(conn: &Connection, key: i64, share: &mut Share) -> Result<bool> {
    let mut last = None;
    let mut statement = conn.prepare_cached(SIZES)?;
    let mut rows = statement.query([key])?;
    let is_all = loop {
        let Some(row) = rows.next()? else { break true };
        let bytes = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
        let is_alone = last.is_none() && *share == Share::default();
        if share.is_used_up() || (!share.take(1, bytes) && !is_alone) {
            break false;
        }
        last = Some(row.get::<_, i64>(0)?);
    };
    drop(rows);
    if let Some(last) = last {
        conn.prepare_cached(OLD)?.execute([key, last])?;
    }
    Ok(is_all)
}
