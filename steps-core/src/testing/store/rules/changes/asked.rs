//! What the rules about changes ask of a store, and a change in words.

use super::super::prelude::*;
use crate::store::{
    Change, ChangeKind, ChangeQuery, FailedChange, Settled, Subscription, SubscriptionInfo,
    WhichChanges,
};

pub(super) fn on(
    name: &str,
    kind: ChangeKind,
    flows: &[&str],
    statuses: &[Status],
) -> Subscription {
    Subscription {
        name: name.to_owned(),
        kind,
        flows: flows.iter().map(|flow| (*flow).to_owned()).collect(),
        statuses: statuses.to_vec(),
    }
}

pub(super) async fn subscribe(fixture: &Fixture, subscription: Subscription) -> Outcome {
    Ok(fixture.store.subscribe(subscription).await?)
}

pub(super) async fn list(
    fixture: &Fixture,
    name: &str,
    which: WhichChanges,
    limit: usize,
) -> Outcome<Vec<Change>> {
    let subscription = name.to_owned();
    let query = ChangeQuery {
        subscription,
        which,
        limit,
    };
    Ok(fixture.store.changes(query).await?)
}

pub(super) async fn new(fixture: &Fixture, name: &str) -> Outcome<Vec<Change>> {
    list(fixture, name, WhichChanges::New { after: 0 }, 1000).await
}

pub(super) async fn failed(fixture: &Fixture, name: &str) -> Outcome<Vec<Change>> {
    list(fixture, name, WhichChanges::Failed, 1000).await
}

/// A change in words.
pub(super) fn line(change: &Change) -> String {
    let from = change.from.map_or("-", Status::as_str);
    let mut line = format!("{} {} {from} {}", change.execution, change.flow, change.to);
    if let Some(step) = &change.step {
        line = format!("{line} {}={} {}", step.path, step.name, step.attempts);
    }
    if let Some(error) = &change.error {
        line = format!("{line} {error}");
    }
    line
}

pub(super) fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(line).collect()
}

pub(super) fn told(what: &str, changes: &[Change], expected: &[&str]) -> Outcome {
    let expected: Vec<String> = expected.iter().map(|&line| line.to_owned()).collect();
    same(what, &lines(changes), &expected)?;
    let numbers: Vec<i64> = changes.iter().map(|change| change.number).collect();
    let grow = numbers.is_sorted_by(|a, b| a < b);
    holds("the numbers of changes", "ever larger ones", numbers, grow)
}

pub(super) fn node(id: u32, parent: u32, name: &str, status: Status) -> NodeRow {
    let mut row = step(id, name);
    row.parent = parent;
    row.node.status = status;
    row.node.done_at = status.is_final().then(|| second(2));
    row
}

pub(super) fn group(id: u32, parent: u32, name: &str, status: Status) -> NodeRow {
    let mut row = node(id, parent, name, status);
    row.node.kind = crate::model::state::Kind::Group;
    row
}

pub(super) fn failing(mut row: NodeRow, error: &str) -> NodeRow {
    row.node.errors = vec!["first".to_owned(), error.to_owned()];
    row
}

pub(super) fn in_vain(number: i64, attempts: u32, due: i64) -> FailedChange {
    FailedChange {
        number,
        attempts,
        due: second(due),
        failure: format!("ü {attempts}"),
    }
}

pub(super) async fn settle(
    fixture: &Fixture,
    name: &str,
    done: Vec<i64>,
    failed: Vec<FailedChange>,
) -> Outcome {
    let settled = Settled {
        subscription: name.to_owned(),
        done,
        failed,
    };
    Ok(fixture.store.settle(settled).await?)
}

pub(super) fn numbers(changes: &[Change]) -> Vec<i64> {
    changes.iter().map(|change| change.number).collect()
}

pub(super) async fn infos(fixture: &Fixture) -> Outcome<Vec<SubscriptionInfo>> {
    Ok(fixture.store.subscriptions().await?)
}
