//! Who may write: the newest lease, and no other.

use super::prelude::*;

/// A write that changes all that a write can.
fn all(lease: Lease, message: i64) -> Write {
    let nodes = vec![root(Status::Done), step(1, "late"), step(9, "late")];
    let then = Then::Rest {
        due: Due::Never,
        seen: 0,
    };
    let mut write = write(lease, nodes, then);
    write.taken = vec![message];
    write
}

/// That lease is refused, and what is written under it is not kept.
async fn is_fenced(bench: &Bench, what: &str, lease: Lease, message: i64) -> Outcome {
    for replace in [false, true] {
        for then in [None, Some(Then::Keep)] {
            let before = bench.load("id").await?;
            let mut write = all(lease, message);
            write.replace = replace;
            write.then = then.unwrap_or(write.then);
            fails(what, bench.store.write(write).await, ErrorKind::Fenced)?;
            let after = bench.load("id").await?;
            let about = format!("{what}: what is known of the execution after it");
            same(&about, &after.info, &before.info)?;
            same_nodes(&format!("{what}, after it"), &after.nodes, &before.nodes)?;
        }
    }
    Ok(())
}

pub(in super::super) async fn stale_lease_is_fenced(bench: Bench) -> Outcome {
    let make = Make::new("id").held("first", SHORT);
    let first = bench.create(make.nodes(vec![step(1, "a")])).await?;
    let message = bench.tell("id", Message::Stop).await?;
    bench.lapse(SHORT).await?;
    let mut claim = claim("second");
    claim.lease = SHORT;
    let second = bench.claim_one_with(claim, "id").await?.lease;
    is_fenced(&bench, "a write after a claim by another", first, message).await?;
    bench.keep(second, vec![step(2, "b")]).await?;

    bench.lapse(SHORT).await?;
    let third = bench.take("id", "third", SHORT).await?;
    same(
        "the messages, as none was taken",
        &third.messages,
        &vec![(message, Message::Stop)],
    )?;
    is_fenced(&bench, "a write after a hold by another", second, message).await?;
    is_fenced(&bench, "a write after two others", first, message).await?;

    // The same worker is another holder when it takes it anew.
    bench.lapse(SHORT).await?;
    let fourth = bench.claim_one("third", "id").await?;
    is_fenced(
        &bench,
        "a write after a claim by itself",
        third.lease,
        message,
    )
    .await?;
    bench.keep(fourth.lease, vec![step(3, "c")]).await?;
    let saved = bench.load("id").await?;
    let expected = [step(1, "a"), step(2, "b"), step(3, "c")];
    same_nodes(
        "what was written under good leases",
        &saved.nodes,
        &expected,
    )
}

pub(in super::super) async fn ended_lease_still_writes(bench: Bench) -> Outcome {
    let lease = bench.create(Make::new("id").held("slow", SHORT)).await?;
    bench.lapse(SHORT).await?;
    bench.keep(lease, vec![step(1, "a")]).await?;
    bench.keep(lease, vec![step(2, "b")]).await?;
    let saved = bench.load("id").await?;
    let expected = [step(1, "a"), step(2, "b")];
    same_nodes("writes after its end", &saved.nodes, &expected)?;
    // A write does not renew it.
    let taken = bench.claim_one("other", "id").await?;
    same(
        "from whom it was taken",
        &taken.from.as_deref(),
        &Some("slow"),
    )?;
    same_nodes("what the next one gets", &taken.nodes, &expected)
}

pub(in super::super) async fn given_back_lease_is_fenced(bench: Bench) -> Outcome {
    let lease = bench.held("id").await?;
    bench.rest(lease, Due::Never).await?;
    is_fenced(&bench, "a write after the lease was given back", lease, 0).await?;
    let lease = bench.take("id", "worker", HOUR).await?.lease;
    let why = Refused {
        fingerprint: 1,
        why: "no".to_owned(),
    };
    let refusal = write(lease, Vec::new(), Then::Refuse(why));
    bench.write(refusal).await?;
    is_fenced(&bench, "a write after a refusal", lease, 0).await
}

pub(in super::super) async fn lease_of_deleted_is_fenced(bench: Bench) -> Outcome {
    let make = Make::new("id").nodes(vec![root(Status::Done)]);
    let old = bench.create(make.held("old", SHORT)).await?;
    bench.lapse(SHORT).await?;
    same(
        "how many were deleted",
        &bench.store.delete(Query::default()).await?,
        &1,
    )?;
    let came = bench.store.write(all(old, 0)).await;
    fails("a write to what was deleted", came, ErrorKind::Fenced)?;

    let new = bench.held("id").await?;
    let what = "a write under the lease on one of the same id, deleted before";
    is_fenced(&bench, what, old, 0).await?;
    same("renewing that lease", &lost(&bench, old).await?, &true)?;
    bench.keep(new, vec![step(1, "a")]).await
}

async fn lost(bench: &Bench, lease: Lease) -> Outcome<bool> {
    let renewal = bench.renew(lease, 0, HOUR).await?;
    Ok(matches!(renewal, Renewal::Lost))
}

pub(in super::super) async fn fences_grow(bench: Bench) -> Outcome {
    let mut last = bench.held("id").await?;
    for round in 0..6 {
        bench.rest(last, Due::Now).await?;
        let taken = match round % 2 {
            0 => bench.claim_one("worker", "id").await?,
            _ => bench.take("id", "worker", HOUR).await?,
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
