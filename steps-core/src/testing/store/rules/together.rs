//! Many calls at once.

use futures_util::future::join_all;

use super::prelude::*;

/// An execution, and the lease that somebody believes to have on it.
struct Writer {
    id: String,
    lease: Lease,
    is_good: bool,
}

async fn writers(bench: &Bench) -> Outcome<Vec<Writer>> {
    let mut writers = Vec::new();
    for n in 0..48 {
        let id = format!("{n:02}");
        let is_good = n % 3 != 0;
        let for_ = if is_good { HOUR } else { Duration::ZERO };
        let lease = bench.create(Make::new(&id).held("maker", for_)).await?;
        writers.push(Writer { id, lease, is_good });
    }
    bench.lapse(SHORT).await?;
    let taken = bench.claim("other").await?.len();
    same("how many were taken over", &taken, &16)?;
    Ok(writers)
}

/// Several writes of one execution, one after the other.
async fn work(bench: Bench, lease: Lease) -> Vec<Result<Written, crate::store::StoreError>> {
    let mut results = Vec::new();
    for n in 0..6 {
        let nodes = vec![root(Status::Running), step(n + 1, "step")];
        let write = write(lease, nodes, Then::Keep);
        let call = |store: Arc<dyn Store>| {
            let write = write.clone();
            async move { store.write(write).await }
        };
        results.push(bench.patiently(call).await);
    }
    results
}

pub(in super::super) async fn writes_at_once(bench: Bench) -> Outcome {
    let writers = writers(&bench).await?;
    let tasks = writers.iter().map(|writer| {
        let work = work(bench.clone(), writer.lease);
        tokio::spawn(work)
    });
    let tasks = join_all(tasks).await;
    let nodes = (1..=6).map(|n| step(n, "step"));
    let nodes: Vec<Change> = [root(Status::Running)].into_iter().chain(nodes).collect();
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
        let saved = bench.load(id).await?;
        let (what, expected) = if writer.is_good {
            ("written under a good lease, beside stale ones", &*nodes)
        } else {
            ("written under a stale lease, beside good ones", &[][..])
        };
        same_nodes(&format!("{id}, {what}"), &saved.nodes, expected)?;
    }
    Ok(())
}

pub(in super::super) async fn claims_at_once(bench: Bench) -> Outcome {
    const MANY: usize = 200;
    for n in 0..MANY {
        bench
            .create(Make::new(&format!("{n:03}")).priority(i32::from(n % 3 == 0)))
            .await?;
    }
    // As other processes would, where there can be some.
    let other = bench.again().await.unwrap_or_else(|| bench.clone());
    let workers = (0..8).map(|n| {
        let bench = if n % 2 == 0 {
            bench.clone()
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
                let taken = bench.patiently(call).await?.taken;
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
        bench
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
