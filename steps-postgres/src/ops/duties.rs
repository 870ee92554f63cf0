//! Duties: reading them, and changing one by compare-and-set.

use std::collections::BTreeSet;

use sqlx::postgres::PgRow;
use steps_core::store::{Duty, DutyQuery, DutySet, SetDuty};

use super::write;
use crate::{
    error::{Fail, Result},
    row::{
        columns::Columns,
        nanos::{clamped, time},
    },
    server::txn::{Lock, Txn},
};

const SELECT: &str = "SELECT revision, name, due_at, value FROM %.duties";
const NAMED: &str = "WHERE name >= $1 AND ($2::text IS NULL OR name < $2) AND ($3::text IS NULL OR name > $3) \
    ORDER BY name LIMIT $4";
const DUE: &str = "WHERE name >= $1 AND ($2::text IS NULL OR name < $2) AND due_at <= $5 \
    AND ($3::text IS NULL OR (due_at, name) > ($6, $3)) ORDER BY due_at, name LIMIT $4";
const REMOVE: &str = "DELETE FROM %.duties WHERE name = $1";
const PUT: &str = "INSERT INTO %.duties (name, revision, due_at, value) VALUES ($1, nextval('%.revisions'), $2, $3) \
    ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, due_at = excluded.due_at, value = excluded.value \
    RETURNING revision";
const EXIST: &str = "SELECT id FROM %.executions WHERE id = ANY($1)";

fn duty(row: &PgRow) -> Result<Duty> {
    let mut columns = Columns::of(row);
    let revision = columns.key()?;
    let name = columns.owned()?.unwrap_or_default();
    let due = columns.number()?.map(time);
    let value = columns.json()?;
    let value = value.ok_or_else(|| Fail::Row(format!("duty {name:?}: it has no value")))?;
    Ok(Duty {
        name,
        revision,
        due,
        value,
    })
}

/// Returns the duty of this name.
pub(crate) async fn read(txn: &mut Txn<'_>, name: &str) -> Result<Option<Duty>> {
    let statement = txn.query(&format!("{SELECT} WHERE name = $1")).bind(name);
    txn.row(statement).await?.as_ref().map(duty).transpose()
}

/// Returns the duties that a query finds.
pub(crate) async fn list(txn: &mut Txn<'_>, query: &DutyQuery) -> Result<Vec<Duty>> {
    let after = query.after.as_ref();
    let limit = query
        .limit
        .map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let which = query.due_until.map_or(NAMED, |_| DUE);
    let statement = txn.query(&format!("{SELECT} {which}"));
    let statement = statement.bind(&query.prefix).bind(query.end());
    let mut statement = statement.bind(after.map(|duty| &duty.name)).bind(limit);
    if let Some(until) = query.due_until {
        let due = after.and_then(|duty| duty.due);
        statement = statement
            .bind(clamped(until))
            .bind(due.map_or(i64::MIN, clamped));
    }
    txn.rows(statement).await?.iter().map(duty).collect()
}

/// Changes, makes or removes a duty, if it has the revision that the caller has read.
pub(crate) async fn set(txn: &mut Txn<'_>, set: &SetDuty) -> Result<DutySet> {
    txn.alone(Lock::Duties).await?;
    let there = read(txn, &set.name).await?;
    if there.as_ref().map(|duty| duty.revision) != set.revision {
        return Ok(DutySet::Changed(there));
    }
    if let Some(id) = in_use(txn, set).await? {
        return Ok(DutySet::Exists(id));
    }
    write::start(txn, &set.start).await?;
    let Some(to) = &set.to else {
        let statement = txn.query(REMOVE).bind(&set.name);
        txn.execute(statement).await?;
        return Ok(DutySet::Set(None));
    };
    let statement = txn.query(PUT).bind(&set.name);
    let statement = statement.bind(to.due.map(clamped)).bind(to.value.get());
    let row = txn.row(statement).await?;
    let row = row.ok_or(Fail::Sql(sqlx::Error::RowNotFound))?;
    Ok(DutySet::Set(Some(Columns::of(&row).key()?)))
}

/// Returns the first id of those to be made that is in use, or is given twice.
async fn in_use(txn: &mut Txn<'_>, set: &SetDuty) -> Result<Option<String>> {
    if set.start.is_empty() {
        return Ok(None);
    }
    let ids: Vec<&str> = set.start.iter().map(|child| &*child.new.id).collect();
    let statement = txn.query(EXIST).bind(&ids);
    let mut used = BTreeSet::new();
    for row in &txn.rows(statement).await? {
        used.extend(Columns::of(row).owned()?);
    }
    let mut ids = ids.into_iter().filter(|id| !used.insert((*id).to_owned()));
    Ok(ids.next().map(str::to_owned))
}
