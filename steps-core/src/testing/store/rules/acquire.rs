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
    let right = due.is_some_and(|due| is_in_an_hour(due, now));
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
    let rival = fixture.rival().await;
    let unknown = fixture.acquire("id", "operator", HOUR).await?;
    let is_unknown = matches!(unknown, Acquired::Unknown);
    holds("holding what is not there", "Unknown", unknown, is_unknown)?;

    fixture.due("id").await?;
    let first = rival.claim_one("first", "id").await?;
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
    rival.keep(first.lease, vec![step(1, "a")]).await
}

pub(in super::super) async fn hold_by_force(fixture: Fixture) -> Outcome {
    let creation = Creation::new("id").nodes(vec![root(Status::Running), step(1, "a")]);
    let old = fixture.create(creation.held("holder", HOUR)).await?;
    fixture.send("id", signal("wait", "value")).await?;
    let now = fixture.now().await?;
    let acquired = fixture.acquire_over("id", "operator", HOUR, TakeOver::Any);
    let taken = match acquired.await? {
        Acquired::Held(taken) => *taken,
        other => return Err(Fault::new("a hold by force", "HeldExecution", other)),
    };
    same(
        "from whom it was taken",
        &taken.previous_worker.as_deref(),
        &Some("holder"),
    )?;
    same_nodes(
        "the nodes",
        &taken.nodes,
        &[root(Status::Running), step(1, "a")],
    )?;
    same("how many messages it has", &taken.messages.len(), &1)?;
    let due = taken.info.due;
    let right = due.is_some_and(|due| is_in_an_hour(due, now));
    holds("the end of the lease", "an hour from now", due, right)?;
    for then in [
        LeaseAfter::Keep,
        LeaseAfter::Release {
            due: Due::Now,
            last_message: 0,
        },
    ] {
        let came = fixture
            .store
            .write(write(old, vec![step(2, "b")], then))
            .await;
        fails("a write under the first lease", came, ErrorKind::Fenced)?;
    }
    let renewal = fixture.renew(old, 0, HOUR).await?;
    let is_lost = matches!(renewal, Renewal::Lost);
    holds("a renewal of the first lease", "Lost", renewal, is_lost)?;
    fixture.claim_nothing("an operator holds it").await?;
    fixture.keep(taken.lease, vec![step(2, "c")]).await?;
    fixture.rest(taken.lease, Due::Never).await?;

    // Of what nobody holds, and of what is not there, it is a hold like any other.
    let again = fixture.acquire_over("id", "operator", HOUR, TakeOver::Any);
    let again = again.await?;
    let is_held = matches!(again, Acquired::Held(_));
    holds(
        "a hold by force of what nobody holds",
        "Held",
        again,
        is_held,
    )?;
    let unknown = fixture.acquire_over("other", "operator", HOUR, TakeOver::Any);
    let unknown = unknown.await?;
    let is_unknown = matches!(unknown, Acquired::Unknown);
    holds(
        "a hold of what is not there",
        "Unknown",
        unknown,
        is_unknown,
    )
}

pub(in super::super) async fn hold_after_the_end_of_a_lease(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let old = fixture
        .create(Creation::new("id").held("maker", SHORT))
        .await?;
    fixture.lapse(SHORT).await?;
    let taken = rival.take("id", "operator", HOUR).await?;
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
