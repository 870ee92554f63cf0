//! Nodes: that they come back as they were written.

use jiff::{SignedDuration, Timestamp};

use super::prelude::*;
use crate::{
    store::{RowRanges, Target},
    testing::store::{generate, generate::Dice},
};

/// They come back from a load and from a claim.
async fn come_back(fixture: &Fixture, lease: Lease, expected: &[NodeRow]) -> Outcome {
    taken_back(fixture, lease, expected).await.map(drop)
}

/// The same; returns what the claim returned.
async fn taken_back(
    fixture: &Fixture,
    lease: Lease,
    expected: &[NodeRow],
) -> Outcome<HeldExecution> {
    let saved = fixture.load("id").await?;
    same_nodes("loading", &saved.nodes, expected)?;
    fixture.rest(lease, Due::Now).await?;
    let taken = fixture.claim_one("reader", "id").await?;
    same_nodes("a claim", &taken.nodes, expected)?;
    Ok(taken)
}

pub(in super::super) async fn nodes_replace_those_of_their_number(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let first = vec![root(Status::Running), step(1, "a"), step(2, "b")];
    fixture.keep(lease, first.clone()).await?;
    let mut anew = step(2, "b anew");
    anew.parent = 1;
    anew.node = NodeData::default();
    fixture
        .keep(lease, vec![anew.clone(), step(5, "e")])
        .await?;
    fixture.keep(lease, Vec::new()).await?;
    let expected = [first[0].clone(), first[1].clone(), anew, step(5, "e")];
    come_back(&fixture, lease, &expected).await
}

pub(in super::super) async fn replace_deletes_the_others(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let other = fixture.held("other").await?;
    let nodes = vec![root(Status::Running), step(1, "a"), step(2, "b")];
    fixture.keep(lease, nodes.clone()).await?;
    fixture.keep(other, nodes.clone()).await?;
    let left = vec![root(Status::Waiting), step(2, "c")];
    let mut write = write(lease, left.clone(), LeaseAfter::Keep);
    write.replace = true;
    fixture.write(write).await?;
    same_nodes(
        "another execution",
        &fixture.load("other").await?.nodes,
        &nodes,
    )?;
    come_back(&fixture, lease, &left).await
}

pub(in super::super) async fn removed_rows_are_gone(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let other = fixture.held("other").await?;
    // Each begins when the one before it ends.
    let steps = (1..=9).map(|id| {
        let mut row = step(id, &format!("step {id}"));
        row.node.started_at = Timestamp::from_second(i64::from(id)).ok();
        row.node.done_at = Timestamp::from_second(i64::from(id) + 1).ok();
        row
    });
    let mut nodes: Vec<NodeRow> = [root(Status::Running)].into_iter().chain(steps).collect();
    if let Some(last) = nodes.last_mut() {
        (last.node.status, last.node.done_at) = (Status::Running, None);
    }
    fixture.keep(lease, nodes.clone()).await?;
    fixture.keep(other, nodes.clone()).await?;

    let rows = |text: &str| text.parse::<RowRanges>().unwrap_or_default();
    let mut stale = write(lease, Vec::new(), LeaseAfter::Keep);
    stale.removed = rows("1-9");
    if let Target::Held(lease) = &mut stale.target {
        lease.fence -= 1;
    }
    let refused = fixture.store.write(stale).await;
    fails("a write under another lease", refused, ErrorKind::Fenced)?;
    same_nodes("after it", &fixture.load("id").await?.nodes, &nodes)?;

    let mut gone = write(lease, vec![step(10, "new")], LeaseAfter::Keep);
    gone.removed = rows("2-3 5-5 8-9");
    fixture.write(gone).await?;
    let others = fixture.load("other").await?.nodes;
    same_nodes("another execution", &others, &nodes)?;
    nodes.retain(|row| matches!(row.id, 0 | 1 | 4 | 6 | 7));
    nodes.push(step(10, "new"));
    same_nodes("the rest", &fixture.load("id").await?.nodes, &nodes)?;

    let mut last = write(lease, Vec::new(), LeaseAfter::Keep);
    last.removed = rows("6-10");
    fixture.write(last).await?;
    nodes.retain(|row| row.id < 6);
    nodes.push(step(11, "later"));
    fixture.keep(lease, vec![step(11, "later")]).await?;
    come_back(&fixture, lease, &nodes).await
}

pub(in super::super) async fn replace_may_leave_no_root(fixture: Fixture) -> Outcome {
    for (id, nodes) in [("id", vec![step(2, "c")]), ("none", Vec::new())] {
        let lease = fixture.held(id).await?;
        let mut ended = root(Status::Failed);
        ended.node.errors = vec!["no".to_owned()];
        ended.node.info = Some(text("info"));
        ended.node.attempts = 3;
        fixture.keep(lease, vec![ended, step(1, "a")]).await?;
        let before = fixture.load(id).await?.info;
        let mut write = write(lease, nodes.clone(), LeaseAfter::Keep);
        write.replace = true;
        fixture.write(write).await?;
        let saved = fixture.load(id).await?;
        same_nodes(
            "what a write left that brings no root",
            &saved.nodes,
            &nodes,
        )?;
        same("what is known after it", &saved.info, &before)?;
        // The next root is a new one.
        let new = root(Status::Running);
        fixture.keep(lease, vec![new.clone()]).await?;
        let expected: Vec<NodeRow> = [new].into_iter().chain(nodes).collect();
        let saved = fixture.load(id).await?;
        same_nodes("with the next root", &saved.nodes, &expected)?;
    }
    Ok(())
}

pub(in super::super) async fn every_node_comes_back(fixture: Fixture) -> Outcome {
    let mut dice = Dice::new(1);
    let lease = fixture.held("id").await?;
    let mut expected: Vec<NodeRow> = Vec::new();
    for (id, node) in (1..).zip(generate::nodes(&mut dice, 400)) {
        expected.push(NodeRow::new(id, dice.below(id), node));
    }
    for nodes in expected.chunks(50) {
        fixture.keep(lease, nodes.to_vec()).await?;
    }
    // Each gets the content of another, with fields that were set now empty and the other way.
    let contents: Vec<NodeData> = expected.iter().rev().map(|row| row.node.clone()).collect();
    for (row, node) in expected.iter_mut().zip(contents) {
        row.node = node;
    }
    fixture.keep(lease, expected.clone()).await?;
    come_back(&fixture, lease, &expected).await
}

pub(in super::super) async fn root_comes_back(fixture: Fixture) -> Outcome {
    let mut dice = Dice::new(2);
    let mut lease = fixture.held("id").await?;
    for mut node in generate::nodes(&mut dice, 60) {
        if matches!(node.status, Status::Skipped | Status::UndoFailed) {
            node.status = Status::Stuck;
        }
        node.input = None;
        let root = NodeRow::new(0, 0, node);
        fixture.keep(lease, vec![root.clone()]).await?;
        let taken = taken_back(&fixture, lease, std::slice::from_ref(&root)).await?;
        lease = taken.lease;
        let (info, root) = (taken.info, root.node);
        same("the status", &info.status, &root.status)?;
        same("the output", &info.output, &root.output)?;
        near("when it began", info.started_at, root.started_at)?;
        near("when it ended", info.done_at, root.done_at)?;
        let last = root.errors.last();
        if last.is_none_or(|error| !error.is_empty()) {
            same("the error", &info.error.as_ref(), &last)?;
        }
    }
    Ok(())
}

/// Two times are the same to the microsecond.
fn near(what: &str, came: Option<Timestamp>, expected: Option<Timestamp>) -> Outcome {
    let is_near = match (came, expected) {
        (Some(came), Some(expected)) => {
            came.duration_since(expected).abs() <= SignedDuration::from_micros(1)
        }
        (came, expected) => came == expected,
    };
    holds(what, &format!("{expected:?}"), came, is_near)
}

pub(in super::super) async fn extremes_come_back(fixture: Fixture) -> Outcome {
    let mut ids = Vec::new();
    for (n, nasty) in generate::TEXTS.iter().enumerate() {
        let id = format!("{n}{nasty}");
        let creation = Creation::new(&id)
            .flow(&format!("{nasty}{n}"))
            .input(text(nasty))
            .label(nasty, nasty)
            .label("name", &id)
            .priority(if n % 2 == 0 { i32::MAX } else { i32::MIN })
            .due(Due::Never);
        fixture.create(creation).await?;
        ids.push(id);
    }
    for id in ["A", "a", "a ", " a", "ä", "a\u{308}"] {
        fixture
            .create(Creation::new(id).due(Due::Never).input(text(id)))
            .await?;
        ids.push(id.to_owned());
    }
    for id in &ids {
        let saved = fixture.load(id).await?;
        same("an id", &saved.info.id, id)?;
    }
    for (n, nasty) in generate::TEXTS.iter().enumerate() {
        let saved = fixture.load(&ids[n]).await?;
        let labels = [(*nasty, *nasty), ("name", &ids[n])];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        same("a flow", &saved.info.flow, &format!("{nasty}{n}"))?;
        same("labels", &saved.info.labels, &labels.into())?;
        same("an input", &saved.input, &text(nasty))?;
        let priority = if n % 2 == 0 { i32::MAX } else { i32::MIN };
        same("a priority", &saved.info.priority, &priority)?;
    }
    for (n, value) in generate::JSONS.iter().enumerate() {
        let id = format!("json {n}");
        fixture
            .create(Creation::new(&id).input(json(*value)))
            .await?;
        same("JSON text", fixture.load(&id).await?.input.get(), value)?;
    }
    Ok(())
}

pub(in super::super) async fn large_values_come_back(fixture: Fixture) -> Outcome {
    let large = text(&"0123456789abcdef\"ü\n".repeat(1 << 16));
    let lease = fixture
        .create(Creation::new("id").input(large.clone()).held("maker", HOUR))
        .await?;
    let mut root = root(Status::Done);
    root.node.output = Some(large.clone());
    let mut node = step(1, "large");
    node.node.output = Some(large.clone());
    node.node.errors = vec![large.get().to_owned()];
    node.node.status = Status::Failed;
    fixture
        .keep(lease, vec![root.clone(), node.clone()])
        .await?;
    let message = Message::Signal {
        path: "wait".to_owned(),
        value: large.clone(),
    };
    let number = fixture.send("id", message.clone()).await?;
    let saved = fixture.load("id").await?;
    same("an input of more than 1 MiB", &saved.input, &large)?;
    same(
        "an output of more than 1 MiB",
        &saved.info.output,
        &Some(large),
    )?;
    let taken = taken_back(&fixture, lease, &[root, node]).await?;
    same(
        "a message of more than 1 MiB",
        &taken.messages,
        &vec![(number, message)],
    )
}

pub(in super::super) async fn many_rows_come_back(fixture: Fixture) -> Outcome {
    const MANY: u32 = 10_000;
    let lease = fixture.held("id").await?;
    let other = fixture.held("other").await?;
    fixture.keep(other, vec![step(1, "other")]).await?;
    let nodes: Vec<NodeRow> = (0..MANY)
        .map(|id| step(id, &format!("item {id}")))
        .collect();
    fixture.keep(lease, nodes.clone()).await?;
    same_nodes(
        "10,000 rows of one write",
        &fixture.load("id").await?.nodes,
        &nodes,
    )?;

    let fewer: Vec<NodeRow> = (0..MANY / 2).map(|id| step(2 * id, "anew")).collect();
    let mut write = write(lease, fewer.clone(), LeaseAfter::Keep);
    write.replace = true;
    fixture.write(write).await?;
    come_back(&fixture, lease, &fewer).await?;
    let saved = fixture.load("other").await?;
    same_nodes("another execution", &saved.nodes, &[step(1, "other")])
}

pub(in super::super) async fn root_tells_the_execution(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let before = fixture.load("id").await?;
    same(
        "before the root is written",
        &before.info.status,
        &Status::Pending,
    )?;
    fixture.keep(lease, vec![step(1, "a")]).await?;
    let info = fixture.load("id").await?.info;
    same("after a write without the root", &info, &before.info)?;

    let mut ended = root(Status::Failed);
    ended.node.errors = vec!["first".to_owned(), "last".to_owned()];
    ended.node.output = Some(text("output"));
    ended.node.started_at = Some(second(10));
    ended.node.done_at = Some(second(20));
    fixture.keep(lease, vec![ended]).await?;
    let mut expected = before.info.clone();
    expected.status = Status::Failed;
    expected.started_at = Some(second(10));
    expected.done_at = Some(second(20));
    expected.error = Some("last".to_owned());
    expected.output = Some(text("output"));
    let known = |what: &str, mut info: ExecutionInfo, expected: &ExecutionInfo| {
        info.updated_at = expected.updated_at;
        same(&format!("what is known, {what}"), &info, expected)
    };
    known("by load", fixture.load("id").await?.info, &expected)?;
    let brief = query(|query| query.brief = true);
    let mut listed = fixture.store.list(brief).await?;
    same("how many a list has", &listed.len(), &1)?;
    known("by list", listed.remove(0), &expected)?;

    // What the next root leaves out is gone.
    fixture.keep(lease, vec![root(Status::Running)]).await?;
    expected = before.info.clone();
    expected.status = Status::Running;
    expected.started_at = Some(second(1));
    known(
        "after the next root",
        fixture.load("id").await?.info,
        &expected,
    )?;
    same("the input", &fixture.load("id").await?.input, &before.input)
}
