//! Executions that a flow, as it is compiled now, can't go on with.

use super::prelude::*;

fn refused(fingerprint: u64) -> Refused {
    Refused {
        by: vec![refuser(fingerprint)],
        why: "create: \"vm\" is gone\nadd an alias".to_owned(),
    }
}

async fn refuse(fixture: &Fixture, lease: Lease, fingerprint: u64) -> Outcome {
    let then = LeaseAfter::Refuse(refused(fingerprint));
    fixture.write(write(lease, Vec::new(), then)).await
}

fn by(fingerprint: u64) -> Claim {
    let mut claim = claim("worker");
    claim.flows = vec![flow_claim(&["alias", FLOW], fingerprint)];
    claim
}

async fn why(fixture: &Fixture) -> Outcome<Option<Refused>> {
    Ok(fixture.load("id").await?.info.refused)
}

pub(in super::super) async fn refused_is_passed_over(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let before = fixture.load("id").await?.info;
    let then = LeaseAfter::Refuse(refused(FINGERPRINT));
    fixture
        .write(write(lease, vec![step(1, "a")], then))
        .await?;
    let saved = fixture.load("id").await?;
    same_nodes("the nodes of the refusal", &saved.nodes, &[step(1, "a")])?;
    let now = fixture.now().await?;
    let due = saved.info.due;
    let right = due.is_some_and(|due| due <= now);
    holds("when it is due", "now", due, right)?;
    let mut expected = before;
    expected.refused = Some(refused(FINGERPRINT));
    expected.worker = None;
    expected.due = due;
    expected.updated_at = saved.info.updated_at;
    same("what is known of it", &saved.info, &expected)?;

    let claimed = fixture.claimed(by(FINGERPRINT)).await?;
    same(
        "a claim by the same flow",
        &ids(&claimed.taken),
        &Vec::new(),
    )?;
    same("`next_due` for the same flow", &claimed.next_due, &None)?;
    fixture.send("id", Message::Stop).await?;
    let claimed = fixture.claimed(by(FINGERPRINT)).await?;
    same("a claim after a message", &ids(&claimed.taken), &Vec::new())?;
    // It does not stand in the way of others.
    fixture.due("other").await?;
    let mut one = by(FINGERPRINT);
    one.limit = 1;
    fixture.claim_one_with(one, "other").await?;

    let taken = fixture.claim_one_with(by(1), "id").await?;
    same(
        "from whom another flow takes it",
        &taken.previous_worker,
        &None,
    )?;
    same_nodes("what another flow takes", &taken.nodes, &[step(1, "a")])
}

pub(in super::super) async fn taking_ends_a_refusal(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    refuse(&fixture, lease, FINGERPRINT).await?;
    let taken = fixture.claim_one_with(by(1), "id").await?;
    same(
        "the refusal, as a claim gives it",
        &taken.info.refused,
        &None,
    )?;
    same("the refusal after a claim", &why(&fixture).await?, &None)?;
    fixture.rest(taken.lease, Due::Now).await?;
    let taken = fixture.claim_one_with(by(FINGERPRINT), "id").await?;

    refuse(&fixture, taken.lease, FINGERPRINT).await?;
    let taken = fixture.take("id", "operator", HOUR).await?;
    same(
        "the refusal, as a hold gives it",
        &taken.info.refused,
        &None,
    )?;
    fixture.rest(taken.lease, Due::Now).await?;
    same("the refusal after a hold", &why(&fixture).await?, &None)?;
    let taken = fixture.claim_one_with(by(FINGERPRINT), "id").await?;

    refuse(&fixture, taken.lease, 1).await?;
    let taken = fixture.claim_one_with(by(FINGERPRINT), "id").await?;
    refuse(&fixture, taken.lease, FINGERPRINT).await?;
    let found = why(&fixture).await?;
    same("the second refusal", &found, &Some(refused(FINGERPRINT)))?;
    fixture.claim_one_with(by(1), "id").await.map(drop)
}

pub(in super::super) async fn all_who_refused_are_remembered(fixture: Fixture) -> Outcome {
    let other_build = Refuser {
        build: u64::MAX,
        ..refuser(FINGERPRINT)
    };
    let mut of_other_build = by(FINGERPRINT);
    of_other_build.flows[0].refuser = other_build;
    let lease = fixture.held("id").await?;
    refuse(&fixture, lease, FINGERPRINT).await?;
    let taken = fixture.claim_one_with(of_other_build.clone(), "id").await?;
    same(
        "who had refused it, as a claim by another build tells",
        &taken.refused_by,
        &vec![refuser(FINGERPRINT)],
    )?;
    let both = Refused {
        by: vec![refuser(FINGERPRINT), other_build],
        ..refused(FINGERPRINT)
    };
    let then = LeaseAfter::Refuse(both.clone());
    fixture.write(write(taken.lease, Vec::new(), then)).await?;
    same("the refusal by two", &why(&fixture).await?, &Some(both))?;
    for (whose, claim) in [
        ("the first", by(FINGERPRINT)),
        ("the second", of_other_build.clone()),
    ] {
        let claimed = fixture.claimed(claim).await?;
        let what = format!("a claim by {whose} of two who refused it");
        same(&what, &ids(&claimed.taken), &Vec::new())?;
    }
    let readmitted = vec![flow_claim(&[FLOW], FINGERPRINT)];
    fixture.store.forget_refusals(readmitted).await?;
    let left = Refused {
        by: vec![other_build],
        ..refused(FINGERPRINT)
    };
    same(
        "the refusal after one of two was readmitted",
        &why(&fixture).await?,
        &Some(left),
    )?;
    let claimed = fixture.claimed(of_other_build).await?;
    same("a claim by the other", &ids(&claimed.taken), &Vec::new())?;
    let taken = fixture.take("id", "operator", HOUR).await?;
    same(
        "who had refused it, as a hold tells",
        &taken.refused_by,
        &vec![other_build],
    )?;
    fixture.rest(taken.lease, Due::Now).await?;
    let taken = fixture.claim_one_with(by(FINGERPRINT), "id").await?;
    same(
        "who had refused it, when nobody has",
        &taken.refused_by,
        &Vec::new(),
    )
}

pub(in super::super) async fn readmit_ends_a_refusal(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    refuse(&fixture, lease, FINGERPRINT).await?;
    let others = [
        flow_claim(&[FLOW], 1),
        flow_claim(&["other"], FINGERPRINT),
        flow_claim(&[], FINGERPRINT),
    ];
    fixture.store.forget_refusals(others.to_vec()).await?;
    fixture.store.forget_refusals(Vec::new()).await?;
    let kept = Some(refused(FINGERPRINT));
    same(
        "the refusal after others were readmitted",
        &why(&fixture).await?,
        &kept,
    )?;

    let flow = flow_claim(&["alias", FLOW], FINGERPRINT);
    fixture
        .store
        .forget_refusals(vec![flow_claim(&["other"], 1), flow])
        .await?;
    same(
        "the refusal after a readmission",
        &why(&fixture).await?,
        &None,
    )?;
    fixture
        .claim_one_with(by(FINGERPRINT), "id")
        .await
        .map(drop)
}
