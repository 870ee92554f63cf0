//! The heartbeat.

use super::prelude::*;

fn is_held(what: &str, came: Renewal, expected: &[(i64, Message)]) -> Outcome {
    match came {
        Renewal::Held(messages) => same(what, &&*messages, &expected),
        Renewal::Lost => Err(Fault::new(what, format!("Held({expected:?})"), came)),
    }
}

fn is_lost(what: &str, came: Renewal) -> Outcome {
    let lost = matches!(came, Renewal::Lost);
    holds(what, "Lost", came, lost)
}

pub(in super::super) async fn renew_puts_off(bench: Bench) -> Outcome {
    let lease = bench.create(Make::new("id").held("maker", SHORT)).await?;
    let before = bench.load("id").await?;
    let now = bench.now().await?;
    is_held("a renewal", bench.renew(lease, 0, HOUR).await?, &[])?;
    let info = bench.load("id").await?.info;
    let right = info
        .due
        .is_some_and(|due| due >= now + HOUR && due < now + 2 * HOUR);
    holds("the end of the lease", "an hour from now", info.due, right)?;
    let mut expected = before.info;
    expected.due = info.due;
    same("what is known of it", &info, &expected)?;
    bench.lapse(2 * SHORT).await?;
    bench.claim_nothing("the lease was renewed").await?;
    bench.keep(lease, vec![step(1, "a")]).await?;

    // One that has ended, but was not claimed, is renewed too.
    is_held("a short renewal", bench.renew(lease, 0, SHORT).await?, &[])?;
    bench.lapse(SHORT).await?;
    is_held(
        "a renewal after the end",
        bench.renew(lease, 0, HOUR).await?,
        &[],
    )?;
    bench.claim_nothing("the lease was renewed again").await
}

pub(in super::super) async fn renew_says_what_is_lost(bench: Bench) -> Outcome {
    let old = bench
        .create(Make::new("taken").held("maker", SHORT))
        .await?;
    let deleted = Make::new("deleted").held("maker", SHORT);
    let deleted = bench
        .create(deleted.nodes(vec![root(Status::Done)]))
        .await?;
    bench.lapse(SHORT).await?;
    let what = "how many were deleted";
    same(what, &bench.store.delete(Query::default()).await?, &1)?;
    let new = bench.claim_one("other", "taken").await?;
    let before = bench.load("taken").await?.info;
    let unknown = Lease {
        key: 1 << 40,
        fence: 1,
    };
    let good = bench.held("good").await?;

    let held = [old, good, deleted, unknown, new.lease].map(|lease| (lease, 0));
    let renew = Renew {
        lease: HOUR / 2,
        held: held.to_vec(),
    };
    let mut answers = bench.store.renew(renew).await?.into_iter();
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

    let then = Then::Keep;
    bench.write(write(new.lease, Vec::new(), then)).await?;
    is_lost("the first alone", bench.renew(old, 0, 9 * HOUR).await?)?;
    let after = bench.load("taken").await?.info;
    same("who holds it still", &after.worker, &before.worker)?;
    let sooner = after.due < before.due;
    holds(
        "the end of that lease",
        "in half an hour",
        after.due,
        sooner,
    )
}

pub(in super::super) async fn renew_does_not_wake_what_rests(bench: Bench) -> Outcome {
    let later = bench.later(HOUR).await?;
    for (id, due) in [("never", Due::Never), ("later", Due::At(later))] {
        let lease = bench.held(id).await?;
        bench.rest(lease, due).await?;
        let before = bench.load(id).await?.info;
        let late = bench.renew(lease, 0, SHORT).await?;
        is_lost("a heartbeat after the lease was given back", late)?;
        let after = bench.load(id).await?.info;
        same("what is known of it after that", &after, &before)?;
    }
    let lease = bench.held("refused").await?;
    let refused = Refused {
        fingerprint: FINGERPRINT,
        why: String::new(),
    };
    bench
        .write(write(lease, Vec::new(), Then::Refuse(refused)))
        .await?;
    let late = bench.renew(lease, 0, SHORT).await?;
    is_lost("a heartbeat after a refusal", late)
}

pub(in super::super) async fn renew_gives_messages(bench: Bench) -> Outcome {
    let lease = bench.held("id").await?;
    let other = bench.held("other").await?;
    let first = bench.tell("id", signal("a", "1")).await?;
    let second = bench.tell("id", signal("b", "2")).await?;
    let stop = bench.tell("other", Message::Stop).await?;
    let all = vec![(first, signal("a", "1")), (second, signal("b", "2"))];
    is_held(
        "since the beginning",
        bench.renew(lease, 0, HOUR).await?,
        &all,
    )?;
    is_held(
        "since the first",
        bench.renew(lease, first, HOUR).await?,
        &all[1..],
    )?;
    is_held(
        "since the last",
        bench.renew(lease, second, HOUR).await?,
        &[],
    )?;
    is_held(
        "again since the beginning",
        bench.renew(lease, 0, HOUR).await?,
        &all,
    )?;
    let renew = Renew {
        lease: HOUR,
        held: vec![(other, 0), (lease, first), (other, stop)],
    };
    let answers = bench.store.renew(renew).await?;
    let expected = [vec![(stop, Message::Stop)], all[1..].to_vec(), Vec::new()];
    same("how many answers there are", &answers.len(), &3)?;
    for (answer, expected) in answers.into_iter().zip(expected) {
        is_held("one of three answers", answer, &expected)?;
    }
    Ok(())
}
