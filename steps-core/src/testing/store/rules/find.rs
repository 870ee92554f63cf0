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

fn page(limit: impl Into<Option<usize>>, after: Option<Cursor>) -> ExecutionQuery {
    query(|query| {
        query.limit = limit.into();
        query.after = after;
    })
}

fn ids_of(infos: &[ExecutionInfo]) -> Vec<&str> {
    infos.iter().map(|info| &*info.id).collect()
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
    let all = fixture.store.list(ExecutionQuery::default()).await?;
    same("how many there are", &all.len(), &25)?;
    for pair in all.windows(2) {
        let [newer, older] = [&pair[0], &pair[1]].map(ExecutionInfo::cursor);
        let what = format!("the place of one beside that of the next, {older}");
        let is_larger = newer > older;
        holds(&what, "a larger one", newer, is_larger)?;
    }
    for limit in [1, 4, 25, 30] {
        let mut pages: Vec<ExecutionInfo> = Vec::new();
        loop {
            let after = pages.last().map(ExecutionInfo::cursor);
            let next = fixture.store.list(page(limit, after)).await?;
            let few = next.len() <= limit;
            holds("a page", &format!("at most {limit}"), &next, few)?;
            if next.is_empty() || pages.len() > 25 {
                break;
            }
            pages.extend(next);
        }
        same(&format!("all, in pages of {limit}"), &pages, &all)?;
    }
    let none = fixture.store.list(page(0, None)).await?;
    same("a page of none", &none, &Vec::new())?;
    let rest = fixture
        .store
        .list(page(None, Some(all[20].cursor())))
        .await?;
    same("all after the 21st", &rest.as_slice(), &&all[21..])?;
    for (place, expected) in [(3, &all[7..8]), (7, &[]), (9, &[])] {
        let mut query = page(None, Some(all[place].cursor()));
        query.id = Some(all[7].id.clone());
        let found = fixture.store.list(query).await?;
        let what = format!("the 8th by its id, after that at {place}");
        same(&what, &found.as_slice(), &expected)?;
    }
    Ok(())
}

pub(in super::super) async fn list_goes_on_after_what_is_gone(fixture: Fixture) -> Outcome {
    // Those at the same time, as far as the clock shows it, and one later.
    for n in 0..9 {
        let creation = Creation::new(&n.to_string()).nodes(vec![root(Status::Done)]);
        fixture.create(creation.due(Due::Never)).await?;
        if n == 7 {
            fixture.lapse(Duration::ZERO).await?;
        }
    }
    let all = fixture.store.list(ExecutionQuery::default()).await?;
    same("how many there are", &all.len(), &9)?;
    let mut left = ids_of(&all);
    for place in [4, 3, 0, 8] {
        let gone = &*all[place].id;
        let query = query(|query| query.id = Some(gone.to_owned()));
        same(
            "how many were deleted",
            &fixture.store.delete(query).await?,
            &1,
        )?;
        left.retain(|id| *id != gone);
        let rest = fixture.list(page(None, Some(all[place].cursor()))).await?;
        let after = ids_of(&all[place + 1..]).into_iter();
        let expected: Vec<&str> = after.filter(|id| left.contains(id)).collect();
        let what = format!("those after the one at {place} of 9, which is gone");
        same(&what, &rest.join(" "), &expected.join(" "))?;
    }
    // Its id in use again is another place.
    let again = Creation::new(&all[4].id).nodes(vec![root(Status::Done)]);
    fixture.create(again.due(Due::Never)).await?;
    let rest = fixture.list(page(None, Some(all[4].cursor()))).await?;
    let expected = ids_of(&all[5..8]).join(" ");
    same(
        "those after a place whose id is in use again",
        &rest.join(" "),
        &expected,
    )
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
        by: vec![refuser(1)],
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
        for info in fixture.store.list(query.clone()).await? {
            let loaded = fixture.load(&info.id).await?.info;
            same("what a list knows of one", &info, &loaded)?;
        }
        let mut first = query;
        first.limit = Some(1);
        let found = fixture.list(first.clone()).await?.concat();
        let expected = expected.get(..1).unwrap_or_default();
        same(&format!("a list by {first:?}"), &found.as_str(), &expected)?;
    }
    Ok(())
}

pub(in super::super) async fn find_by_what_is_so_now(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let in_status = |status| query(|query| query.status = vec![status]);
    let ended = |from| query(|query| query.ended = Some(second(from)..second(from + 10)));
    let refused = |is| query(|query| query.refused = Some(is));
    let finds = async |when: &str, query: ExecutionQuery, is: bool| -> Outcome {
        let expected = if is {
            vec!["id".to_owned()]
        } else {
            Vec::new()
        };
        let what = format!("a list {when}, by {query:?}");
        same(&what, &fixture.list(query.clone()).await?, &expected)?;
        let what = format!("the count {when}, by {query:?}");
        let count = fixture.store.count(query).await?;
        same(&what, &count, &u64::from(is))
    };
    finds("at first", in_status(Status::Pending), true).await?;
    let mut first = root(Status::Failed);
    first.node.done_at = Some(second(20));
    fixture.keep(lease, vec![first]).await?;
    let when = "of one that has failed";
    for (query, is) in [
        (in_status(Status::Failed), true),
        (in_status(Status::Pending), false),
        (ended(20), true),
        (ended(40), false),
    ] {
        finds(when, query, is).await?;
    }
    let mut second_end = root(Status::Done);
    second_end.node.done_at = Some(second(40));
    fixture.keep(lease, vec![second_end]).await?;
    let when = "of one that has failed, and is done now";
    for (query, is) in [
        (in_status(Status::Done), true),
        (in_status(Status::Failed), false),
        (ended(40), true),
        (ended(20), false),
    ] {
        finds(when, query, is).await?;
    }
    fixture.keep(lease, vec![root(Status::Running)]).await?;
    let all_times = query(|query| query.ended = Some(second(-1000)..second(1000)));
    finds("of one that goes on", all_times, false).await?;

    finds("before a refusal", refused(false), true).await?;
    let why = Refused {
        by: vec![refuser(1)],
        why: "no".to_owned(),
    };
    fixture
        .write(write(lease, Vec::new(), LeaseAfter::Refuse(why)))
        .await?;
    finds("of one that was refused", refused(true), true).await?;
    finds("of one that was refused", refused(false), false).await?;
    fixture.take("id", "worker", HOUR).await?;
    finds("of one that was taken since", refused(true), false).await?;
    finds("of one that was taken since", refused(false), true).await
}

pub(in super::super) async fn delete_filters(fixture: Fixture) -> Outcome {
    populate(&fixture).await?;
    let count = filters(&fixture).await?.len();
    clear(&fixture).await?;
    for n in 0..count {
        populate(&fixture).await?;
        let Some((query, expected)) = filters(&fixture).await?.into_iter().nth(n) else {
            return Ok(());
        };
        // That one has not ended.
        let expected = expected.replace('d', "");
        let what = format!("by {query:?}");
        let deleted = fixture.store.delete(query).await?;
        let number = u64::try_from(expected.len()).unwrap_or(u64::MAX);
        same(&format!("how many were deleted {what}"), &deleted, &number)?;
        let left = fixture.list(ExecutionQuery::default()).await?.concat();
        let kept: String = "edcba"
            .chars()
            .filter(|id| !expected.contains(*id))
            .collect();
        same(&format!("what was left {what}"), &left, &kept)?;
        clear(&fixture).await?;
    }
    Ok(())
}

/// Deletes all.
async fn clear(fixture: &Fixture) -> Outcome {
    for id in fixture.list(ExecutionQuery::default()).await? {
        let taken = fixture.take(&id, "worker", HOUR).await?;
        fixture.keep(taken.lease, vec![root(Status::Done)]).await?;
        fixture.rest(taken.lease, Due::Never).await?;
    }
    fixture.store.delete(ExecutionQuery::default()).await?;
    let left = fixture.list(ExecutionQuery::default()).await?;
    same("what is left when all are deleted", &left, &Vec::new())
}

pub(in super::super) async fn count_filters(fixture: Fixture) -> Outcome {
    same(
        "an empty store",
        &fixture.store.count(ExecutionQuery::default()).await?,
        &0,
    )?;
    populate(&fixture).await?;
    let c = fixture.load("c").await?.info.cursor();
    for (mut query, expected) in filters(&fixture).await? {
        for (limit, after) in [
            (None, None),
            (Some(0), None),
            (Some(1), Some(c.clone())),
            (None, Some(c.clone())),
        ] {
            query.limit = limit;
            query.after = after;
            let count = fixture.store.count(query.clone()).await?;
            let expected = u64::try_from(expected.len()).unwrap_or(u64::MAX);
            same(&format!("the count by {query:?}"), &count, &expected)?;
        }
    }
    Ok(())
}
