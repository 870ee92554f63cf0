//! Who is told of changes of statuses, and what they were not told yet. Which changes a write makes is left to
//! `watch`, and keeping them to the end of its transaction.

use sqlx::postgres::PgRow;
use steps_core::{
    Status,
    store::{
        Change, ChangeKind, ChangeQuery, ChangedStep, Settled, Subscription, SubscriptionInfo,
        WhichChanges,
    },
};

use crate::{
    error::{Fail, Result},
    row::{
        columns::Columns,
        nanos::{clamped, time},
    },
    server::txn::{Lock, Txn},
};

const OPEN: &str =
    "SELECT name, kind, flows, statuses FROM %.subscriptions WHERE ended IS NULL ORDER BY name";
const PUT: &str = "INSERT INTO %.subscriptions (name, kind, flows, statuses, since) \
    VALUES ($1, $2, $3, $4, %.nanoseconds()) \
    ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, flows = excluded.flows, statuses = excluded.statuses";
const ALL: &str = "SELECT s.name, s.kind, s.flows, s.statuses, s.since, s.ended, \
    (SELECT count(*) FROM %.changes c WHERE c.subscription = s.name), \
    (SELECT count(*) FROM %.changes c WHERE c.subscription = s.name AND c.attempts > 0), \
    (SELECT c.at FROM %.changes c WHERE c.subscription = s.name ORDER BY c.number LIMIT 1) \
    FROM %.subscriptions s ORDER BY s.name";
const END: &str = "UPDATE %.subscriptions SET ended = $2 WHERE name = $1";
const REMOVE: &str = "DELETE FROM %.subscriptions WHERE name = $1";
const CHANGES: &str = "DELETE FROM %.changes WHERE subscription = $1";

const SELECT: &str = "SELECT number, execution, flow, from_status, to_status, at, error, step, path, step_attempts, \
    attempts, due_at, failure FROM %.changes c";
const NEW: &str = "WHERE subscription = $1 AND attempts = 0 AND number > $3 AND NOT EXISTS (SELECT 1 FROM %.changes f \
    WHERE f.subscription = $1 AND f.execution = c.execution AND f.attempts > 0) ORDER BY number LIMIT $2";
const FAILED: &str = "WHERE subscription = $1 AND attempts > 0 ORDER BY due_at, number LIMIT $2";

const DONE: &str = "DELETE FROM %.changes WHERE subscription = $1 AND number = ANY($2)";
const IN_VAIN: &str = "UPDATE %.changes c SET attempts = f.attempts, due_at = f.due_at, failure = f.failure \
    FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) AS f (number, attempts, due_at, failure) \
    WHERE c.subscription = $1 AND c.number = f.number";

/// Returns the subscriptions that have not ended.
pub(super) async fn open(txn: &mut Txn<'_>) -> Result<Vec<Subscription>> {
    let statement = txn.query(OPEN);
    let mut found = Vec::new();
    for row in &txn.rows(statement).await? {
        found.extend(subscription(&mut Columns::of(row))?);
    }
    Ok(found)
}

/// Reads the first four columns; `None` of one for statuses that only a newer version of this library has.
fn subscription(columns: &mut Columns<'_>) -> Result<Option<Subscription>> {
    let name = columns.owned()?.unwrap_or_default();
    let of = |why: String| Fail::Row(format!("subscription {name:?}: {why}"));
    let kind = columns.text()?.unwrap_or_default();
    let kind = ChangeKind::from_name(kind).ok_or_else(|| of(format!("{kind:?} is no kind")))?;
    let mut list = || -> Result<Vec<String>> {
        let text = columns.text()?.unwrap_or("[]");
        serde_json::from_str(text).map_err(|error| of(error.to_string()))
    };
    let (flows, names) = (list()?, list()?);
    let statuses = names.iter().filter_map(|name| Status::from_name(name));
    let statuses: Vec<Status> = statuses.collect();
    let is_known = names.is_empty() || !statuses.is_empty();
    Ok(is_known.then_some(Subscription {
        name,
        kind,
        flows,
        statuses,
    }))
}

/// Keeps a subscription.
pub(crate) async fn subscribe(txn: &mut Txn<'_>, new: &Subscription) -> Result<()> {
    txn.alone(Lock::Changes).await?;
    let text =
        |list: &[&str]| serde_json::to_string(list).map_err(|error| Fail::Row(error.to_string()));
    let flows: Vec<&str> = new.flows.iter().map(String::as_str).collect();
    let statuses: Vec<&str> = new.statuses.iter().map(|it| it.as_str()).collect();
    let statement = txn.query(PUT).bind(&new.name).bind(new.kind.as_str());
    let statement = statement.bind(text(&flows)?).bind(text(&statuses)?);
    txn.execute(statement).await?;
    Ok(())
}

/// Ends one, and deletes its changes. Returns whether it is there.
pub(crate) async fn end(txn: &mut Txn<'_>, name: &str, why: &str) -> Result<bool> {
    txn.alone(Lock::Changes).await?;
    let statement = txn.query(END).bind(name).bind(why);
    let ended = txn.execute(statement).await?;
    let statement = txn.query(CHANGES).bind(name);
    txn.execute(statement).await?;
    Ok(ended > 0)
}

/// Removes one with its changes. Returns whether it was there.
pub(crate) async fn remove(txn: &mut Txn<'_>, name: &str) -> Result<bool> {
    txn.alone(Lock::Changes).await?;
    let statement = txn.query(REMOVE).bind(name);
    let removed = txn.execute(statement).await?;
    let statement = txn.query(CHANGES).bind(name);
    txn.execute(statement).await?;
    Ok(removed > 0)
}

/// Returns all.
pub(crate) async fn all(txn: &mut Txn<'_>) -> Result<Vec<SubscriptionInfo>> {
    let statement = txn.query(ALL);
    let mut found = Vec::new();
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        let Some(subscription) = subscription(&mut columns)? else {
            continue;
        };
        let since = time(columns.key()?);
        let mut info = SubscriptionInfo::new(subscription, since);
        info.ended = columns.owned()?;
        info.waiting = columns.key()?.cast_unsigned();
        info.failed = columns.key()?.cast_unsigned();
        info.oldest = columns.number()?.map(time);
        found.push(info);
    }
    Ok(found)
}

/// Returns changes that are kept for a subscription.
pub(crate) async fn list(txn: &mut Txn<'_>, query: &ChangeQuery) -> Result<Vec<Change>> {
    let which = match query.which {
        WhichChanges::New { .. } => NEW,
        WhichChanges::Failed => FAILED,
    };
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let statement = txn.query(&format!("{SELECT} {which}"));
    let mut statement = statement.bind(&query.subscription).bind(limit);
    if let WhichChanges::New { after } = query.which {
        statement = statement.bind(after);
    }
    txn.rows(statement).await?.iter().map(change).collect()
}

fn change(row: &PgRow) -> Result<Change> {
    let mut columns = Columns::of(row);
    let number = columns.key()?;
    let execution = columns.owned()?.unwrap_or_default();
    let flow = columns.owned()?.unwrap_or_default();
    let from = columns.text()?.map(|name| {
        let status = Status::from_name(name);
        status.ok_or_else(|| Fail::Row(format!("change {number}: {name:?} is no status")))
    });
    let to = columns.status()?;
    let at = time(columns.key()?);
    let mut change = Change::new(number, execution, flow, from.transpose()?, to, at);
    change.error = columns.owned()?;
    let name = columns.owned()?;
    let path = columns.owned()?.unwrap_or_default();
    let attempts = columns.count()?.unwrap_or_default();
    change.step = name.map(|name| ChangedStep::new(name, path, attempts));
    change.attempts = columns.count()?.unwrap_or_default();
    change.due = columns.number()?.map(time);
    change.failure = columns.owned()?;
    Ok(change)
}

/// Deletes changes that were told, and keeps of others that they were told in vain.
pub(crate) async fn settle(txn: &mut Txn<'_>, settled: &Settled) -> Result<()> {
    let name = &settled.subscription;
    let statement = txn.query(DONE).bind(name).bind(&settled.done);
    txn.execute(statement).await?;
    let failed = &settled.failed;
    if failed.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i64> = failed.iter().map(|it| it.number).collect();
    let attempts: Vec<i64> = failed.iter().map(|it| it.attempts.into()).collect();
    let dues: Vec<i64> = failed.iter().map(|it| clamped(it.due)).collect();
    let failures: Vec<&str> = failed.iter().map(|it| &*it.failure).collect();
    let statement = txn.query(IN_VAIN).bind(name).bind(numbers);
    let statement = statement.bind(attempts).bind(dues).bind(failures);
    txn.execute(statement).await?;
    Ok(())
}
