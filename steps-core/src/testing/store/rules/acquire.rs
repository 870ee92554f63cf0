//! Holding one execution, due or not.

use super::prelude::*;

pub(in super::super) async fn hold_takes(fixture: Fixture) -> Outcome {
    let creation = Creation::new("id").nodes(vec![root(Status::Stuck), step(1, "a")]);
    fixture
        .create(creation.due(Due::Never).input(text("in")))
        .await?;
    fixture.due("other").await?;
    let stop = fixture.send("other", Message::Stop).await?;
    let before = fixture.load("id").await?;

    let now = fixture.now().await?;
    let taken = fixture.take("id", "operator", HOUR).await?;
    same("the input", &taken.input, &before.input)?;
    same_nodes("the nodes", &taken.nodes, &before.nodes)?;
    same("the messages", &taken.messages, &Vec::new())?;
    same("from whom it was taken", &taken.previous_worker, &None)?;
    let due = taken.info.due;
    let right = due.is_some_and(|due| due >= now + HOUR && due < now + 2 * HOUR);
    holds("the end of the lease", "an hour from now", due, right)?;
    let mut expected = before.info;
    expected.worker = Some("operator".to_owned());
    expected.due = due;
    same("what is known of it", &taken.info, &expected)?;

    let other = fixture.take("other", "operator", HOUR).await?;
    same(
        "the messages of another",
        &other.messages,
        &vec![(stop, Message::Stop)],
    )?;
    fixture.claim_nothing("an operator holds both").await?;
    fixture.keep(taken.lease, vec![step(2, "b")]).await?;
    fixture.rest(taken.lease, Due::Now).await?;
    fixture.claim_one("worker", "id").await.map(drop)
}

pub(in super::super) async fn hold_only_what_nobody_holds(fixture: Fixture) -> Outcome {
    let unknown = fixture.acquire("id", "operator", HOUR).await?;
    let is_unknown = matches!(unknown, Acquired::Unknown);
    holds("holding what is not there", "Unknown", unknown, is_unknown)?;

    fixture.due("id").await?;
    let first = fixture.claim_one("first", "id").await?;
    for worker in ["operator", "first"] {
        let (expected, until) = ("first", first.info.due);
        match fixture.acquire("id", worker, HOUR).await? {
            Acquired::Busy { worker, until: end } => {
                same("who holds it", &worker.as_str(), &expected)?;
                same("until when", &Some(end), &until)?;
            }
            other => return Err(Fault::new("holding what is held", "Busy", other)),
        }
    }
    // It was left alone.
    fixture.keep(first.lease, vec![step(1, "a")]).await
}

pub(in super::super) async fn hold_after_the_end_of_a_lease(fixture: Fixture) -> Outcome {
    let old = fixture
        .create(Creation::new("id").held("maker", SHORT))
        .await?;
    fixture.lapse(SHORT).await?;
    let taken = fixture.take("id", "operator", HOUR).await?;
    same(
        "from whom it was taken",
        &taken.previous_worker.as_deref(),
        &Some("maker"),
    )?;
    let larger = taken.lease.fence > old.fence;
    let expected = format!("more than {}", old.fence);
    holds(
        "the fence of the second lease",
        &expected,
        taken.lease.fence,
        larger,
    )?;
    let came = fixture
        .store
        .write(write(old, Vec::new(), LeaseAfter::Keep))
        .await;
    fails("a write under the first lease", came, ErrorKind::Fenced)
}
