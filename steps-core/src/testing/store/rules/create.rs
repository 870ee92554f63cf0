//! Making executions.

use futures_util::future::join_all;

use super::prelude::*;

pub(in super::super) async fn create_keeps_all(bench: Bench) -> Outcome {
    let nodes = vec![root(Status::Running), step(1, "a"), step(7, "b")];
    let before = bench.now().await?;
    let make = Make::new("id")
        .flow("other")
        .input(json(r#"{"a": [1,  2e3]}"#))
        .label("project", "atlas")
        .label("tier", "1")
        .priority(-7)
        .nodes(nodes.clone())
        .due(Due::Never);
    bench.create(make).await?;
    let after = bench.claimed(claim("clock")).await?.now;

    let saved = bench.load("id").await?;
    let created_at = saved.info.created_at;
    let range = format!("a time from {before} to {after}");
    let in_range = before <= created_at && created_at <= after;
    holds("when it was made", &range, created_at, in_range)?;
    let mut expected = Info::new("id", "other", created_at);
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

pub(in super::super) async fn create_held(bench: Bench) -> Outcome {
    let now = bench.now().await?;
    let lease = bench.held("id").await?;
    bench.claim_nothing("somebody holds it").await?;
    let info = bench.load("id").await?.info;
    same("its worker", &info.worker.as_deref(), &Some("maker"))?;
    let until = info.due;
    let right = until.is_some_and(|until| until >= now + HOUR && until < now + 2 * HOUR);
    holds("when it is due", "an hour from now", until, right)?;
    bench.keep(lease, vec![step(1, "a")]).await?;
    let saved = bench.load("id").await?;
    same_nodes("after a write", &saved.nodes, &[step(1, "a")])?;

    let make = Make::new("short").held("maker", SHORT);
    let lease = bench.create(make).await?;
    bench.lapse(SHORT).await?;
    let taken = bench.claim_one("taker", "short").await?;
    same(
        "from whom it was taken",
        &taken.from.as_deref(),
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

pub(in super::super) async fn create_due(bench: Bench) -> Outcome {
    let later = bench.later(HOUR).await?;
    bench.create(Make::new("later").due(Due::At(later))).await?;
    bench.create(Make::new("never").due(Due::Never)).await?;
    bench.claim_nothing("nothing is due").await?;
    let due = bench.load("later").await?.info.due;
    same("when the delayed one is due", &due, &Some(later))?;
    let due = bench.load("never").await?.info.due;
    same("when the one is due that waits for a message", &due, &None)?;

    bench.create(Make::new("now").due(Due::Now)).await?;
    let taken = bench.claim_one("worker", "now").await?;
    same("from whom it was taken", &taken.from, &None)?;
    same("its nodes", &taken.nodes.len(), &0)
}

pub(in super::super) async fn create_held_and_rest(bench: Bench) -> Outcome {
    let rest = Then::Rest {
        due: Due::Never,
        seen: 0,
    };
    let make = Make::new("id").held("maker", HOUR).then(rest);
    let lease = bench.create(make).await?;
    let info = bench.load("id").await?.info;
    same("its worker", &info.worker, &None)?;
    same("when it is due", &info.due, &None)?;
    let late = bench.store.write(write(lease, Vec::new(), Then::Keep));
    fails("a write under the lease", late.await, ErrorKind::Fenced)
}

pub(in super::super) async fn create_exists(bench: Bench) -> Outcome {
    let make = Make::new("id").label("a", "b").nodes(vec![step(1, "a")]);
    bench.create(make.due(Due::Never)).await?;
    let before = bench.load("id").await?;

    let other = Make::new("id")
        .flow("other")
        .input(text("other"))
        .label("c", "d")
        .priority(9)
        .nodes(vec![root(Status::Done), step(1, "other"), step(2, "new")]);
    for other in [other.clone(), other.held("thief", HOUR)] {
        match bench.store.write(other.write()).await? {
            Written::Exists(existing) => {
                same("what is known of the first", &existing.info, &before.info)?;
                same("the input of the first", &existing.input, &before.input)?;
            }
            other => return Err(Fault::new("making one of the same id", "Exists", other)),
        }
        let after = bench.load("id").await?;
        same("what is known of it after that", &after.info, &before.info)?;
        same("its input after that", &after.input, &before.input)?;
        same_nodes("its nodes after that", &after.nodes, &before.nodes)?;
    }
    same(
        "how many there are",
        &bench.store.count(Query::default()).await?,
        &1,
    )
}

pub(in super::super) async fn create_without_worker_keeps_no_lease(bench: Bench) -> Outcome {
    let make = Make::new("id").nodes(vec![step(1, "a")]).then(Then::Keep);
    let came = bench.store.write(make.write()).await;
    fails("keeping a lease that nobody has", came, ErrorKind::Rejected)?;
    let found = bench.store.load("id".to_owned()).await?;
    holds("loading it", "None", &found, found.is_none())
}

pub(in super::super) async fn create_at_once(bench: Bench) -> Outcome {
    let make = |n: u32| Make::new("id").input(text(&n.to_string())).write();
    let writes = (0..20).map(|n| {
        let (bench, write) = (bench.clone(), make(n));
        tokio::spawn(async move {
            let write = |store: Arc<dyn Store>| {
                let write = write.clone();
                async move { store.write(write).await }
            };
            bench.patiently(write).await
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
    inputs.push(bench.load("id").await?.input);
    for input in inputs {
        same("the input that is kept", &input, &created[0])?;
    }
    Ok(())
}
