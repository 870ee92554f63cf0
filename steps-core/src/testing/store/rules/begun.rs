//! A step that begins when the one before it ends: its first row says nothing that the end of the other does not, but for
//! its name, so a store may keep it there.

use super::prelude::*;
use crate::store::{Past, RowRanges};

/// A step that has begun at the end of the one before it, which it has the next number after.
fn begun(id: u32) -> NodeRow {
    let mut row = step(id, &format!("step {id}"));
    let node = &mut row.node;
    (node.status, node.attempts) = (Status::Running, 1);
    node.started_at = Some(second(id.into()));
    (node.done_at, node.output) = (None, None);
    row
}

fn done(id: u32) -> NodeRow {
    let mut row = begun(id);
    row.node.status = Status::Done;
    row.node.done_at = Some(second(i64::from(id) + 1));
    row.node.output = Some(text("output"));
    row
}

fn rows(text: &str) -> RowRanges {
    text.parse().unwrap_or_default()
}

/// Writes nodes of which those from this number on are new.
async fn new_from(fixture: &Fixture, lease: Lease, from: u32, nodes: Vec<NodeRow>) -> Outcome {
    let mut write = write(lease, nodes, LeaseAfter::Keep);
    write.new_from = Some(from);
    fixture.write(write).await
}

/// An execution in its third step.
async fn in_third(fixture: &Fixture, id: &str) -> Outcome<(Lease, Vec<NodeRow>)> {
    let lease = fixture.held(id).await?;
    let first = vec![root(Status::Running), begun(1)];
    new_from(fixture, lease, 1, first).await?;
    for step in 1..=2 {
        let nodes = vec![done(step), begun(step + 1)];
        new_from(fixture, lease, step + 1, nodes).await?;
    }
    let nodes = vec![root(Status::Running), done(1), done(2), begun(3)];
    Ok((lease, nodes))
}

pub(in super::super) async fn a_step_begins_with_the_end_of_another(fixture: Fixture) -> Outcome {
    let (lease, mut nodes) = in_third(&fixture, "id").await?;
    same_nodes(
        "in the third step",
        &fixture.load("id").await?.nodes,
        &nodes,
    )?;
    let found = fixture.store.list(ExecutionQuery::default()).await?;
    let steps = found.first().map(|info| &info.steps);
    let steps = steps.map(|steps| [Status::Done, Status::Running].map(|status| steps.of(status)));
    same("how many steps are done and run", &steps, &Some([2, 1]))?;

    // What is before it changes.
    nodes[2].node.status = Status::Undoing;
    fixture.keep(lease, vec![nodes[2].clone()]).await?;
    same_nodes(
        "when the one before it changes",
        &fixture.load("id").await?.nodes,
        &nodes,
    )?;
    // It was there before, and has not only begun.
    nodes[3] = done(3);
    fixture.keep(lease, vec![done(3)]).await?;
    same_nodes("when it is done", &fixture.load("id").await?.nodes, &nodes)?;
    (nodes[2], nodes[3]) = (done(2), begun(3));
    fixture.keep(lease, vec![done(2), begun(3)]).await?;
    same_nodes(
        "when it begins again",
        &fixture.load("id").await?.nodes,
        &nodes,
    )?;
    let [mut fourth, fifth] = [begun(4), begun(5)];
    fourth.node.attempts = 2;
    nodes[3] = done(3);
    nodes.extend([fourth.clone(), fifth.clone()]);
    let more = vec![done(3), fourth, fifth];
    new_from(&fixture, lease, 4, more).await?;
    same_nodes(
        "when there is more to say of it",
        &fixture.load("id").await?.nodes,
        &nodes,
    )?;
    let stale = Lease {
        fence: lease.fence - 1,
        ..lease
    };
    let mut late = write(stale, vec![done(5), begun(6)], LeaseAfter::Keep);
    late.new_from = Some(6);
    let refused = fixture.store.write(late).await;
    fails("a write under another lease", refused, ErrorKind::Fenced)?;
    same_nodes("after it", &fixture.load("id").await?.nodes, &nodes)
}

pub(in super::super) async fn a_step_that_began_so_stands_by_itself(fixture: Fixture) -> Outcome {
    let (lease, mut nodes) = in_third(&fixture, "id").await?;
    let (other, mut others) = in_third(&fixture, "other").await?;
    let mut before = write(lease, Vec::new(), LeaseAfter::Keep);
    before.removed = rows("1-2");
    fixture.write(before).await?;
    nodes.retain(|row| matches!(row.id, 0 | 3));
    same_nodes(
        "without those before it",
        &fixture.load("id").await?.nodes,
        &nodes,
    )?;
    let mut itself = write(other, Vec::new(), LeaseAfter::Keep);
    itself.removed = rows("3-3");
    fixture.write(itself).await?;
    others.retain(|row| row.id < 3);
    same_nodes("without it", &fixture.load("other").await?.nodes, &others)?;

    let (lease, nodes) = in_third(&fixture, "third").await?;
    for (past, is_open) in [("1-2", [0, 3].as_slice()), ("1-1 3-3", &[0, 2])] {
        let lease = match past {
            "1-2" => lease,
            _ => fixture.claim_one("worker", "third").await?.lease,
        };
        let then = LeaseAfter::Release {
            due: Due::Now,
            last_message: 0,
        };
        let mut release = write(lease, Vec::new(), then);
        let by = refuser(FINGERPRINT);
        release.past = Some(Past {
            by,
            rows: rows(past),
        });
        fixture.write(release).await?;
        let taken = fixture.claim_one("worker", "third").await?;
        let open: Vec<NodeRow> = nodes
            .iter()
            .filter(|row| is_open.contains(&row.id))
            .cloned()
            .collect();
        same_nodes(&format!("a claim without {past}"), &taken.nodes, &open)?;
        same_nodes("all of it", &fixture.load("third").await?.nodes, &nodes)?;
        fixture.rest(taken.lease, Due::Now).await?;
    }
    Ok(())
}
