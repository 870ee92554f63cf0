//! What a write makes besides its own execution: others that it starts, and messages to others.

use super::prelude::*;
use crate::store::Child;

/// A child of this execution.
fn child(parent: &str, id: &str) -> Child {
    let mut new = Creation::new(id).label("of", parent).priority(3).new;
    new.parent = Some(parent.to_owned());
    Child {
        new,
        nodes: Vec::new(),
        due: Due::Now,
    }
}

/// A write under a lease that starts these children.
fn starting(lease: Lease, children: Vec<Child>) -> Write {
    Write {
        children,
        ..write(lease, vec![step(1, "a")], LeaseAfter::Keep)
    }
}

fn children_of(parent: &str) -> ExecutionQuery {
    query(|query| query.parent = Some(parent.to_owned()))
}

pub(in super::super) async fn children_come_with_the_write(fixture: Fixture) -> Outcome {
    let lease = fixture.held("parent").await?;
    let later = Child {
        nodes: vec![root(Status::Pending)],
        due: Due::Never,
        ..child("parent", "later")
    };
    let held = Child {
        new: Creation::new("held").held("worker", HOUR).new,
        ..child("parent", "held")
    };
    let write = starting(lease, vec![child("parent", "child"), later, held]);
    fixture.write(write).await?;
    let kept = fixture.load("child").await?;
    let parent = Some("parent".to_owned());
    same("whose child it is", &kept.info.parent, &parent)?;
    same("its input", &kept.input, &text("input"))?;
    same("its priority", &kept.info.priority, &3)?;
    same(
        "its label",
        &kept.info.labels.get("of").map(String::as_str),
        &Some("parent"),
    )?;
    same("how many nodes it has", &kept.nodes.len(), &0)?;
    let later = fixture.load("later").await?;
    same("how many nodes another has", &later.nodes.len(), &1)?;
    same("when that is due", &later.info.due, &None)?;
    let what = "how many nodes the parent has";
    same(what, &fixture.load("parent").await?.nodes.len(), &1)?;
    let mut taken = fixture.claim("worker").await?;
    taken.sort_by(|a, b| a.info.id.cmp(&b.info.id));
    same("what is due", &ids(&taken), &vec!["child", "held"])?;
    let parents: Vec<_> = taken.into_iter().map(|it| it.info.parent).collect();
    let what = "whose children a claim says that they are";
    same(what, &parents, &vec![parent, None])?;
    // A new execution may start others as well.
    let mut new = Creation::new("new").held("worker", HOUR).write();
    new.children = vec![child("new", "new child")];
    let told = fixture.store.write(new).await?;
    holds(
        "what comes of it",
        "Created",
        &told,
        matches!(told, Written::Created(_)),
    )?;
    fixture.claim_one("worker", "new child").await.map(drop)
}

pub(in super::super) async fn taken_ids_refuse_the_write(fixture: Fixture) -> Outcome {
    let lease = fixture.held("parent").await?;
    fixture
        .create(Creation::new("other").due(Due::Never))
        .await?;
    let what = "a write that starts one whose id is in use";
    for id in ["other", "parent", "fresh"] {
        let children = vec![child("parent", "fresh"), child("parent", id)];
        let mut write = starting(lease, children);
        write.tells = vec![send_message("other", Message::Stop)];
        let told = fixture.store.write(write).await;
        fails(what, told, ErrorKind::Exists)?;
    }
    for id in ["other", "new"] {
        let mut new = Creation::new("new").held("worker", HOUR).write();
        new.children = vec![child("new", "fresh"), child("new", id)];
        fails(what, fixture.store.write(new).await, ErrorKind::Exists)?;
    }
    // Of an id that is there nothing is written, not even children.
    let mut again = Creation::new("other").held("worker", HOUR).write();
    again.children = vec![child("other", "fresh")];
    let told = fixture.store.write(again).await?;
    holds(
        "what comes of it",
        "Exists",
        &told,
        matches!(told, Written::Exists(_)),
    )?;
    let kept = fixture.load("parent").await?;
    same("how many nodes the parent has", &kept.nodes.len(), &0)?;
    let mut left = fixture.list(ExecutionQuery::default()).await?;
    left.sort_unstable();
    let there = vec!["other".to_owned(), "parent".to_owned()];
    same("what is there", &left, &there)?;
    fixture.claim_nothing("nobody was told").await?;
    // The lease is as good as before.
    fixture
        .write(starting(lease, vec![child("parent", "fresh")]))
        .await
}

pub(in super::super) async fn told_with_the_write(fixture: Fixture) -> Outcome {
    let lease = fixture.held("child").await?;
    for id in ["rests", "ended"] {
        let status = if id == "ended" {
            Status::Done
        } else {
            Status::Waiting
        };
        let creation = Creation::new(id).nodes(vec![root(status)]);
        fixture.create(creation.due(Due::Never)).await?;
    }
    let ended = || Message::ChildEnded {
        child: "child".to_owned(),
    };
    let tell = |id: &str| SendMessage {
        if_status: vec![Status::Waiting],
        ..send_message(id, ended())
    };
    let mut refused = write(
        Lease {
            fence: lease.fence + 1,
            ..lease
        },
        Vec::new(),
        LeaseAfter::Keep,
    );
    refused.tells = vec![tell("rests")];
    let told = fixture.store.write(refused).await;
    fails("a write under another lease", told, ErrorKind::Fenced)?;
    fixture.claim_nothing("nobody was told by it").await?;
    let mut end = write(lease, vec![root(Status::Done)], LeaseAfter::Keep);
    end.then = LeaseAfter::Release {
        due: Due::Never,
        last_message: 0,
    };
    end.tells = vec![tell("gone"), tell("ended"), tell("rests")];
    fixture.write(end).await?;
    let taken = fixture.claim_one("worker", "rests").await?;
    let messages: Vec<Message> = taken.messages.into_iter().map(|(_, it)| it).collect();
    same("what it was told", &messages, &vec![ended()])?;
    let what = "the status of the execution that told it";
    same(
        what,
        &fixture.load("child").await?.info.status,
        &Status::Done,
    )?;
    // To an execution that the same write starts, too.
    let mut new = Creation::new("new").held("worker", HOUR).write();
    new.children = vec![Child {
        due: Due::Never,
        ..child("new", "told")
    }];
    new.tells = vec![send_message("told", Message::Undo)];
    let told = fixture.store.write(new).await?;
    holds(
        "what comes of it",
        "Created",
        &told,
        matches!(told, Written::Created(_)),
    )?;
    let taken = fixture.claim_one("worker", "told").await?;
    same("how many messages it has", &taken.messages.len(), &1)
}

pub(in super::super) async fn children_are_found(fixture: Fixture) -> Outcome {
    for parent in ["a", "b"] {
        let lease = fixture.held(parent).await?;
        for n in 0..3 {
            fixture.lapse(Duration::from_micros(10)).await?;
            let mut one = child(parent, &format!("{parent}{n}"));
            one.nodes = vec![root(if n == 1 {
                Status::Done
            } else {
                Status::Waiting
            })];
            one.due = Due::Never;
            fixture.write(starting(lease, vec![one])).await?;
        }
    }
    let of_a = vec!["a2".to_owned(), "a1".to_owned(), "a0".to_owned()];
    same(
        "the children of one",
        &fixture.list(children_of("a")).await?,
        &of_a,
    )?;
    let count = fixture.store.count(children_of("a")).await?;
    same("how many they are", &count, &3)?;
    same(
        "those of none",
        &fixture.list(children_of("A")).await?,
        &Vec::new(),
    )?;
    let first = fixture
        .store
        .list(ExecutionQuery {
            limit: Some(1),
            ..children_of("a")
        })
        .await?;
    let after = first.first().map(ExecutionInfo::cursor);
    let rest = fixture.list(ExecutionQuery {
        after,
        ..children_of("a")
    });
    same("the next page", &rest.await?, &of_a[1..].to_vec())?;
    let done = |id: Option<&str>| ExecutionQuery {
        status: vec![Status::Done],
        id: id.map(str::to_owned),
        ..children_of("a")
    };
    let found = fixture.list(done(None)).await?;
    same("those that are done", &found, &vec!["a1".to_owned()])?;
    let found = fixture.list(done(Some("b1"))).await?;
    same("one of another", &found, &Vec::new())?;
    let deleted = fixture.store.delete(children_of("a")).await?;
    same("how many are deleted", &deleted, &1)?;
    let left = vec!["a2".to_owned(), "a0".to_owned()];
    same(
        "those that are left",
        &fixture.list(children_of("a")).await?,
        &left,
    )
}

pub(in super::super) async fn those_without_parent_are_found(fixture: Fixture) -> Outcome {
    for parent in ["a", "b"] {
        let done = Creation::new(parent).nodes(vec![root(Status::Done)]);
        let lease = fixture.create(done.held("worker", HOUR)).await?;
        let mut one = child(parent, &format!("{parent}0"));
        one.nodes = vec![root(Status::Done)];
        one.due = Due::Never;
        fixture.write(starting(lease, vec![one])).await?;
        fixture.rest(lease, Due::Never).await?;
    }
    let without = |status: &[Status]| {
        query(|query| {
            query.without_parent = true;
            query.status = status.to_vec();
        })
    };
    let mut found = fixture.list(without(&[])).await?;
    found.sort_unstable();
    same("those without parent", &found.join(" "), &"a b".to_owned())?;
    let id = query(|query| query.id = Some("a".to_owned()));
    same(
        "how many are deleted by their id",
        &fixture.store.delete(id).await?,
        &1,
    )?;
    let mut found = fixture.list(without(&[Status::Done])).await?;
    found.sort_unstable();
    same(
        "those without parent then",
        &found.join(" "),
        &"a0 b".to_owned(),
    )?;
    same(
        "how many they are",
        &fixture.store.count(without(&[])).await?,
        &2,
    )?;
    same(
        "how many are deleted",
        &fixture.store.delete(without(&[])).await?,
        &2,
    )?;
    let left = fixture.list(ExecutionQuery::default()).await?;
    same("what is left", &left, &vec!["b0".to_owned()])
}
