//! Making executions.

use futures_util::future::join_all;

use super::prelude::*;

pub(in super::super) async fn create_keeps_all(fixture: Fixture) -> Outcome {
    let nodes = vec![root(Status::Running), step(1, "a"), step(7, "b")];
    let before = fixture.now().await?;
    let creation = Creation::new("id")
        .flow("other")
        .input(json(r#"{"a": [1,  2e3]}"#))
        .label("project", "atlas")
        .label("tier", "1")
        .priority(-7)
        .nodes(nodes.clone())
        .due(Due::Never);
    fixture.create(creation).await?;
    let after = fixture.claimed(claim("clock")).await?.now;

    let saved = fixture.load("id").await?;
    let created_at = saved.info.created_at;
    let range = format!("a time from {before} to {after}");
    let in_range = before <= created_at && created_at <= after;
    holds("when it was made", &range, created_at, in_range)?;
    let mut expected = ExecutionInfo::new("id", "other", created_at);
    expected.key = saved.info.key;
    expected.status = Status::Running;
    expected.labels = [("project", "atlas"), ("tier", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    expected.priority = -7;
    expected.started_at = Some(second(1));
    same("what is known of it", &saved.info, &expected)?;
    same("its input", saved.input.get(), r#"{"a": [1,  2e3]}"#)?;
    same_nodes("the nodes of the same write", &saved.nodes, &nodes)
}

pub(in super::super) async fn create_held(fixture: Fixture) -> Outcome {
    let now = fixture.now().await?;
    let lease = fixture.held("id").await?;
    fixture.claim_nothing("somebody holds it").await?;
    let info = fixture.load("id").await?.info;
    same("its worker", &info.worker.as_deref(), &Some("maker"))?;
    let until = info.due;
    let right = until.is_some_and(|until| is_in_an_hour(until, now));
    holds("when it is due", "an hour from now", until, right)?;
    fixture.keep(lease, vec![step(1, "a")]).await?;
    let saved = fixture.load("id").await?;
    same_nodes("after a write", &saved.nodes, &[step(1, "a")])?;

    let creation = Creation::new("short").held("maker", SHORT);
    let lease = fixture.create(creation).await?;
    fixture.lapse(SHORT).await?;
    let taken = fixture.claim_one("taker", "short").await?;
    same(
        "from whom it was taken",
        &taken.previous_worker.as_deref(),
        &Some("maker"),
    )?;
    let larger = taken.lease.fence > lease.fence;
    let expected = format!("more than {}", lease.fence);
    holds(
        "the fence of the second lease",
        &expected,
        taken.lease.fence,
        larger,
    )
}

pub(in super::super) async fn create_due(fixture: Fixture) -> Outcome {
    let later = fixture.later(HOUR).await?;
    fixture
        .create(Creation::new("later").due(Due::At(later)))
        .await?;
    fixture
        .create(Creation::new("never").due(Due::Never))
        .await?;
    fixture.claim_nothing("nothing is due").await?;
    let due = fixture.load("later").await?.info.due;
    same("when the delayed one is due", &due, &Some(later))?;
    let due = fixture.load("never").await?.info.due;
    same("when the one is due that waits for a message", &due, &None)?;

    fixture.create(Creation::new("now").due(Due::Now)).await?;
    let taken = fixture.claim_one("worker", "now").await?;
    same("from whom it was taken", &taken.previous_worker, &None)?;
    same("its nodes", &taken.nodes.len(), &0)
}

pub(in super::super) async fn create_held_and_rest(fixture: Fixture) -> Outcome {
    let rest = LeaseAfter::Release {
        due: Due::Never,
        last_message: 0,
    };
    let creation = Creation::new("id").held("maker", HOUR).then(rest);
    let lease = fixture.create(creation).await?;
    let info = fixture.load("id").await?.info;
    same("its worker", &info.worker, &None)?;
    same("when it is due", &info.due, &None)?;
    let late = fixture
        .store
        .write(write(lease, Vec::new(), LeaseAfter::Keep));
    fails("a write under the lease", late.await, ErrorKind::Fenced)
}

pub(in super::super) async fn create_exists(fixture: Fixture) -> Outcome {
    let creation = Creation::new("id")
        .label("a", "b")
        .nodes(vec![step(1, "a")]);
    fixture.create(creation.due(Due::Never)).await?;
    let before = fixture.load("id").await?;

    let other = Creation::new("id")
        .flow("other")
        .input(text("other"))
        .label("c", "d")
        .priority(9)
        .nodes(vec![root(Status::Done), step(1, "other"), step(2, "new")]);
    for other in [other.clone(), other.held("thief", HOUR)] {
        match fixture.store.write(other.write()).await? {
            Written::Exists(existing) => {
                same("what is known of the first", &existing.info, &before.info)?;
                same("the input of the first", &existing.input, &before.input)?;
            }
            other => return Err(Fault::new("making one of the same id", "Exists", other)),
        }
        let after = fixture.load("id").await?;
        same("what is known of it after that", &after.info, &before.info)?;
        same("its input after that", &after.input, &before.input)?;
        same_nodes("its nodes after that", &after.nodes, &before.nodes)?;
    }
    same(
        "how many there are",
        &fixture.store.count(ExecutionQuery::default()).await?,
        &1,
    )
}

pub(in super::super) async fn create_without_worker_keeps_no_lease(fixture: Fixture) -> Outcome {
    let creation = Creation::new("id")
        .nodes(vec![step(1, "a")])
        .then(LeaseAfter::Keep);
    let came = fixture.store.write(creation.write()).await;
    fails("keeping a lease that nobody has", came, ErrorKind::Rejected)?;
    let found = fixture.store.load("id".to_owned()).await?;
    holds("loading it", "None", &found, found.is_none())
}

pub(in super::super) async fn create_at_once(fixture: Fixture) -> Outcome {
    let creation = |n: u32| Creation::new("id").input(text(&n.to_string())).write();
    let writes = (0..20).map(|n| {
        let (fixture, write) = (fixture.clone(), creation(n));
        tokio::spawn(async move {
            let write = |store: Arc<dyn Store>| {
                let write = write.clone();
                async move { store.write(write).await }
            };
            fixture.patiently(write).await
        })
    });
    let mut created = Vec::new();
    let mut inputs = Vec::new();
    for (n, written) in (0..).zip(join_all(writes).await) {
        match joined(written)?? {
            Written::Created(_) => created.push(text(&n.to_string())),
            Written::Exists(existing) => inputs.push(existing.input),
            other => return Err(Fault::new("making one", "Created or Exists", other)),
        }
    }
    same(
        "how many of 20 with the same id were made",
        &created.len(),
        &1,
    )?;
    inputs.push(fixture.load("id").await?.input);
    for input in inputs {
        same("the input that is kept", &input, &created[0])?;
    }
    Ok(())
}
