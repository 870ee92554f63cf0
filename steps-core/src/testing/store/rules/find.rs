//! Loading, listing and counting.

use super::prelude::*;

pub(in super::super) async fn load_what_is_there(fixture: Fixture) -> Outcome {
    fixture.due("id").await?;
    for id in ["", "ID", "id ", "i", "%", "i_", "id2"] {
        let found = fixture.store.load(id.to_owned()).await?;
        holds(&format!("loading {id:?}"), "None", &found, found.is_none())?;
    }
    fixture.load("id").await.map(drop)
}

/// Makes executions, one after the other: the newest last.
async fn make(fixture: &Fixture, ids: &[String]) -> Outcome {
    for id in ids {
        fixture.create(Creation::new(id).due(Due::Never)).await?;
        fixture.lapse(Duration::ZERO).await?;
    }
    Ok(())
}

fn page(limit: usize, after: Option<&String>) -> ExecutionQuery {
    query(|query| {
        query.limit = limit;
        query.after = after.cloned();
    })
}

pub(in super::super) async fn list_order(fixture: Fixture) -> Outcome {
    // The order is not that of ids, nor of the last write.
    let ids = ["m", "a", "z", "B", "k"].map(str::to_owned);
    make(&fixture, &ids).await?;
    let taken = fixture.take("a", "worker", HOUR).await?;
    fixture
        .keep(taken.lease, vec![root(Status::Running)])
        .await?;
    let expected: Vec<String> = ids.into_iter().rev().collect();
    same(
        "all of them",
        &fixture.list(ExecutionQuery::default()).await?,
        &expected,
    )?;
    let infos = fixture.store.list(page(2, None)).await?;
    same("how many, with a limit of 2", &infos.len(), &2)?;
    for info in infos {
        let loaded = fixture.load(&info.id).await?.info;
        same("what a list knows of one", &info, &loaded)?;
    }
    Ok(())
}

pub(in super::super) async fn list_pages(fixture: Fixture) -> Outcome {
    // Some are made at the same time, as far as the clock shows it.
    let ids: Vec<String> = (0..25).map(|n| format!("{:02}", n * 7 % 25)).collect();
    for id in &ids {
        fixture.create(Creation::new(id).due(Due::Never)).await?;
    }
    let all = fixture.list(ExecutionQuery::default()).await?;
    same("how many there are", &all.len(), &25)?;
    for limit in [1, 4, 25, 30] {
        let mut pages = Vec::new();
        loop {
            let next = fixture.list(page(limit, pages.last())).await?;
            let few = next.len() <= limit;
            holds("a page", &format!("at most {limit}"), &next, few)?;
            if next.is_empty() || pages.len() > 25 {
                break;
            }
            pages.extend(next);
        }
        same(&format!("all, in pages of {limit}"), &pages, &all)?;
    }
    let rest = fixture.list(page(0, Some(&all[20]))).await?;
    same("all after the 21st", &rest.as_slice(), &&all[21..])?;
    let mut query = page(0, Some(&all[3]));
    query.id = Some(all[7].clone());
    let found = fixture.list(query).await?;
    same(
        "one of an id, after another",
        &found.as_slice(),
        &&all[7..8],
    )?;
    let gone = fixture.list(page(0, Some(&"gone".to_owned()))).await?;
    same("those after one that is not there", &gone, &Vec::new())
}

/// What [`filters`] look into.
async fn populate(fixture: &Fixture) -> Outcome {
    let all = [
        ("a", FLOW, Status::Done, vec![("x", "1"), ("y", "2")]),
        ("b", FLOW, Status::Failed, vec![("x", "1")]),
        (
            "c",
            "other",
            Status::Done,
            vec![("x", "2"), ("it's.\"$%", "_[0]")],
        ),
        ("d", "other", Status::Running, vec![]),
        (
            "e",
            "third",
            Status::Stuck,
            vec![("y", "2"), ("x", "1"), ("z", "")],
        ),
    ];
    for (n, (id, flow, status, labels)) in (0..).zip(all) {
        let mut node = root(status);
        node.node.done_at = status.is_final().then(|| second(100 + n));
        let mut creation = Creation::new(id)
            .flow(flow)
            .nodes(vec![node])
            .due(Due::Never);
        for (name, value) in labels {
            creation = creation.label(name, value);
        }
        fixture.create(creation).await?;
        fixture.lapse(Duration::from_micros(10)).await?;
    }
    let lease = fixture.take("d", "worker", HOUR).await?.lease;
    let refused = Refused {
        fingerprint: 1,
        why: "no".to_owned(),
    };
    fixture
        .write(write(lease, Vec::new(), LeaseAfter::Refuse(refused)))
        .await
}

/// Queries, each with what it finds of [`populate`], the newest first.
async fn filters(fixture: &Fixture) -> Outcome<Vec<(ExecutionQuery, &'static str)>> {
    let labels = |all: &[(&str, &str)]| {
        let all = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let labels = all.collect();
        query(|q| q.labels = labels)
    };
    let flows = |all: &[&str]| {
        let all = all.iter().map(|flow| (*flow).to_owned()).collect();
        query(|q| q.flows = all)
    };
    let id = |id: &str| query(|q| q.id = Some(id.to_owned()));
    let ended = |from, to| query(|q| q.ended = Some(second(from)..second(to)));
    let b = fixture.load("b").await?.info.created_at;
    let d = fixture.load("d").await?.info.created_at;
    let mut all = vec![
        (ExecutionQuery::default(), "edcba"),
        (id("c"), "c"),
        (id("f"), ""),
        (flows(&["other"]), "dc"),
        (flows(&["third", "nothing", FLOW]), "eba"),
        (flows(&["Other"]), ""),
        (query(|q| q.status = vec![Status::Done]), "ca"),
        (
            query(|q| q.status = vec![Status::Stuck, Status::Failed]),
            "eb",
        ),
        (query(|q| q.status = vec![Status::Undone]), ""),
        (labels(&[("x", "1")]), "eba"),
        (labels(&[("x", "1"), ("y", "2")]), "ea"),
        (labels(&[("x", "1"), ("y", "1")]), ""),
        (labels(&[("z", "")]), "e"),
        (labels(&[("it's.\"$%", "_[0]")]), "c"),
        (labels(&[("X", "1")]), ""),
        (query(|q| q.created = Some(b..d)), "cb"),
        (query(|q| q.created = Some(d..second(1 << 33))), "ed"),
        (query(|q| q.created = Some(b..b)), ""),
        (ended(101, 104), "cb"),
        (ended(0, 101), "a"),
        (ended(0, 1000), "ecba"),
        (query(|q| q.refused = Some(true)), "d"),
        (query(|q| q.refused = Some(false)), "ecba"),
    ];
    let mut many = labels(&[("x", "1")]);
    many.flows = vec![FLOW.to_owned()];
    many.status = vec![Status::Done, Status::Stuck];
    many.refused = Some(false);
    many.ended = Some(second(0)..second(1000));
    many.created = Some(second(0)..d);
    all.push((many, "a"));
    Ok(all)
}

pub(in super::super) async fn list_filters(fixture: Fixture) -> Outcome {
    populate(&fixture).await?;
    for (query, expected) in filters(&fixture).await? {
        let found = fixture.list(query.clone()).await?.concat();
        same(&format!("a list by {query:?}"), &found.as_str(), &expected)?;
        let mut first = query;
        first.limit = 1;
        let found = fixture.list(first.clone()).await?.concat();
        let expected = expected.get(..1).unwrap_or_default();
        same(&format!("a list by {first:?}"), &found.as_str(), &expected)?;
    }
    Ok(())
}

pub(in super::super) async fn count_filters(fixture: Fixture) -> Outcome {
    same(
        "an empty store",
        &fixture.store.count(ExecutionQuery::default()).await?,
        &0,
    )?;
    populate(&fixture).await?;
    for (mut query, expected) in filters(&fixture).await? {
        for (limit, after) in [(0, None), (1, None), (0, Some("c")), (1, Some("a"))] {
            query.limit = limit;
            query.after = after.map(str::to_owned);
            let count = fixture.store.count(query.clone()).await?;
            let expected = u64::try_from(expected.len()).unwrap_or(u64::MAX);
            same(&format!("the count by {query:?}"), &count, &expected)?;
        }
    }
    Ok(())
}
