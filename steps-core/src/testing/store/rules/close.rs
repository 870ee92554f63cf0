//! Closing a store, and opening it again.

use super::prelude::*;
use crate::store::{DutyQuery, Settled};

pub(in super::super) async fn close_ends_all_calls(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let store = &fixture.store;
    store.close().await?;
    let id = || "id".to_owned();
    let closed = ErrorKind::Closed;
    let what = |call: &str| format!("{call} after the store was closed");
    let acquire = Acquire {
        id: id(),
        worker: "worker".to_owned(),
        lease: HOUR,
        over: TakeOver::Ended,
    };
    let renew = Renew::some(HOUR, vec![(lease, 0)]);
    let message = send_message(&id(), Message::Stop);
    let flows = vec![flow_claim(&[FLOW], 1)];
    let create = Creation::new("new").write();
    let keep = write(lease, vec![step(1, "a")], LeaseAfter::Keep);
    fails(&what("making one"), store.write(create).await, closed)?;
    fails(&what("a write"), store.write(keep).await, closed)?;
    fails(&what("a claim"), store.claim(claim("worker")).await, closed)?;
    fails(&what("a hold"), store.acquire(acquire).await, closed)?;
    fails(&what("a renewal"), store.renew(renew).await, closed)?;
    fails(&what("a message"), store.send(message).await, closed)?;
    fails(
        &what("a readmission"),
        store.forget_refusals(flows).await,
        closed,
    )?;
    fails(&what("a duty"), store.duty(id()).await, closed)?;
    fails(
        &what("a list of duties"),
        store.duties(DutyQuery::default()).await,
        closed,
    )?;
    fails(
        &what("a change of a duty"),
        store.set_duty(set_duty(&id(), None, Some("1"))).await,
        closed,
    )?;
    fails(
        &what("a list of subscriptions"),
        store.subscriptions().await,
        closed,
    )?;
    fails(
        &what("settling changes"),
        store.settle(Settled::default()).await,
        closed,
    )?;
    fails(
        &what("keeping a form"),
        store.keep_form(form_of(1)).await,
        closed,
    )?;
    fails(&what("reading a form"), store.form(1).await, closed)?;
    fails(&what("a load"), store.load(id()).await, closed)?;
    fails(
        &what("a list"),
        store.list(ExecutionQuery::default()).await,
        closed,
    )?;
    fails(
        &what("a count"),
        store.count(ExecutionQuery::default()).await,
        closed,
    )?;
    fails(
        &what("a deletion"),
        store.delete(ExecutionQuery::default()).await,
        closed,
    )?;

    let Some(again) = fixture.again().await else {
        return Ok(());
    };
    same_nodes(
        "what the refused write left",
        &again.load("id").await?.nodes,
        &[],
    )
}

/// Executions in every state of rest, and a lease on one of them.
async fn populate(fixture: &Fixture) -> Outcome<Lease> {
    let nodes = |status| vec![root(status), step(1, "a"), step(2, "ü\n")];
    let later = fixture.later(HOUR).await?;
    let later = Creation::new("later").due(Due::At(later));
    fixture.create(later.label("a", "b").priority(3)).await?;
    let never = Creation::new("never").due(Due::Never).input(text("in"));
    fixture.create(never.nodes(nodes(Status::Waiting))).await?;
    let lease = fixture.held("held").await?;
    fixture.keep(lease, nodes(Status::Running)).await?;
    let done = fixture.held("done").await?;
    fixture.keep(done, nodes(Status::Done)).await?;
    fixture.rest(done, Due::Never).await?;
    let refused = fixture.held("refused").await?;
    let why = Refused {
        by: vec![refuser(FINGERPRINT)],
        why: "no".to_owned(),
    };
    fixture
        .write(write(
            refused,
            nodes(Status::Running),
            LeaseAfter::Refuse(why),
        ))
        .await?;
    let deleted = Creation::new("deleted").nodes(nodes(Status::Done));
    fixture.create(deleted.label("gone", "1")).await?;
    let query = query(|query| query.id = Some("deleted".to_owned()));
    same(
        "how many were deleted",
        &fixture.store.delete(query).await?,
        &1,
    )?;
    Ok(lease)
}

async fn all(fixture: &Fixture) -> Outcome<Vec<StoredExecution>> {
    let mut all = Vec::new();
    for id in fixture.list(ExecutionQuery::default()).await? {
        all.push(fixture.load(&id).await?);
    }
    Ok(all)
}

pub(in super::super) async fn close_finishes_what_was_asked_for(fixture: Fixture) -> Outcome {
    let Some(other) = fixture.again().await else {
        return Ok(());
    };
    let mut leases = Vec::new();
    for n in 0..20 {
        leases.push(fixture.held(&n.to_string()).await?);
    }
    let mut calls: Vec<_> = leases
        .into_iter()
        .map(|lease| {
            let nodes = vec![root(Status::Running), step(1, "a")];
            fixture.store.write(write(lease, nodes, LeaseAfter::Keep))
        })
        .collect();
    // Each is under way, and some are at their end.
    let mut answers: Vec<_> = (0..20).map(|_| None).collect();
    for (call, answer) in calls.iter_mut().zip(&mut answers) {
        if let std::task::Poll::Ready(written) = futures_util::poll!(call) {
            *answer = Some(written);
        }
    }
    fixture.store.close().await?;
    for (n, (call, answer)) in calls.into_iter().zip(answers).enumerate() {
        let written = match answer {
            Some(written) => written,
            None => call.await,
        };
        let is_kept = match written {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::Closed => false,
            Err(error) => return Err(error.into()),
        };
        let nodes = other.load(&n.to_string()).await?.nodes.len();
        let what = "how many nodes there are of a write that was under way as the store closed";
        same(what, &nodes, if is_kept { &2 } else { &0 })?;
    }
    Ok(())
}

pub(in super::super) async fn reopening_keeps_all(fixture: Fixture) -> Outcome {
    // Once as after a crash, and once closed before.
    let Some(other) = fixture.again().await else {
        return Ok(());
    };
    let lease = populate(&fixture).await?;
    let number = fixture.send("held", Message::Stop).await?;
    let before = all(&fixture).await?;
    other.store.close().await?;
    for closes in [false, true] {
        if closes {
            fixture.store.close().await?;
        }
        let Some(again) = fixture.again().await else {
            return Ok(());
        };
        let after = all(&again).await?;
        same("how many there are", &after.len(), &before.len())?;
        for (after, before) in after.iter().zip(&before) {
            let what = format!("{:?}, opened again", before.info.id);
            same(&what, &after.info, &before.info)?;
            same(&format!("{what}: its input"), &after.input, &before.input)?;
            same_nodes(&what, &after.nodes, &before.nodes)?;
        }
        if closes {
            return goes_on(&again, lease, number).await;
        }
    }
    Ok(())
}

/// Leases, fencing numbers and message numbers are as they were.
async fn goes_on(fixture: &Fixture, lease: Lease, number: i64) -> Outcome {
    fixture.claim_nothing("nothing was due before").await?;
    let mut last = write(lease, vec![step(3, "c")], LeaseAfter::Keep);
    last.taken = vec![number];
    fixture.write(last).await?;
    let larger = fixture.send("held", Message::Stop).await?;
    let what = "the number of the next message, with none kept";
    holds(
        what,
        &format!("more than {number}"),
        larger,
        larger > number,
    )?;
    fixture.rest(lease, Due::Now).await?;
    let taken = fixture.claim_one("worker", "held").await?;
    let larger = taken.lease.fence > lease.fence;
    let expected = format!("more than {}", lease.fence);
    holds(
        "the next fencing number",
        &expected,
        taken.lease.fence,
        larger,
    )?;
    let late = fixture
        .store
        .write(write(lease, Vec::new(), LeaseAfter::Keep));
    fails("a write under the old lease", late.await, ErrorKind::Fenced)
}

pub(in super::super) async fn opened_twice_is_one_store(fixture: Fixture) -> Outcome {
    let Some(other) = fixture.again().await else {
        return Ok(());
    };
    let lease = fixture
        .create(Creation::new("id").held("first", SHORT))
        .await?;
    fixture.keep(lease, vec![step(1, "a")]).await?;
    same_nodes(
        "by the other",
        &other.load("id").await?.nodes,
        &[step(1, "a")],
    )?;
    fixture.lapse(SHORT).await?;
    let taken = other.claim_one("second", "id").await?;
    same(
        "from whom it was taken",
        &taken.previous_worker.as_deref(),
        &Some("first"),
    )?;
    let late = fixture
        .store
        .write(write(lease, Vec::new(), LeaseAfter::Keep));
    fails("a write by the first", late.await, ErrorKind::Fenced)?;
    let number = fixture.send("id", Message::Stop).await?;
    match other.renew(taken.lease, 0, HOUR).await? {
        Renewal::Held(messages) => {
            same("messages", &messages, &vec![(number, Message::Stop)])?;
        }
        Renewal::Lost => return Err(Fault::new("a renewal", "Acquired", Renewal::Lost)),
    }
    fixture.store.close().await?;
    // Closing one is nothing to the other.
    other.keep(taken.lease, vec![step(2, "b")]).await
}
