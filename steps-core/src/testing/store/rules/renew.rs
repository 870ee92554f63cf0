//! The heartbeat.

use super::prelude::*;

pub(super) fn is_held(what: &str, came: Renewal, expected: &[(i64, Message)]) -> Outcome {
    match came {
        Renewal::Held(messages) => same(what, &&*messages, &expected),
        Renewal::Lost => Err(Fault::new(what, format!("Held({expected:?})"), came)),
    }
}

pub(super) fn is_lost(what: &str, came: Renewal) -> Outcome {
    let lost = matches!(came, Renewal::Lost);
    holds(what, "Lost", came, lost)
}

pub(in super::super) async fn renew_puts_off(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let lease = fixture
        .create(Creation::new("id").held("maker", SHORT))
        .await?;
    let before = fixture.load("id").await?;
    let now = fixture.now().await?;
    is_held("a renewal", fixture.renew(lease, 0, HOUR).await?, &[])?;
    let info = fixture.load("id").await?.info;
    let right = info.due.is_some_and(|due| is_in_an_hour(due, now));
    holds("the end of the lease", "an hour from now", info.due, right)?;
    let mut expected = before.info;
    expected.due = info.due;
    same("what is known of it", &info, &expected)?;
    fixture.lapse(2 * SHORT).await?;
    rival.claim_nothing("the lease was renewed").await?;
    fixture.keep(lease, vec![step(1, "a")]).await?;

    // One that has ended, but was not claimed, is renewed too.
    is_held(
        "a short renewal",
        fixture.renew(lease, 0, SHORT).await?,
        &[],
    )?;
    fixture.lapse(SHORT).await?;
    is_held(
        "a renewal after the end",
        fixture.renew(lease, 0, HOUR).await?,
        &[],
    )?;
    rival.claim_nothing("the lease was renewed again").await
}

pub(in super::super) async fn only_a_renewal_puts_off(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let lease = fixture
        .create(Creation::new("id").held("maker", HOUR))
        .await?;
    let before = fixture.load("id").await?.info;
    fixture.keep(lease, vec![step(1, "a")]).await?;
    let root = vec![root(Status::Running)];
    fixture.keep(lease, root).await?;
    rival.send("id", Message::Stop).await?;
    rival.claim_nothing("somebody holds it").await?;
    rival.acquire("id", "maker", 2 * HOUR).await?;
    let after = fixture.load("id").await?.info;
    same(
        "the end of a lease after writes and others' calls",
        &after.due,
        &before.due,
    )?;

    // Once it has ended, who held it is still told.
    let lease = fixture
        .create(Creation::new("short").held("maker", SHORT))
        .await?;
    fixture.keep(lease, vec![step(1, "a")]).await?;
    let before = fixture.load("short").await?.info;
    fixture.lapse(SHORT).await?;
    fixture.keep(lease, vec![step(2, "b")]).await?;
    let after = fixture.load("short").await?.info;
    same("what is known after the end of a lease", &after, &before)?;
    let worker = after.worker.as_deref();
    same("who held it last", &worker, &Some("maker"))?;
    let listed = query(|query| {
        query.id = Some("short".to_owned());
        query.brief = true;
    });
    let listed = fixture.store.list(listed).await?;
    same("the same by a list", &listed, &vec![after])
}

pub(in super::super) async fn renew_says_what_is_lost(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let old = fixture
        .create(Creation::new("taken").held("maker", SHORT))
        .await?;
    let deleted = Creation::new("deleted").held("maker", SHORT);
    let deleted = fixture
        .create(deleted.nodes(vec![root(Status::Done)]))
        .await?;
    fixture.lapse(SHORT).await?;
    let what = "how many were deleted";
    same(
        what,
        &rival.store.delete(ExecutionQuery::default()).await?,
        &1,
    )?;
    let new = rival.claim_one("other", "taken").await?;
    let before = fixture.load("taken").await?.info;
    let unknown = Lease {
        key: 1 << 40,
        fence: 1,
    };
    let good = fixture.held("good").await?;

    let held = [old, good, deleted, unknown, new.lease].map(|lease| (lease, 0));
    let renew = Renew::some(HOUR / 2, held.to_vec());
    let mut answers = fixture.store.renew(renew).await?.into_iter();
    let mut next = || {
        answers
            .next()
            .ok_or_else(|| Fault::new("renewals", "5", ()))
    };
    is_lost("the first of five, taken by another", next()?)?;
    is_held("the second, good", next()?, &[])?;
    is_lost("the third, deleted", next()?)?;
    is_lost("the fourth, never there", next()?)?;
    is_held("the fifth, good", next()?, &[])?;

    let then = LeaseAfter::Keep;
    rival.write(write(new.lease, Vec::new(), then)).await?;
    is_lost("the first alone", fixture.renew(old, 0, 9 * HOUR).await?)?;
    let after = fixture.load("taken").await?.info;
    same("who holds it still", &after.worker, &before.worker)?;
    let sooner = after.due < before.due;
    holds(
        "the end of that lease",
        "in half an hour",
        after.due,
        sooner,
    )
}

pub(in super::super) async fn renew_does_not_wake_what_rests(fixture: Fixture) -> Outcome {
    let later = fixture.later(HOUR).await?;
    for (id, due) in [("never", Due::Never), ("later", Due::At(later))] {
        let lease = fixture.held(id).await?;
        fixture.rest(lease, due).await?;
        let before = fixture.load(id).await?.info;
        let late = fixture.renew(lease, 0, SHORT).await?;
        is_lost("a heartbeat after the lease was given back", late)?;
        let after = fixture.load(id).await?.info;
        same("what is known of it after that", &after, &before)?;
    }
    let lease = fixture.held("refused").await?;
    let refused = Refused {
        by: vec![refuser(FINGERPRINT)],
        why: String::new(),
    };
    fixture
        .write(write(lease, Vec::new(), LeaseAfter::Refuse(refused)))
        .await?;
    let late = fixture.renew(lease, 0, SHORT).await?;
    is_lost("a heartbeat after a refusal", late)
}

pub(in super::super) async fn renew_gives_messages(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let lease = fixture.held("id").await?;
    let other = fixture.held("other").await?;
    let first = rival.send("id", signal("a", "1")).await?;
    let second = rival.send("id", signal("b", "2")).await?;
    let stop = fixture.send("other", Message::Stop).await?;
    let all = vec![(first, signal("a", "1")), (second, signal("b", "2"))];
    is_held(
        "since the beginning",
        fixture.renew(lease, 0, HOUR).await?,
        &all,
    )?;
    is_held(
        "since the first",
        fixture.renew(lease, first, HOUR).await?,
        &all[1..],
    )?;
    is_held(
        "since the last",
        fixture.renew(lease, second, HOUR).await?,
        &[],
    )?;
    is_held(
        "again since the beginning",
        fixture.renew(lease, 0, HOUR).await?,
        &all,
    )?;
    let renew = Renew::some(HOUR, vec![(other, 0), (lease, first), (other, stop)]);
    let answers = fixture.store.renew(renew).await?;
    let expected = [vec![(stop, Message::Stop)], all[1..].to_vec(), Vec::new()];
    same("how many answers there are", &answers.len(), &3)?;
    for (answer, expected) in answers.into_iter().zip(expected) {
        is_held("one of three answers", answer, &expected)?;
    }
    Ok(())
}
