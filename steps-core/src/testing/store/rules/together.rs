//! Many calls at once.

use futures_util::future::join_all;

use super::prelude::*;

/// An execution, and the lease that somebody believes to have on it.
struct Writer {
    id: String,
    lease: Lease,
    is_good: bool,
}

async fn writers(fixture: &Fixture) -> Outcome<Vec<Writer>> {
    let mut writers = Vec::new();
    for n in 0..48 {
        let id = format!("{n:02}");
        let is_good = n % 3 != 0;
        let for_ = if is_good { HOUR } else { Duration::ZERO };
        let lease = fixture
            .create(Creation::new(&id).held("maker", for_))
            .await?;
        writers.push(Writer { id, lease, is_good });
    }
    fixture.lapse(SHORT).await?;
    let taken = fixture.claim("other").await?.len();
    same("how many were taken over", &taken, &16)?;
    Ok(writers)
}

/// Several writes of one execution, one after the other.
async fn work(fixture: Fixture, lease: Lease) -> Vec<Result<Written, crate::store::StoreError>> {
    let mut results = Vec::new();
    for n in 0..6 {
        let nodes = vec![root(Status::Running), step(n + 1, "step")];
        let write = write(lease, nodes, LeaseAfter::Keep);
        let call = |store: Arc<dyn Store>| {
            let write = write.clone();
            async move { store.write(write).await }
        };
        results.push(fixture.patiently(call).await);
    }
    results
}

pub(in super::super) async fn writes_at_once(fixture: Fixture) -> Outcome {
    let writers = writers(&fixture).await?;
    let tasks = writers.iter().map(|writer| {
        let work = work(fixture.clone(), writer.lease);
        tokio::spawn(work)
    });
    let tasks = join_all(tasks).await;
    let nodes = (1..=6).map(|n| step(n, "step"));
    let nodes: Vec<NodeRow> = [root(Status::Running)].into_iter().chain(nodes).collect();
    for (writer, task) in writers.iter().zip(tasks) {
        let id = &writer.id;
        for result in joined(task)? {
            if writer.is_good {
                result?;
            } else {
                let what = format!("a write under the stale lease on {id}, among good ones");
                fails(&what, result, ErrorKind::Fenced)?;
            }
        }
        let saved = fixture.load(id).await?;
        let (what, expected) = if writer.is_good {
            ("written under a good lease, beside stale ones", &*nodes)
        } else {
            ("written under a stale lease, beside good ones", &[][..])
        };
        same_nodes(&format!("{id}, {what}"), &saved.nodes, expected)?;
    }
    Ok(())
}

pub(in super::super) async fn claims_at_once(fixture: Fixture) -> Outcome {
    const MANY: usize = 200;
    for n in 0..MANY {
        fixture
            .create(Creation::new(&format!("{n:03}")).priority(i32::from(n % 3 == 0)))
            .await?;
    }
    let other = fixture.rival().await;
    let workers = (0..8).map(|n| {
        let fixture = if n % 2 == 0 {
            fixture.clone()
        } else {
            other.clone()
        };
        tokio::spawn(async move {
            let mut got = Vec::new();
            loop {
                let mut claim = claim(&format!("worker {n}"));
                claim.limit = 3;
                let call = |store: Arc<dyn Store>| {
                    let claim = claim.clone();
                    async move { store.claim(claim).await }
                };
                let taken = fixture.patiently(call).await?.taken;
                if taken.is_empty() {
                    return Outcome::Ok(got);
                }
                got.extend(taken.into_iter().map(|taken| taken.info.id));
                tokio::task::yield_now().await;
            }
        })
    });
    let mut got = Vec::new();
    for worker in join_all(workers).await {
        got.extend(joined(worker)??);
    }
    // What somebody else's claim was looking at may have been left.
    got.extend(
        fixture
            .claim("last")
            .await?
            .into_iter()
            .map(|taken| taken.info.id),
    );
    got.sort_unstable();
    let expected: Vec<String> = (0..MANY).map(|n| format!("{n:03}")).collect();
    same(
        "what eight workers got together, each one once",
        &got,
        &expected,
    )
}

pub(in super::super) async fn holds_at_once(fixture: Fixture) -> Outcome {
    fixture.due("id").await?;
    let other = fixture.rival().await;
    let tasks = (0..10).map(|n| {
        let fixture = if n % 2 == 0 { &fixture } else { &other }.clone();
        tokio::spawn(async move {
            let call = |store: Arc<dyn Store>| async move {
                let acquire = Acquire {
                    id: "id".to_owned(),
                    worker: format!("worker {n}"),
                    lease: HOUR,
                    over: TakeOver::Ended,
                };
                store.acquire(acquire).await
            };
            fixture.patiently(call).await
        })
    });
    let mut taken = 0;
    for task in join_all(tasks).await {
        match joined(task)?? {
            Acquired::Held(_) => taken += 1,
            Acquired::Busy { .. } => {}
            Acquired::Unknown => {
                return Err(Fault::new("a hold", "Held or Busy", Acquired::Unknown));
            }
        }
    }
    same("how many of ten got it", &taken, &1)
}

/// How many senders there are, and how much each has to say.
const SENDERS: usize = 4;
const MESSAGES: usize = 25;

pub(in super::super) async fn messages_at_once_are_not_lost(fixture: Fixture) -> Outcome {
    fixture.create(Creation::new("id").due(Due::Never)).await?;
    let other = fixture.rival().await;
    let senders = (0..SENDERS).map(|sender| {
        let fixture = other.clone();
        tokio::spawn(async move {
            for n in 0..MESSAGES {
                let path = format!("{sender}.{n}");
                let call = |store: Arc<dyn Store>| {
                    let message = send_message("id", signal(&path, "x"));
                    async move { store.send(message).await }
                };
                fixture.patiently(call).await?;
                tokio::task::yield_now().await;
            }
            Outcome::Ok(())
        })
    });
    let senders: Vec<_> = senders.collect();
    let mut got = Vec::new();
    loop {
        // Before the claim: what it does not see then will not come.
        let is_over = senders.iter().all(tokio::task::JoinHandle::is_finished);
        let taken = fixture.patiently(|store| async move { store.claim(claim("worker")).await });
        let Some(taken) = taken.await?.taken.pop() else {
            if is_over {
                break;
            }
            fixture.lapse(Duration::ZERO).await?;
            tokio::task::yield_now().await;
            continue;
        };
        let seen = taken.messages.last().map_or(0, |(number, _)| *number);
        let then = LeaseAfter::Release {
            due: Due::Never,
            last_message: seen,
        };
        let mut rest = write(taken.lease, Vec::new(), then);
        for (number, message) in taken.messages {
            rest.taken.push(number);
            if let Message::Signal { path, .. } = message {
                got.push(path);
            }
        }
        // More of them come while it is held.
        for _ in 0..SENDERS {
            tokio::task::yield_now().await;
        }
        let call = |store: Arc<dyn Store>| {
            let rest = rest.clone();
            async move { store.write(rest).await }
        };
        fixture.patiently(call).await?;
    }
    for sender in senders {
        joined(sender.await)??;
    }
    got.sort_unstable();
    let sent = (0..SENDERS).flat_map(|s| (0..MESSAGES).map(move |n| format!("{s}.{n}")));
    let mut sent: Vec<String> = sent.collect();
    sent.sort_unstable();
    same(
        "the messages that were delivered, each one once",
        &got,
        &sent,
    )
}

/// Writes the same number to the root and to five nodes, again and again.
async fn number(fixture: Fixture, lease: Lease) -> Outcome {
    for round in 1..=60 {
        let mut all = vec![root(Status::Running)];
        all[0].node.output = Some(json(round.to_string()));
        all.extend((1..=5).map(|id| step(id, &round.to_string())));
        let write = write(lease, all, LeaseAfter::Keep);
        let call = |store: Arc<dyn Store>| {
            let write = write.clone();
            async move { store.write(write).await }
        };
        fixture.patiently(call).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

pub(in super::super) async fn reads_see_whole_writes(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let other = fixture.again().await.unwrap_or_else(|| fixture.clone());
    let writer = tokio::spawn(number(fixture, lease));
    loop {
        let is_over = writer.is_finished();
        let saved = other.patiently(|store| async move { store.load("id".to_owned()).await });
        if let Some(saved) = saved.await? {
            let told = saved
                .info
                .output
                .as_ref()
                .map(|output| output.get().to_owned());
            let mut seen: Vec<Option<String>> = vec![told];
            seen.extend(saved.nodes.iter().map(|row| {
                match row.id {
                    0 => row
                        .node
                        .output
                        .as_ref()
                        .map(|output| output.get().to_owned()),
                    _ => Some(row.node.name.to_string()),
                }
            }));
            let whole = seen.iter().all(|number| *number == seen[0]);
            let whole = whole && (saved.nodes.len() == 6 || saved.nodes.is_empty());
            let what =
                "the numbers in the execution, its root and its nodes, while they are written";
            holds(what, "the same number in all", &seen, whole)?;
        }
        if is_over {
            break;
        }
        tokio::task::yield_now().await;
    }
    joined(writer.await)?
}

pub(in super::super) async fn a_dropped_call_is_whole_or_nothing(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    for round in 0..40 {
        let nodes = (1..=5).map(|id| step(id, &format!("round {round}")));
        let write = write(lease, nodes.collect(), LeaseAfter::Keep);
        let mut call = fixture.store.write(write);
        for _ in 0..round % 5 {
            if futures_util::poll!(&mut call).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
    }
    // What was dropped may be under way for a while.
    for number in 10..20 {
        fixture.keep(lease, vec![step(number, "kept")]).await?;
        let saved = fixture.load("id").await?;
        let mut names: Vec<String> = saved
            .nodes
            .iter()
            .filter(|node| node.id < 10)
            .map(|node| node.node.name.to_string())
            .collect();
        let count = names.len();
        names.dedup();
        let whole = (names.len() == 1 && count == 5) || count == 0;
        let expected = "nodes 1 to 5 of one write, or none";
        holds(
            "the nodes of writes that were dropped",
            expected,
            &names,
            whole,
        )?;
        let kept = saved.nodes.iter().any(|node| node.id == number);
        holds("a write after them", "kept", kept, kept)?;
        fixture.lapse(Duration::from_millis(1)).await?;
    }
    Ok(())
}
