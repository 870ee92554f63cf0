//! Holding one execution, due or not.

use super::prelude::*;

pub(in super::super) async fn hold_takes(bench: Bench) -> Outcome {
    let make = Make::new("id").nodes(vec![root(Status::Stuck), step(1, "a")]);
    bench.create(make.due(Due::Never).input(text("in"))).await?;
    bench.due("other").await?;
    let stop = bench.tell("other", Message::Stop).await?;
    let before = bench.load("id").await?;

    let now = bench.now().await?;
    let taken = bench.take("id", "operator", HOUR).await?;
    same("the input", &taken.input, &before.input)?;
    same_nodes("the nodes", &taken.nodes, &before.nodes)?;
    same("the messages", &taken.messages, &Vec::new())?;
    same("from whom it was taken", &taken.from, &None)?;
    let due = taken.info.due;
    let right = due.is_some_and(|due| due >= now + HOUR && due < now + 2 * HOUR);
    holds("the end of the lease", "an hour from now", due, right)?;
    let mut expected = before.info;
    expected.worker = Some("operator".to_owned());
    expected.due = due;
    same("what is known of it", &taken.info, &expected)?;

    let other = bench.take("other", "operator", HOUR).await?;
    same(
        "the messages of another",
        &other.messages,
        &vec![(stop, Message::Stop)],
    )?;
    bench.claim_nothing("an operator holds both").await?;
    bench.keep(taken.lease, vec![step(2, "b")]).await?;
    bench.rest(taken.lease, Due::Now).await?;
    bench.claim_one("worker", "id").await.map(drop)
}

pub(in super::super) async fn hold_only_what_nobody_holds(bench: Bench) -> Outcome {
    let unknown = bench.hold("id", "operator", HOUR).await?;
    let is_unknown = matches!(unknown, Held::Unknown);
    holds("holding what is not there", "Unknown", unknown, is_unknown)?;

    bench.due("id").await?;
    let first = bench.claim_one("first", "id").await?;
    for worker in ["operator", "first"] {
        let (expected, until) = ("first", first.info.due);
        match bench.hold("id", worker, HOUR).await? {
            Held::Busy { worker, until: end } => {
                same("who holds it", &worker.as_str(), &expected)?;
                same("until when", &Some(end), &until)?;
            }
            other => return Err(Fault::new("holding what is held", "Busy", other)),
        }
    }
    // It was left alone.
    bench.keep(first.lease, vec![step(1, "a")]).await
}

pub(in super::super) async fn hold_after_the_end_of_a_lease(bench: Bench) -> Outcome {
    let old = bench.create(Make::new("id").held("maker", SHORT)).await?;
    bench.lapse(SHORT).await?;
    let taken = bench.take("id", "operator", HOUR).await?;
    same(
        "from whom it was taken",
        &taken.from.as_deref(),
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
    let came = bench.store.write(write(old, Vec::new(), Then::Keep)).await;
    fails("a write under the first lease", came, ErrorKind::Fenced)
}
