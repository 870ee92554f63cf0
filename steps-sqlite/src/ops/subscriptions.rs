//! Subscriptions to changes. The writing connection remembers them as long as nobody else has written, so
//! that a write need not look for them.

use std::sync::Arc;

use rusqlite::{Connection, params};
use steps_core::{
    Status,
    store::{ChangeKind, Subscription, SubscriptionInfo},
};

use super::txn::Txn;
use crate::{
    error::{Fail, Result},
    file::clock::Now,
    row::{columns::Columns, nanos::time},
};

const OPEN: &str = "SELECT name, kind, flows, statuses FROM subscriptions WHERE ended IS NULL \
    ORDER BY name";

const PUT: &str = "INSERT INTO subscriptions (name, kind, flows, statuses, since) \
    VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (name) DO UPDATE SET kind = ?2, flows = ?3, statuses = ?4";

const ALL: &str = "SELECT s.name, s.kind, s.flows, s.statuses, s.since, s.ended, \
    (SELECT count(*) FROM changes c WHERE c.subscription = s.name), \
    (SELECT count(*) FROM changes c WHERE c.subscription = s.name AND c.attempts > 0), \
    (SELECT c.at FROM changes c WHERE c.subscription = s.name ORDER BY c.number LIMIT 1) \
    FROM subscriptions s ORDER BY s.name";

const REMOVE: &str = "DELETE FROM subscriptions WHERE name = ?1";
const END: &str = "UPDATE subscriptions SET ended = ?2 WHERE name = ?1";
/// So many changes at once, the oldest first: nobody waits long for all of them.
const CHANGES: &str = "DELETE FROM changes WHERE subscription = ?1 AND number <= \
    ifnull((SELECT number FROM changes WHERE subscription = ?1 ORDER BY number LIMIT 1 OFFSET 4999), \
    9223372036854775807)";

/// Returns the subscriptions that have not ended, inside a transaction that writes.
pub(super) fn open(txn: &Txn<'_>) -> Result<Arc<[Subscription]>> {
    let known = txn.known().and_then(|known| known.subscriptions());
    if let Some(known) = known {
        return Ok(known);
    }
    let mut found = Vec::new();
    let mut statement = txn.prepare_cached(OPEN)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.extend(subscription(&mut Columns::from(row, 0))?);
    }
    let found: Arc<[Subscription]> = found.into();
    if let Some(mut known) = txn.known() {
        known.know_subscriptions(Arc::clone(&found));
    }
    Ok(found)
}

/// Reads the first four columns; `None` of one for statuses that only a newer version of this library has.
fn subscription(columns: &mut Columns<'_>) -> Result<Option<Subscription>> {
    let name = columns.text()?.unwrap_or_default().to_owned();
    let of = |why: String| Fail::Row(format!("subscription {name:?}: {why}"));
    let kind = columns.text()?.unwrap_or_default();
    let Some(kind) = ChangeKind::from_name(kind) else {
        return Err(of(format!("{kind:?} is no kind")));
    };
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
pub(crate) fn subscribe(txn: &Txn<'_>, new: &Subscription, now: Now) -> Result<()> {
    let statuses: Vec<&str> = new.statuses.iter().map(|it| it.as_str()).collect();
    let text = |list| serde_json::to_string(list).map_err(|error| Fail::Row(error.to_string()));
    let flows: Vec<&str> = new.flows.iter().map(String::as_str).collect();
    let values = params![
        new.name,
        new.kind.as_str(),
        text(&flows)?,
        text(&statuses)?,
        now.wall
    ];
    txn.prepare_cached(PUT)?.execute(values)?;
    txn.forget_subscriptions();
    Ok(())
}

/// Ends one, and deletes some of its changes. Returns whether it is there, and whether more changes are.
pub(crate) fn end(txn: &Txn<'_>, name: &str, why: &str) -> Result<(bool, bool)> {
    let ended = txn.prepare_cached(END)?.execute([name, why])?;
    txn.forget_subscriptions();
    Ok((ended > 0, has_more(txn, name)?))
}

/// Deletes some changes of one that has ended. Returns whether there are more.
pub(crate) fn has_more(txn: &Txn<'_>, name: &str) -> Result<bool> {
    Ok(txn.prepare_cached(CHANGES)?.execute([name])? > 0)
}

/// Removes one that has no changes any more.
pub(crate) fn remove(txn: &Txn<'_>, name: &str) -> Result<()> {
    txn.prepare_cached(REMOVE)?.execute([name])?;
    txn.forget_subscriptions();
    Ok(())
}

/// Returns all.
pub(crate) fn all(conn: &Connection) -> Result<Vec<SubscriptionInfo>> {
    let mut found = Vec::new();
    let mut statement = conn.prepare_cached(ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::from(row, 0);
        let Some(subscription) = subscription(&mut columns)? else {
            continue;
        };
        let since = time(columns.number()?.unwrap_or_default());
        let mut info = SubscriptionInfo::new(subscription, since);
        info.ended = columns.text()?.map(str::to_owned);
        info.waiting = columns.number()?.unwrap_or_default().cast_unsigned();
        info.failed = columns.number()?.unwrap_or_default().cast_unsigned();
        info.oldest = columns.number()?.map(time);
        found.push(info);
    }
    Ok(found)
}
