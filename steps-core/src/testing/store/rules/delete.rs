//! Deleting what has ended.

use super::prelude::*;

async fn delete(bench: &Bench, query: Query) -> Outcome<u64> {
    Ok(bench.store.delete(query).await?)
}

pub(in super::super) async fn delete_only_what_has_ended(bench: Bench) -> Outcome {
    let statuses = Status::ALL.into_iter();
    let statuses = statuses.filter(|s| !matches!(s, Status::Skipped | Status::UndoFailed));
    let mut left = Vec::new();
    let mut gone = 0;
    for status in statuses {
        let id = status.as_str();
        let make = Make::new(id).nodes(vec![root(status)]).due(Due::Never);
        bench.create(make).await?;
        if status.is_final() {
            gone += 1;
        } else {
            left.push(id);
        }
    }
    bench.due("not begun").await?;
    left.push("not begun");
    same(
        "how many were deleted",
        &delete(&bench, Query::default()).await?,
        &gone,
    )?;
    let mut found = bench.list(Query::default()).await?;
    found.sort_unstable();
    left.sort_unstable();
    same("those that are left", &found.join(" "), &left.join(" "))?;
    same(
        "how many are deleted then",
        &delete(&bench, Query::default()).await?,
        &0,
    )
}

pub(in super::super) async fn delete_nothing_that_is_held(bench: Bench) -> Outcome {
    let done = |id: &str| Make::new(id).nodes(vec![root(Status::Done)]);
    let lease = bench.create(done("held").held("operator", HOUR)).await?;
    bench
        .create(done("lease ended").held("operator", SHORT))
        .await?;
    bench.lapse(SHORT).await?;
    same(
        "how many were deleted",
        &delete(&bench, Query::default()).await?,
        &1,
    )?;
    let left = bench.list(Query::default()).await?;
    same("those that are left", &left, &vec!["held".to_owned()])?;
    bench.keep(lease, vec![step(1, "a")]).await?;
    bench.rest(lease, Due::Never).await?;
    let what = "how many, once it was given back";
    same(what, &delete(&bench, Query::default()).await?, &1)
}

pub(in super::super) async fn delete_what_a_query_finds(bench: Bench) -> Outcome {
    for n in 0..6 {
        let id = format!("{}", (n * 5) % 6);
        let status = if n == 2 { Status::Failed } else { Status::Done };
        let mut node = root(status);
        node.node.done_at = Some(second(100 - n));
        let make = Make::new(&id).nodes(vec![node]).due(Due::Never);
        bench.create(make.label("n", &n.to_string())).await?;
        bench.lapse(Duration::from_micros(10)).await?;
    }
    let left = async || {
        let mut left = Vec::new();
        for info in bench.store.list(Query::default()).await? {
            left.extend(info.labels.into_values());
        }
        Outcome::Ok(left.concat())
    };
    same("before", &left().await?.as_str(), &"543210")?;
    let three = query(|query| {
        query.status = vec![Status::Done];
        query.limit = 3;
        query.after = Some("0".to_owned());
    });
    same("how many were deleted", &delete(&bench, three).await?, &3)?;
    same("all but the oldest three", &left().await?.as_str(), &"542")?;
    let sooner = query(|query| query.ended = Some(second(0)..second(96)));
    same("how many ended then", &delete(&bench, sooner).await?, &1)?;
    same("those that ended sooner", &left().await?.as_str(), &"42")?;
    let query = query(|query| drop(query.labels.insert("n".to_owned(), "4".to_owned())));
    same(
        "how many had the label",
        &delete(&bench, query.clone()).await?,
        &1,
    )?;
    same("how many have it now", &delete(&bench, query).await?, &0)?;
    same("the last one", &left().await?.as_str(), &"2")
}

pub(in super::super) async fn delete_leaves_nothing(bench: Bench) -> Outcome {
    let make = || {
        let nodes = vec![root(Status::Done), step(1, "a"), step(2, "b")];
        Make::new("id").label("old", "1").nodes(nodes).due(Due::Now)
    };
    bench.create(make()).await?;
    for message in [Message::Stop, Message::Undo, signal("wait", "old")] {
        bench.tell("id", message).await?;
    }
    same(
        "how many were deleted",
        &delete(&bench, Query::default()).await?,
        &1,
    )?;
    let found = bench.store.load("id".to_owned()).await?;
    holds("loading it", "None", &found, found.is_none())?;
    same("the count", &bench.store.count(Query::default()).await?, &0)?;
    bench.claim_nothing("it was deleted").await?;
    let tell = Tell {
        id: "id".to_owned(),
        message: Message::Stop,
        only: Vec::new(),
    };
    let told = bench.store.tell(tell).await?;
    same("a message to it", &told, &Told::Unknown)?;

    bench.create(Make::new("id").input(text("new"))).await?;
    let query = query(|query| drop(query.labels.insert("old".to_owned(), "1".to_owned())));
    let found = bench.list(query).await?;
    same("those with its label", &found, &Vec::new())?;
    let taken = bench.claim_one("worker", "id").await?;
    let mut expected = Info::new("id", FLOW, taken.info.created_at);
    expected.worker = Some("worker".to_owned());
    expected.due = taken.info.due;
    same("a new one of its id", &taken.info, &expected)?;
    same("the input of the new one", &taken.input, &text("new"))?;
    same_nodes("the nodes of the new one", &taken.nodes, &[])?;
    same("the messages of the new one", &taken.messages, &Vec::new())
}
