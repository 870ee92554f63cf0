//! What steps have logged: keeping the newest lines, and reading them. Lines are kept, and executions deleted, by one
//! transaction at a time, so that numbers grow and no line is kept of what is gone.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use steps_core::store::{LogLevel, LogLine, LogQuery, NewLine, NewLines, StoredLog};

use crate::{
    error::{Fail, Result},
    row::{
        columns::Columns,
        nanos::{clamped, time},
    },
    server::txn::{Lock, Statement, Txn},
};

const ARE_THERE: &str = "SELECT e.key, coalesce((SELECT max(number) FROM %.logs WHERE execution = e.key), 0) \
    FROM %.executions e WHERE e.key = ANY($1)";
const OF_STEPS: &str = "SELECT l.execution, l.path, max(l.of_step) \
    FROM unnest($1::bigint[], $2::text[]) AS s (execution, path) \
    JOIN %.logs l ON l.execution = s.execution AND md5(l.path) = md5(s.path) AND l.path = s.path GROUP BY l.execution, l.path";
const PUT: &str = "INSERT INTO %.logs (execution, number, path, of_step, at, level, attempt, undo, message) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], \
    $7::bigint[], $8::boolean[], $9::text[])";
const OLD: &str = "DELETE FROM %.logs l USING unnest($1::bigint[], $2::bigint[]) AS o (execution, last) \
    WHERE l.execution = o.execution AND l.number <= o.last";
const OLD_OF_STEPS: &str = "DELETE FROM %.logs l \
    USING unnest($1::bigint[], $2::text[], $3::bigint[]) AS o (execution, path, last) \
    WHERE l.execution = o.execution AND md5(l.path) = md5(o.path) AND l.path = o.path AND l.of_step <= o.last";

const KEY: &str = "SELECT key FROM %.executions WHERE id = $1";
// Of a step, and what is below it: `$3` is its path, and what is below has a path from `$4` to `$5`.
const OLDEST: &str = "SELECT number, of_step, at, level, path, attempt, undo, message FROM %.logs \
    WHERE execution = $1 AND number > $2 \
    AND ($3::text IS NULL OR path = $3 OR (path >= $4 AND path < $5)) ORDER BY number LIMIT $6";
const NEWEST: &str = "SELECT number, of_step, at, level, path, attempt, undo, message FROM %.logs \
    WHERE execution = $1 AND number > $2 \
    AND ($3::text IS NULL OR path = $3 OR (path >= $4 AND path < $5)) ORDER BY number DESC LIMIT $6";

/// Where the logs of executions end, and those of their steps.
struct Ends {
    last: BTreeMap<i64, i64>,
    of_steps: BTreeMap<(i64, String), i64>,
}

/// Keeps lines.
pub(crate) async fn put(txn: &mut Txn<'_>, new: &NewLines) -> Result<()> {
    txn.alone(Lock::Logs).await?;
    let mut ends = ends(txn, &new.lines).await?;
    let statement = lines(txn.query(PUT), new, &mut ends);
    txn.execute(statement).await?;
    let last =
        |last: i64, most: usize| last.saturating_sub(i64::try_from(most).unwrap_or(i64::MAX));
    let (mut keys, mut paths, mut lasts) = (Vec::new(), Vec::new(), Vec::new());
    for ((key, path), number) in ends.of_steps {
        let number = last(number, new.per_step);
        if number > 0 {
            keys.push(key);
            paths.push(path);
            lasts.push(number);
        }
    }
    if !keys.is_empty() {
        let statement = txn.query(OLD_OF_STEPS).bind(keys).bind(paths).bind(lasts);
        txn.execute(statement).await?;
    }
    let old = ends.last.into_iter();
    let old = old.map(|(key, number)| (key, last(number, new.per_execution)));
    let (keys, lasts): (Vec<i64>, Vec<i64>) = old.filter(|(_, last)| *last > 0).unzip();
    if !keys.is_empty() {
        let statement = txn.query(OLD).bind(keys).bind(lasts);
        txn.execute(statement).await?;
    }
    Ok(())
}

/// Reads where the logs end, of those executions that are there.
async fn ends(txn: &mut Txn<'_>, lines: &[NewLine]) -> Result<Ends> {
    let keys: BTreeSet<i64> = lines.iter().map(|line| line.key).collect();
    let keys: Vec<i64> = keys.into_iter().collect();
    let mut last = BTreeMap::new();
    let statement = txn.query(ARE_THERE).bind(keys);
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        last.insert(columns.key()?, columns.key()?);
    }
    let steps = lines.iter().filter(|line| last.contains_key(&line.key));
    let mut of_steps: BTreeMap<(i64, String), i64> = steps
        .map(|line| ((line.key, line.path.clone()), 0))
        .collect();
    let (keys, paths): (Vec<i64>, Vec<String>) = of_steps.keys().cloned().unzip();
    let statement = txn.query(OF_STEPS).bind(keys).bind(paths);
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        let key = columns.key()?;
        let path = columns.owned()?.unwrap_or_default();
        of_steps.insert((key, path), columns.key()?);
    }
    Ok(Ends { last, of_steps })
}

/// Adds the lines to the statement, each behind those before it.
fn lines(statement: Statement, new: &NewLines, ends: &mut Ends) -> Statement {
    let (mut keys, mut numbers, mut paths, mut of_steps) = (vec![], vec![], vec![], vec![]);
    let (mut times, mut levels, mut attempts) = (vec![], vec![], vec![]);
    let (mut undos, mut messages) = (vec![], vec![]);
    for line in &new.lines {
        let step = (line.key, line.path.clone());
        let (Some(last), Some(last_of_step)) =
            (ends.last.get_mut(&line.key), ends.of_steps.get_mut(&step))
        else {
            continue;
        };
        let line = line.clone().behind(*last, *last_of_step);
        (*last, *last_of_step) = (line.number, line.of_step);
        keys.push(step.0);
        numbers.push(line.number);
        paths.push(line.path);
        of_steps.push(line.of_step);
        times.push(clamped(line.at));
        levels.push(line.level.as_str());
        attempts.push(i64::from(line.attempt));
        undos.push(line.is_undo);
        // The server's texts have no NUL, and one must not hold up the lines beside it.
        messages.push(line.message.replace('\0', "\u{fffd}"));
    }
    let statement = statement
        .bind(keys)
        .bind(numbers)
        .bind(paths)
        .bind(of_steps);
    let statement = statement.bind(times).bind(levels).bind(attempts);
    statement.bind(undos).bind(messages)
}

/// Returns the lines that a query finds.
pub(crate) async fn read(txn: &mut Txn<'_>, query: &LogQuery) -> Result<Option<StoredLog>> {
    let statement = txn.query(KEY).bind(query.id.clone());
    let Some(row) = txn.row(statement).await? else {
        return Ok(None);
    };
    let key = Columns::of(&row).key()?;
    let step = query.step.clone().filter(|step| !step.is_empty());
    let (first, behind) = step.as_deref().map(LogQuery::below).unzip();
    let most = query.limit.and_then(|limit| i64::try_from(limit).ok());
    let statement = txn.query(if query.newest { NEWEST } else { OLDEST });
    let statement = statement.bind(key).bind(query.after.unwrap_or_default());
    let statement = statement.bind(step).bind(first).bind(behind).bind(most);
    let rows = txn.rows(statement).await?;
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>>>()?;
    if query.newest {
        lines.reverse();
    }
    Ok(Some(StoredLog { key, lines }))
}

fn line(row: &PgRow) -> Result<LogLine> {
    let mut columns = Columns::of(row);
    let (number, of_step) = (columns.key()?, columns.key()?);
    let at = time(columns.key()?);
    let level = columns.text()?.unwrap_or_default();
    let level = LogLevel::from_name(level)
        .ok_or_else(|| Fail::Row(format!("column `level`: {level:?} is no level")))?;
    let path = columns.owned()?.unwrap_or_default();
    let attempt = columns.count()?.unwrap_or_default();
    let is_undo = columns.is()?;
    let message = columns.text()?.unwrap_or_default();
    Ok(LogLine::new(
        number, of_step, at, level, path, attempt, is_undo, message,
    ))
}
