//! What is past: rows that claims leave out.

use super::prelude::*;
use crate::store::{Past, RowRanges};

fn past(rows: &str) -> Past {
    Past {
        by: refuser(FINGERPRINT),
        rows: rows.parse::<RowRanges>().unwrap_or_default(),
    }
}

pub(in super::super) async fn claims_leave_out_what_is_past(fixture: Fixture) -> Outcome {
    let steps = (1..=6).map(|id| step(id, "step"));
    let mut nodes: Vec<NodeRow> = [root(Status::Waiting)].into_iter().chain(steps).collect();
    let release = |past: Option<Past>, lease: Lease, nodes: &[NodeRow]| Write {
        past,
        ..write(
            lease,
            nodes.to_vec(),
            LeaseAfter::Release {
                due: Due::Now,
                last_message: 0,
            },
        )
    };
    let but = |rows: &str, all: &[NodeRow]| -> Vec<NodeRow> {
        let past = past(rows).rows;
        let open = all.iter().filter(|row| !past.contains(row.id));
        open.cloned().collect()
    };
    let lease = fixture.held("id").await?;
    let first = "1-2 4-5";
    fixture
        .write(release(Some(past(first)), lease, &nodes))
        .await?;
    let taken = fixture.claim_one("worker", "id").await?;
    same_nodes("a claim", &taken.nodes, &but(first, &nodes))?;
    same("what is past", &taken.past, &Some(past(first)))?;
    same_nodes("loading", &fixture.load("id").await?.nodes, &nodes)?;
    let open = fixture.store.load_open("id".to_owned()).await?;
    let open = open.map(|open| open.nodes).unwrap_or_default();
    // A store may give more.
    let is_there = |id: u32| open.iter().any(|row| row.id == id);
    let right = but(first, &nodes).iter().all(|row| is_there(row.id));
    holds("what is open, at least", first, &open, right)?;

    nodes.push(step(7, "step"));
    fixture
        .write(release(None, taken.lease, &nodes[7..]))
        .await?;
    let taken = fixture.claim_one("worker", "id").await?;
    let what = "a claim after a write that says nothing of it";
    same_nodes(what, &taken.nodes, &but(first, &nodes))?;

    let second = "1-5";
    fixture
        .write(release(Some(past(second)), taken.lease, &[]))
        .await?;
    let held = fixture.take("id", "operator", HOUR).await?;
    same_nodes("what an operator gets", &held.nodes, &nodes)?;
    same("and what is past", &held.past, &None)?;
    fixture.rest(held.lease, Due::Now).await?;
    let taken = fixture.claim_one("worker", "id").await?;
    let what = "a claim after a write that says it anew";
    same_nodes(what, &taken.nodes, &but(second, &nodes))?;

    let none = release(Some(past("")), taken.lease, &[]);
    fixture.write(none).await?;
    let taken = fixture.claim_one("worker", "id").await?;
    same_nodes("a claim when nothing is past", &taken.nodes, &nodes)?;
    same("what is past then", &taken.past, &None)?;

    let again = release(Some(past(first)), taken.lease, &[]);
    fixture.write(again).await?;
    let taken = fixture.claim_one("worker", "id").await?;
    let mut all = release(None, taken.lease, &nodes);
    all.replace = true;
    fixture.write(all).await?;
    let taken = fixture.claim_one("worker", "id").await?;
    same_nodes("a claim after all rows were replaced", &taken.nodes, &nodes)
}
