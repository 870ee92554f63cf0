//! Heartbeats that say what a worker holds.

use super::{
    prelude::*,
    renew::{is_held, is_lost},
};
use crate::base::clock::add;

/// Held, and nothing has come.
const HELD: Option<&[(i64, Message)]> = Some(&[]);

/// Checks the answers to a heartbeat, `None` where a lease is lost.
fn are(what: &str, came: Vec<Renewal>, expected: &[Option<&[(i64, Message)]>]) -> Outcome {
    for (number, (came, expected)) in came.into_iter().zip(expected).enumerate() {
        let what = format!("{what}: answer {number}");
        match expected {
            Some(messages) => is_held(&what, came, messages)?,
            None => is_lost(&what, came)?,
        }
    }
    Ok(())
}

pub(in super::super) async fn heartbeat_puts_off_all(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let mut held = Vec::new();
    for id in ["first", "second", "left", "never"] {
        let lease = fixture
            .create(Creation::new(id).held("maker", SHORT))
            .await?;
        held.push((lease, 0));
    }
    let all = fixture.renew_all("maker", &held[..3], SHORT).await?;
    are("three of four", all, &[HELD; 3])?;
    let now = fixture.now().await?;
    let two = fixture.renew_all("maker", &held[..2], HOUR).await?;
    are("two of three", two, &[HELD; 2])?;
    fixture.lapse(2 * SHORT).await?;
    let claimed = rival.claimed(claim("rival")).await?;
    let mut taken: Vec<&str> = claimed.taken.iter().map(|it| &*it.info.id).collect();
    taken.sort_unstable();
    same("what no heartbeat had", &taken, &vec!["left", "never"])?;
    let soon = claimed
        .next_due
        .is_some_and(|due| due <= add(now, HOUR + HOUR / 2));
    holds("when to claim again", "in an hour", claimed.next_due, soon)?;
    for ((lease, _), id) in held.iter().zip(["first", "second"]) {
        let info = fixture.load(id).await?.info;
        let right = info.due.is_some_and(|due| is_in_an_hour(due, now));
        holds("the end of the lease", "an hour from now", info.due, right)?;
        same("who holds it", &info.worker.as_deref(), &Some("maker"))?;
        let listed = query(|query| {
            query.id = Some(id.to_owned());
            query.brief = true;
        });
        let listed = fixture.store.list(listed).await?;
        same("the same by a list", &listed, &vec![info])?;
        fixture.keep(*lease, vec![step(1, "a")]).await?;
    }
    let all = fixture.renew_all("maker", &held, HOUR).await?;
    are("all four", all, &[HELD, HELD, None, None])
}

pub(in super::super) async fn renewal_of_some_is_theirs(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let held = [fixture.held("first").await?, fixture.held("second").await?];
    let held = held.map(|lease| (lease, 0));
    let both = fixture.renew_all("maker", &held, HOUR).await?;
    are("both", both, &[HELD; 2])?;
    let alone = fixture.renew(held[0].0, 0, SHORT).await?;
    is_held("one for itself", alone, &[])?;
    fixture.lapse(2 * SHORT).await?;
    rival.claim_one("rival", "first").await?;
    rival.claim_nothing("the other one has an hour").await?;
    let both = fixture.renew_all("maker", &held, SHORT).await?;
    are("both again", both, &[None, HELD])?;
    fixture.lapse(2 * SHORT).await?;
    rival.claim_one("rival", "second").await?;
    Ok(())
}

pub(in super::super) async fn heartbeat_gives_messages(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let (lease, other) = (fixture.held("id").await?, fixture.held("other").await?);
    let beat = async |seen| {
        let held = [(other, 0), (lease, seen)];
        fixture.renew_all("maker", &held, HOUR).await
    };
    let early = rival.send("id", signal("a", "1")).await?;
    let early = vec![(early, signal("a", "1"))];
    are("from before", beat(0).await?, &[HELD, Some(&early)])?;
    are("seen", beat(early[0].0).await?, &[HELD; 2])?;
    let late = rival.send("id", signal("b", "2")).await?;
    let both = vec![early[0].clone(), (late, signal("b", "2"))];
    for _ in 0..2 {
        let came = beat(early[0].0).await?;
        are("since the first", came, &[HELD, Some(&both[1..])])?;
    }
    are("again all", beat(0).await?, &[HELD, Some(&both)])?;
    are("all seen", beat(late).await?, &[HELD; 2])
}

pub(in super::super) async fn heartbeat_says_what_is_lost(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let mut held = Vec::new();
    for id in ["taken", "rests", "good"] {
        held.push((fixture.held(id).await?, 0));
    }
    let all = fixture.renew_all("maker", &held, HOUR).await?;
    are("at first", all, &[HELD; 3])?;
    fixture.rest(held[1].0, Due::Never).await?;
    let over = Acquire {
        id: "taken".to_owned(),
        worker: "rival".to_owned(),
        lease: HOUR,
        over: TakeOver::Any,
    };
    match rival.store.acquire(over).await? {
        Acquired::Held(_) => {}
        other => return Err(Fault::new("a take-over", "Held", other)),
    }
    for _ in 0..2 {
        let all = fixture.renew_all("maker", &held, HOUR).await?;
        are("afterwards", all, &[None, None, HELD])?;
    }
    let info = fixture.load("taken").await?.info;
    same("who holds it", &info.worker.as_deref(), &Some("rival"))?;
    let info = fixture.load("rests").await?.info;
    same("when it is due that rests", &info.due, &None)?;

    let deleted = Creation::new("deleted").nodes(vec![root(Status::Done)]);
    let deleted = fixture.create(deleted.held("late", SHORT)).await?;
    let all = fixture.renew_all("late", &[(deleted, 0)], SHORT).await?;
    are("of one that is to be deleted", all, &[HELD])?;
    fixture.lapse(2 * SHORT).await?;
    let gone = query(|query| query.id = Some("deleted".to_owned()));
    let count = rival.store.delete(gone).await?;
    same("how many were deleted", &count, &1)?;
    let all = fixture.renew_all("late", &[(deleted, 0)], HOUR).await?;
    are("of one that was deleted", all, &[None])
}

pub(in super::super) async fn what_had_a_heartbeat_is_given_back(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let ids = ["now", "recalled", "woken"];
    let mut held = Vec::new();
    for id in ids {
        held.push((fixture.held(id).await?, 0));
    }
    let all = fixture.renew_all("maker", &held, HOUR).await?;
    are("at first", all, &[HELD; 3])?;
    fixture.rest(held[0].0, Due::Now).await?;
    rival.claim_one("rival", "now").await?;
    rival.send("recalled", Message::Stop).await?;
    let then = LeaseAfter::Release {
        due: Due::Never,
        last_message: 0,
    };
    fixture.recalled(write(held[1].0, Vec::new(), then)).await?;
    rival.claim_one("rival", "recalled").await?;
    fixture.rest(held[2].0, Due::Never).await?;
    rival.claim_nothing("it waits for a message").await?;
    rival.send("woken", Message::Stop).await?;
    rival.claim_one("rival", "woken").await?;
    Ok(())
}
