//! Deleting what has ended.

pub(in super::super) use super::find::delete_filters;
use super::prelude::*;

async fn delete(fixture: &Fixture, query: ExecutionQuery) -> Outcome<u64> {
    Ok(fixture.store.delete(query).await?)
}

pub(in super::super) async fn delete_only_what_has_ended(fixture: Fixture) -> Outcome {
    let statuses = Status::ALL.into_iter();
    let statuses = statuses.filter(|s| !matches!(s, Status::Skipped | Status::UndoFailed));
    let mut left = Vec::new();
    let mut gone = 0;
    for status in statuses {
        let id = status.as_str();
        let creation = Creation::new(id).nodes(vec![root(status)]).due(Due::Never);
        fixture.create(creation).await?;
        if status.is_final() {
            gone += 1;
        } else {
            left.push(id);
        }
    }
    fixture.due("not begun").await?;
    left.push("not begun");
    same(
        "how many were deleted",
        &delete(&fixture, ExecutionQuery::default()).await?,
        &gone,
    )?;
    let mut found = fixture.list(ExecutionQuery::default()).await?;
    found.sort_unstable();
    left.sort_unstable();
    same("those that are left", &found.join(" "), &left.join(" "))?;
    same(
        "how many are deleted then",
        &delete(&fixture, ExecutionQuery::default()).await?,
        &0,
    )
}

pub(in super::super) async fn delete_nothing_that_is_held(fixture: Fixture) -> Outcome {
    let done = |id: &str| Creation::new(id).nodes(vec![root(Status::Done)]);
    let lease = fixture.create(done("held").held("operator", HOUR)).await?;
    fixture
        .create(done("lease ended").held("operator", SHORT))
        .await?;
    fixture.lapse(SHORT).await?;
    same(
        "how many were deleted",
        &delete(&fixture, ExecutionQuery::default()).await?,
        &1,
    )?;
    let left = fixture.list(ExecutionQuery::default()).await?;
    same("those that are left", &left, &vec!["held".to_owned()])?;
    fixture.keep(lease, vec![step(1, "a")]).await?;
    fixture.rest(lease, Due::Never).await?;
    let what = "how many, once it was given back";
    same(
        what,
        &delete(&fixture, ExecutionQuery::default()).await?,
        &1,
    )
}

pub(in super::super) async fn delete_what_a_query_finds(fixture: Fixture) -> Outcome {
    for n in 0..6 {
        let id = format!("{}", (n * 5) % 6);
        let status = if n == 2 { Status::Failed } else { Status::Done };
        let mut node = root(status);
        node.node.done_at = Some(second(100 - n));
        let creation = Creation::new(&id).nodes(vec![node]).due(Due::Never);
        fixture.create(creation.label("n", &n.to_string())).await?;
        fixture.lapse(Duration::from_micros(10)).await?;
    }
    let left = async || {
        let mut left = Vec::new();
        for info in fixture.store.list(ExecutionQuery::default()).await? {
            left.extend(info.labels.into_values());
        }
        Outcome::Ok(left.concat())
    };
    same("before", &left().await?.as_str(), &"543210")?;
    let all = fixture.store.list(ExecutionQuery::default()).await?;
    let three = query(|query| {
        query.status = vec![Status::Done];
        query.limit = Some(3);
    });
    let none = query(|query| query.limit = Some(0));
    same("how many, of none", &delete(&fixture, none).await?, &0)?;
    same("all are left", &left().await?.as_str(), &"543210")?;
    let oldest = all[5].cursor();
    let after_the_oldest = query(|query| query.after = Some(oldest));
    let none = delete(&fixture, after_the_oldest).await?;
    same("how many after the oldest", &none, &0)?;
    same("how many were deleted", &delete(&fixture, three).await?, &3)?;
    same("all but the oldest three", &left().await?.as_str(), &"542")?;
    let after_the_newest = query(|query| {
        query.after = Some(all[0].cursor());
        query.limit = Some(1);
        query.status = vec![Status::Failed];
    });
    let one = delete(&fixture, after_the_newest).await?;
    same("how many after the newest", &one, &1)?;
    same("what is left", &left().await?.as_str(), &"54")?;
    let sooner = query(|query| query.ended = Some(second(0)..second(96)));
    same("how many ended then", &delete(&fixture, sooner).await?, &1)?;
    same("those that ended sooner", &left().await?.as_str(), &"4")?;
    let query = query(|query| drop(query.labels.insert("n".to_owned(), "4".to_owned())));
    same(
        "how many had the label",
        &delete(&fixture, query.clone()).await?,
        &1,
    )?;
    same("how many have it now", &delete(&fixture, query).await?, &0)?;
    same("what is left then", &left().await?.as_str(), &"")
}

pub(in super::super) async fn delete_leaves_nothing(fixture: Fixture) -> Outcome {
    let creation = || {
        let nodes = vec![root(Status::Done), step(1, "a"), step(2, "b")];
        Creation::new("id")
            .label("old", "1")
            .nodes(nodes)
            .due(Due::Now)
    };
    fixture.create(creation()).await?;
    for message in [Message::Stop, Message::Undo, signal("wait", "old")] {
        fixture.send("id", message).await?;
    }
    same(
        "how many were deleted",
        &delete(&fixture, ExecutionQuery::default()).await?,
        &1,
    )?;
    let found = fixture.store.load("id".to_owned()).await?;
    holds("loading it", "None", &found, found.is_none())?;
    same(
        "the count",
        &fixture.store.count(ExecutionQuery::default()).await?,
        &0,
    )?;
    fixture.claim_nothing("it was deleted").await?;
    let message = send_message("id", Message::Stop);
    let told = fixture.store.send(message).await?;
    same("a message to it", &told, &MessageReceipt::Unknown)?;

    fixture
        .create(Creation::new("id").input(text("new")))
        .await?;
    let query = query(|query| drop(query.labels.insert("old".to_owned(), "1".to_owned())));
    let found = fixture.list(query).await?;
    same("those with its label", &found, &Vec::new())?;
    let taken = fixture.claim_one("worker", "id").await?;
    let mut expected = ExecutionInfo::new("id", FLOW, taken.info.created_at);
    expected.key = taken.info.key;
    expected.worker = Some("worker".to_owned());
    expected.due = taken.info.due;
    same("a new one of its id", &taken.info, &expected)?;
    same("the input of the new one", &taken.input, &text("new"))?;
    same_nodes("the nodes of the new one", &taken.nodes, &[])?;
    same("the messages of the new one", &taken.messages, &Vec::new())
}
