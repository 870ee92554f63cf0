//! Who may write: the newest lease, and no other. Each rival is another process, with a store of its
//! own on the same database, if that can be opened twice.

use super::prelude::*;

/// A write that changes all that a write can.
fn all(lease: Lease, message: i64) -> Write {
    let nodes = vec![root(Status::Done), step(1, "late"), step(9, "late")];
    let then = LeaseAfter::Release {
        due: Due::Never,
        last_message: 0,
    };
    let mut write = write(lease, nodes, then);
    write.taken = vec![message];
    write
}

/// That lease is refused, and what is written under it is not kept.
async fn is_fenced(fixture: &Fixture, what: &str, lease: Lease, message: i64) -> Outcome {
    for replace in [false, true] {
        for then in [None, Some(LeaseAfter::Keep)] {
            let before = fixture.load("id").await?;
            let mut write = all(lease, message);
            write.replace = replace;
            write.then = then.unwrap_or(write.then);
            fails(what, fixture.store.write(write).await, ErrorKind::Fenced)?;
            let after = fixture.load("id").await?;
            let about = format!("{what}: what is known of the execution after it");
            same(&about, &after.info, &before.info)?;
            same_nodes(&format!("{what}, after it"), &after.nodes, &before.nodes)?;
        }
    }
    Ok(())
}

pub(in super::super) async fn stale_lease_is_fenced(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let creation = Creation::new("id").held("first", SHORT);
    let first = fixture.create(creation.nodes(vec![step(1, "a")])).await?;
    let message = fixture.send("id", Message::Stop).await?;
    fixture.lapse(SHORT).await?;
    let mut claim = claim("second");
    claim.lease = SHORT;
    let second = rival.claim_one_with(claim, "id").await?.lease;
    is_fenced(&fixture, "a write after a claim by another", first, message).await?;
    rival.keep(second, vec![step(2, "b")]).await?;

    fixture.lapse(SHORT).await?;
    let third = fixture.take("id", "third", SHORT).await?;
    same(
        "the messages, as none was taken",
        &third.messages,
        &vec![(message, Message::Stop)],
    )?;
    is_fenced(&rival, "a write after a hold by another", second, message).await?;
    is_fenced(&fixture, "a write after two others", first, message).await?;

    // The same worker is another holder when it takes it anew.
    fixture.lapse(SHORT).await?;
    let fourth = rival.claim_one("third", "id").await?;
    is_fenced(
        &fixture,
        "a write after a claim by itself",
        third.lease,
        message,
    )
    .await?;
    rival.keep(fourth.lease, vec![step(3, "c")]).await?;
    let saved = fixture.load("id").await?;
    let expected = [step(1, "a"), step(2, "b"), step(3, "c")];
    same_nodes(
        "what was written under good leases",
        &saved.nodes,
        &expected,
    )
}

pub(in super::super) async fn ended_lease_still_writes(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let lease = fixture
        .create(Creation::new("id").held("slow", SHORT))
        .await?;
    fixture.lapse(SHORT).await?;
    fixture.keep(lease, vec![step(1, "a")]).await?;
    fixture.keep(lease, vec![step(2, "b")]).await?;
    let saved = fixture.load("id").await?;
    let expected = [step(1, "a"), step(2, "b")];
    same_nodes("writes after its end", &saved.nodes, &expected)?;
    // A write does not renew it.
    let taken = rival.claim_one("other", "id").await?;
    same(
        "from whom it was taken",
        &taken.previous_worker.as_deref(),
        &Some("slow"),
    )?;
    same_nodes("what the next one gets", &taken.nodes, &expected)
}

pub(in super::super) async fn given_back_lease_is_fenced(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let lease = fixture.held("id").await?;
    fixture.rest(lease, Due::Never).await?;
    is_fenced(&fixture, "a write after the lease was given back", lease, 0).await?;
    let lease = rival.take("id", "worker", HOUR).await?.lease;
    let why = Refused {
        by: vec![refuser(1)],
        why: "no".to_owned(),
    };
    let refusal = write(lease, Vec::new(), LeaseAfter::Refuse(why));
    rival.write(refusal).await?;
    is_fenced(&rival, "a write after a refusal", lease, 0).await
}

pub(in super::super) async fn lease_of_deleted_is_fenced(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let creation = Creation::new("id").nodes(vec![root(Status::Done)]);
    let old = fixture.create(creation.held("old", SHORT)).await?;
    fixture.lapse(SHORT).await?;
    same(
        "how many were deleted",
        &rival.store.delete(ExecutionQuery::default()).await?,
        &1,
    )?;
    let came = fixture.store.write(all(old, 0)).await;
    fails("a write to what was deleted", came, ErrorKind::Fenced)?;

    let new = rival.held("id").await?;
    let what = "a write under the lease on one of the same id, deleted before";
    is_fenced(&fixture, what, old, 0).await?;
    same("renewing that lease", &lost(&fixture, old).await?, &true)?;
    rival.keep(new, vec![step(1, "a")]).await
}

async fn lost(fixture: &Fixture, lease: Lease) -> Outcome<bool> {
    let renewal = fixture.renew(lease, 0, HOUR).await?;
    Ok(matches!(renewal, Renewal::Lost))
}

pub(in super::super) async fn fences_grow(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let mut last = fixture.held("id").await?;
    for round in 0..6 {
        let (holder, next) = match round % 4 {
            0 | 1 => (&fixture, &rival),
            _ => (&rival, &fixture),
        };
        holder.rest(last, Due::Now).await?;
        let taken = match round % 2 {
            0 => next.claim_one("worker", "id").await?,
            _ => next.take("id", "worker", HOUR).await?,
        };
        let larger = taken.lease.fence > last.fence;
        let expected = format!("more than {}", last.fence);
        holds(
            "the next fencing number",
            &expected,
            taken.lease.fence,
            larger,
        )?;
        last = taken.lease;
    }
    Ok(())
}
