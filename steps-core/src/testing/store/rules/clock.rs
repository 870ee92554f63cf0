//! The wall clock is set while somebody holds an execution, or something waits.

use jiff::SignedDuration;

use super::prelude::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(in super::super) async fn setting_the_clock_ends_no_lease(fixture: Fixture) -> Outcome {
    fixture.due("claimed").await?;
    let claimed = fixture.claim_one("first", "claimed").await?.lease;
    let ended = Creation::new("ended").nodes(vec![root(Status::Done)]);
    let ended = fixture.create(ended.held("first", HOUR)).await?;
    if !fixture.set_forward(DAY).await {
        return Ok(());
    }
    fixture.claim_nothing("each is held for an hour").await?;
    for id in ["claimed", "ended"] {
        let came = fixture.acquire(id, "operator", HOUR).await?;
        let busy = matches!(came, Acquired::Busy { .. });
        holds("holding what is held for an hour", "Busy", came, busy)?;
    }
    let deleted = fixture.store.delete(ExecutionQuery::default()).await?;
    same("how many were deleted", &deleted, &0)?;

    // A lease that was renewed before the clock was set.
    fixture.renew(claimed, 0, HOUR).await?;
    fixture.set_forward(DAY).await;
    fixture.claim_nothing("each is still held").await?;
    let now = fixture.now().await?;
    let due = fixture.load("claimed").await?.info.due;
    let right = due.is_some_and(|due| due > now && due <= now + HOUR);
    holds(
        "the end of a lease, by the new time",
        "within an hour",
        due,
        right,
    )?;
    fixture.keep(claimed, vec![step(1, "a")]).await?;
    fixture.keep(ended, vec![step(1, "a")]).await
}

pub(in super::super) async fn setting_the_clock_prolongs_no_lease(fixture: Fixture) -> Outcome {
    let mut short = claim("first");
    short.lease = SHORT;
    fixture.due("claimed").await?;
    fixture.claim_one_with(short, "claimed").await?;
    let made = Creation::new("made").held("first", SHORT);
    fixture.create(made).await?;
    fixture.due("held").await?;
    fixture.take("held", "first", SHORT).await?;
    let renewed = Creation::new("renewed").held("first", HOUR);
    let renewed = fixture.create(renewed).await?;
    fixture.renew(renewed, 0, SHORT).await?;
    let ended = Creation::new("ended").nodes(vec![root(Status::Done)]);
    fixture
        .create(ended.flow("other").held("first", SHORT))
        .await?;
    if !fixture.set_forward(-DAY).await {
        return Ok(());
    }
    fixture
        .create(Creation::new("new").held("first", SHORT))
        .await?;
    fixture.lapse(SHORT).await?;
    let deleted = fixture.store.delete(ExecutionQuery::default()).await?;
    same("how many were deleted", &deleted, &1)?;
    fixture.take("made", "operator", HOUR).await?;
    let taken = fixture.claim("second").await?;
    let mut ids = ids(&taken);
    ids.sort_unstable();
    let expected = vec!["claimed", "held", "new", "renewed"];
    same("a claim of those whose leases have ended", &ids, &expected)
}

pub(in super::super) async fn what_is_due_stays_due(fixture: Fixture) -> Outcome {
    fixture.due("made").await?;
    let rests = fixture.held("rests").await?;
    fixture.rest(rests, Due::Now).await?;
    fixture
        .create(Creation::new("told").due(Due::Never))
        .await?;
    fixture.send("told", Message::Stop).await?;
    let recalled = fixture.held("recalled").await?;
    fixture.send("recalled", Message::Stop).await?;
    fixture.rest(recalled, Due::Never).await?;
    let refused = fixture.held("refused").await?;
    let then = LeaseAfter::Refuse(Refused {
        by: vec![refuser(1)],
        why: String::new(),
    });
    fixture.write(write(refused, Vec::new(), then)).await?;
    if !fixture.set_forward(-DAY).await {
        return Ok(());
    }
    let claimed = fixture.claimed(claim("worker")).await?;
    let mut ids = ids(&claimed.taken);
    ids.sort_unstable();
    let expected = vec!["made", "recalled", "refused", "rests", "told"];
    same("a claim once the clock was set back", &ids, &expected)
}

pub(in super::super) async fn waits_go_by_the_wall_clock(fixture: Fixture) -> Outcome {
    let now = fixture.now().await?;
    let later = now + 2 * HOUR;
    for id in ["a", "b"] {
        fixture
            .create(Creation::new(id).due(Due::At(later)))
            .await?;
    }
    let lease = fixture.held("c").await?;
    fixture.rest(lease, Due::At(later)).await?;
    if !fixture.set_forward(SignedDuration::from_hours(3)).await {
        return Ok(());
    }
    let mut one = claim("worker");
    one.limit = 1;
    let taken = fixture.claimed(one).await?.taken;
    same(
        "how many are claimed once the clock shows their time",
        &taken.len(),
        &1,
    )?;
    fixture.set_forward(-DAY).await;
    fixture.claim_nothing("its time is a day away").await?;
    let claimed = fixture.claimed(claim("worker")).await?;
    same("`next_due`", &claimed.next_due, &Some(later))?;
    // One that is given its time now.
    let soon = fixture.now().await? + Duration::from_millis(50);
    fixture
        .create(Creation::new("d").due(Due::At(soon)))
        .await?;
    fixture.claim_nothing("it waits for a moment").await?;
    fixture.lapse(Duration::from_millis(50)).await?;
    fixture.claim_one("worker", "d").await.map(drop)
}

pub(in super::super) async fn what_was_waited_for_is_due(fixture: Fixture) -> Outcome {
    let later = fixture.later(HOUR).await?;
    let mut keys = Vec::new();
    for id in ["a", "b", "c"] {
        let created = Creation::new(id).due(Due::At(later));
        keys.push(fixture.create(created).await?.key);
    }
    let other = Creation::new("other").flow("other").due(Due::At(later));
    keys.push(fixture.create(other).await?.key);
    keys.push(fixture.held("held").await?.key);
    keys.push(1 << 40);

    let with = |keys: &[i64], until| {
        let mut claim = claim("worker");
        let waited = keys.iter().map(|&key| Wait { key, until });
        claim.waited = waited.collect();
        claim
    };
    let sooner = later - Duration::from_secs(1);
    let claimed = fixture.claimed(with(&keys, sooner)).await?;
    same(
        "a claim with another time",
        &ids(&claimed.taken),
        &Vec::new(),
    )?;

    let mut limited = with(&keys, later);
    limited.limit = 0;
    let claimed = fixture.claimed(limited).await?;
    same("a claim of none", &ids(&claimed.taken), &Vec::new())?;
    let mut limited = with(&keys, later);
    limited.flows[0].limit = 1;
    let one = fixture.claimed(limited).await?.taken;
    same("how many a claim has of one of this flow", &one.len(), &1)?;
    same("from whom it was taken", &one[0].previous_worker, &None)?;

    let taken = fixture.claimed(with(&keys, later)).await?.taken;
    let mut all = ids(&taken);
    all.extend(ids(&one));
    all.sort_unstable();
    same("those that were waited for", &all, &vec!["a", "b", "c"])?;
    let again = fixture.claimed(with(&keys, later)).await?.taken;
    same(
        "those that were waited for, again",
        &ids(&again),
        &Vec::new(),
    )
}

pub(in super::super) async fn next_wait(fixture: Fixture) -> Outcome {
    let next = async || Outcome::Ok(fixture.claimed(claim("worker")).await?.next_wait);
    let now = fixture.now().await?;
    fixture
        .create(Creation::new("never").due(Due::Never))
        .await?;
    fixture.held("held").await?;
    let other = Creation::new("other").flow("other");
    fixture.create(other.due(Due::At(now + HOUR))).await?;
    same("`next_wait` where none waits", &next().await?, &None)?;
    let mut expected = None;
    for (id, hours, priority) in [("2 h", 2, 1), ("1 h", 1, 0), ("3 h", 3, 9)] {
        let until = now + hours * HOUR;
        let creation = Creation::new(id).due(Due::At(until)).priority(priority);
        let key = fixture.create(creation).await?.key;
        if hours == 1 {
            expected = Some(Wait { key, until });
        }
    }
    same("`next_wait` of three", &next().await?, &expected)
}
