//! Executions that a flow, as it is compiled now, can't go on with.

use super::prelude::*;

fn refused(fingerprint: u64) -> Refused {
    Refused {
        fingerprint,
        why: "create: \"vm\" is gone\nadd an alias".to_owned(),
    }
}

async fn refuse(bench: &Bench, lease: Lease, fingerprint: u64) -> Outcome {
    let then = Then::Refuse(refused(fingerprint));
    bench.write(write(lease, Vec::new(), then)).await
}

fn by(fingerprint: u64) -> Claim {
    let mut claim = claim("worker");
    claim.flows = vec![flow_claim(&["alias", FLOW], fingerprint)];
    claim
}

async fn why(bench: &Bench) -> Outcome<Option<Refused>> {
    Ok(bench.load("id").await?.info.refused)
}

pub(in super::super) async fn refused_is_passed_over(bench: Bench) -> Outcome {
    let lease = bench.held("id").await?;
    let before = bench.load("id").await?.info;
    let then = Then::Refuse(refused(FINGERPRINT));
    bench.write(write(lease, vec![step(1, "a")], then)).await?;
    let saved = bench.load("id").await?;
    same_nodes("the nodes of the refusal", &saved.nodes, &[step(1, "a")])?;
    let now = bench.now().await?;
    let due = saved.info.due;
    let right = due.is_some_and(|due| due <= now);
    holds("when it is due", "now", due, right)?;
    let mut expected = before;
    expected.refused = Some(refused(FINGERPRINT));
    expected.worker = None;
    expected.due = due;
    same("what is known of it", &saved.info, &expected)?;

    let claimed = bench.claimed(by(FINGERPRINT)).await?;
    same(
        "a claim by the same flow",
        &ids(&claimed.taken),
        &Vec::new(),
    )?;
    same("`next_due` for the same flow", &claimed.next_due, &None)?;
    bench.tell("id", Message::Stop).await?;
    let claimed = bench.claimed(by(FINGERPRINT)).await?;
    same("a claim after a message", &ids(&claimed.taken), &Vec::new())?;
    // It does not stand in the way of others.
    bench.due("other").await?;
    let mut one = by(FINGERPRINT);
    one.limit = 1;
    bench.claim_one_with(one, "other").await?;

    let taken = bench.claim_one_with(by(1), "id").await?;
    same("from whom another flow takes it", &taken.from, &None)?;
    same_nodes("what another flow takes", &taken.nodes, &[step(1, "a")])
}

pub(in super::super) async fn taking_ends_a_refusal(bench: Bench) -> Outcome {
    let lease = bench.held("id").await?;
    refuse(&bench, lease, FINGERPRINT).await?;
    let taken = bench.claim_one_with(by(1), "id").await?;
    same(
        "the refusal, as a claim gives it",
        &taken.info.refused,
        &None,
    )?;
    same("the refusal after a claim", &why(&bench).await?, &None)?;
    bench.rest(taken.lease, Due::Now).await?;
    let taken = bench.claim_one_with(by(FINGERPRINT), "id").await?;

    refuse(&bench, taken.lease, FINGERPRINT).await?;
    let taken = bench.take("id", "operator", HOUR).await?;
    same(
        "the refusal, as a hold gives it",
        &taken.info.refused,
        &None,
    )?;
    bench.rest(taken.lease, Due::Now).await?;
    same("the refusal after a hold", &why(&bench).await?, &None)?;
    let taken = bench.claim_one_with(by(FINGERPRINT), "id").await?;

    refuse(&bench, taken.lease, 1).await?;
    let taken = bench.claim_one_with(by(FINGERPRINT), "id").await?;
    refuse(&bench, taken.lease, FINGERPRINT).await?;
    let found = why(&bench).await?;
    same("the second refusal", &found, &Some(refused(FINGERPRINT)))?;
    bench.claim_one_with(by(1), "id").await.map(drop)
}

pub(in super::super) async fn readmit_ends_a_refusal(bench: Bench) -> Outcome {
    let lease = bench.held("id").await?;
    refuse(&bench, lease, FINGERPRINT).await?;
    let others = [
        flow_claim(&[FLOW], 1),
        flow_claim(&["other"], FINGERPRINT),
        flow_claim(&[], FINGERPRINT),
    ];
    bench.store.readmit(others.to_vec()).await?;
    bench.store.readmit(Vec::new()).await?;
    let kept = Some(refused(FINGERPRINT));
    same(
        "the refusal after others were readmitted",
        &why(&bench).await?,
        &kept,
    )?;

    let flow = flow_claim(&["alias", FLOW], FINGERPRINT);
    bench
        .store
        .readmit(vec![flow_claim(&["other"], 1), flow])
        .await?;
    same(
        "the refusal after a readmission",
        &why(&bench).await?,
        &None,
    )?;
    bench.claim_one_with(by(FINGERPRINT), "id").await.map(drop)
}
