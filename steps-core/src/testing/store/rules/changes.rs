//! Changes of statuses that are kept for those who have subscribed.

use self::asked::{
    failed, failing, group, in_vain, infos, list, new, node, numbers, on, settle, subscribe, told,
};
use super::prelude::*;
use crate::store::{Change, ChangeKind, Child, DutySet, Subscription, WhichChanges};

mod asked;

pub(in super::super) async fn changes_are_kept(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let before = fixture.held("before").await?;
    fixture
        .keep(before, vec![root(Status::Running), step(1, "a")])
        .await?;
    let (runs, steps) = (ChangeKind::Execution, ChangeKind::Step);
    // By another process, whose writes these are not.
    subscribe(&rival, on("runs", runs, &[], &[])).await?;
    subscribe(&rival, on("steps", steps, &[FLOW, "none"], &[])).await?;
    subscribe(
        &rival,
        on("done", runs, &[], &[Status::Done, Status::Failed]),
    )
    .await?;
    subscribe(&rival, on("others", runs, &["others"], &[])).await?;
    subscribe(&rival, on("failed", steps, &[], &[Status::Failed])).await?;
    let now = fixture.now().await?;
    fixture.due("due").await?;
    fixture.create(Creation::new("of").flow("others")).await?;
    fixture
        .keep(
            before,
            vec![
                root(Status::Running),
                node(1, 0, "a", Status::Done),
                group(2, 0, "g.h", Status::Running),
                node(3, 2, "b", Status::Running),
                node(4, 0, "later", Status::Pending),
            ],
        )
        .await?;
    fixture
        .keep(
            before,
            vec![failing(node(3, 2, "b", Status::Failed), "ü no")],
        )
        .await?;
    let then = LeaseAfter::Release {
        due: Due::Never,
        last_message: 0,
    };
    let ends = vec![
        failing(root(Status::Failed), "it failed"),
        group(2, 0, "g.h", Status::Failed),
        node(4, 0, "later", Status::Skipped),
    ];
    fixture.write(write(before, ends, then)).await?;
    for fixture in [&fixture, &rival] {
        let kept = new(fixture, "runs").await?;
        let is = [
            "due flow - pending",
            "of others - pending",
            "before flow running failed it failed",
        ];
        told("changes of executions", &kept, &is)?;
        for change in &kept {
            let is_now = change.at >= now;
            holds("when it was", "not before", change.at, is_now)?;
            same("how often it was told in vain", &change.attempts, &0)?;
        }
        let is = [
            r"before flow - running g\.h.b=b 1",
            r"before flow running failed g\.h.b=b 1 ü no",
            "before flow pending skipped later=later 1",
        ];
        told("changes of steps", &new(fixture, "steps").await?, &is)?;
        let is = ["before flow running failed it failed"];
        told("to some statuses", &new(fixture, "done").await?, &is)?;
        let is = ["of others - pending"];
        told("of some flows", &new(fixture, "others").await?, &is)?;
        let is = [r"before flow running failed g\.h.b=b 1 ü no"];
        told("of steps, to one", &new(fixture, "failed").await?, &is)?;
        told("of nobody", &new(fixture, "nobody").await?, &[])?;
    }
    Ok(())
}

pub(in super::super) async fn changes_begin_with_a_step(fixture: Fixture) -> Outcome {
    subscribe(&fixture, on("steps", ChangeKind::Step, &[], &[])).await?;
    let lease = fixture.held("id").await?;
    // The end of each and the beginning of the next, as most writes are.
    for n in 1..=3 {
        let mut rows = Vec::new();
        if n > 1 {
            rows.push(node(n - 1, 0, &format!("s{}", n - 1), Status::Done));
        }
        let mut next = node(n, 0, &format!("s{n}"), Status::Running);
        next.node.output = None;
        next.node.started_at = Some(second(2));
        rows.push(next);
        fixture.keep(lease, rows).await?;
    }
    let is = [
        "id flow - running s1=s1 1",
        "id flow running done s1=s1 1",
        "id flow - running s2=s2 1",
        "id flow running done s2=s2 1",
        "id flow - running s3=s3 1",
    ];
    told("steps one by one", &new(&fixture, "steps").await?, &is)
}

pub(in super::super) async fn changes_of_a_replaced_tree(fixture: Fixture) -> Outcome {
    let lease = fixture.held("id").await?;
    let rows = vec![
        root(Status::Failed),
        node(1, 0, "a", Status::Done),
        group(2, 0, "g", Status::Failed),
        node(3, 2, "b", Status::Failed),
        node(5, 0, "gone", Status::Done),
    ];
    fixture.keep(lease, rows).await?;
    subscribe(&fixture, on("steps", ChangeKind::Step, &[], &[])).await?;
    subscribe(&fixture, on("runs", ChangeKind::Execution, &[], &[])).await?;
    // The same tree with other numbers, in which one step is cleared.
    let rows = vec![
        root(Status::Pending),
        group(1, 0, "g", Status::Pending),
        node(2, 1, "b", Status::Pending),
        node(3, 0, "a", Status::Done),
    ];
    let then = LeaseAfter::Release {
        due: Due::Now,
        last_message: 0,
    };
    let replace = Write {
        replace: true,
        ..write(lease, rows, then)
    };
    fixture.write(replace).await?;
    let is = ["id flow failed pending g.b=b 1"];
    told("steps of a new tree", &new(&fixture, "steps").await?, &is)?;
    let is = ["id flow failed pending"];
    told("its execution", &new(&fixture, "runs").await?, &is)
}

pub(in super::super) async fn changes_come_with_the_write(fixture: Fixture) -> Outcome {
    let old = fixture.held("id").await?;
    fixture.due("taken").await?;
    subscribe(&fixture, on("runs", ChangeKind::Execution, &[], &[])).await?;
    subscribe(&fixture, on("steps", ChangeKind::Step, &[], &[])).await?;
    let child = |id: &str| Child {
        new: Creation::new(id).new,
        nodes: Vec::new(),
        due: Due::Never,
    };
    let rows = || vec![root(Status::Running), step(1, "a")];
    let taken = Write {
        children: vec![child("new"), child("taken")],
        ..write(old, rows(), LeaseAfter::Keep)
    };
    let refused = fixture.store.write(taken).await;
    fails("a write with an id in use", refused, ErrorKind::Exists)?;
    let withdrawn = Write {
        signals: vec![77],
        ..write(old, rows(), LeaseAfter::Keep)
    };
    let refused = fixture.store.write(withdrawn).await;
    fails("a write of no signal", refused, ErrorKind::Withdrawn)?;
    let over = fixture.acquire_over("id", "other", HOUR, TakeOver::Any);
    over.await?;
    let late = write(old, rows(), LeaseAfter::Keep);
    let refused = fixture.store.write(late).await;
    fails("a write under an old lease", refused, ErrorKind::Fenced)?;
    let there = fixture.store.write(Creation::new("taken").write()).await?;
    let exists = matches!(there, Written::Exists(_));
    holds("making one that is there", "Exists", there, exists)?;
    let mut elsewhere = Creation::new("elsewhere").nodes(rows());
    elsewhere.new.created_at = Some(second(1));
    fixture.create(elsewhere).await?;
    for name in ["runs", "steps"] {
        told("of what was refused", &new(&fixture, name).await?, &[])?;
    }
    let parent = fixture.create(Creation::new("parent").held("maker", HOUR));
    let with = Write {
        children: vec![child("child")],
        ..write(parent.await?, rows(), LeaseAfter::Keep)
    };
    fixture.write(with).await?;
    let mut duty = set_duty("duty", None, Some("1"));
    duty.start = vec![child("started")];
    let set = fixture.store.set_duty(duty.clone()).await?;
    let is_set = matches!(set, DutySet::Set(_));
    holds("a duty that starts one", "Set", set, is_set)?;
    duty.start = vec![child("not started")];
    fixture.store.set_duty(duty).await?;
    let is = [
        "parent flow - pending",
        "parent flow pending running",
        "child flow - pending",
        "started flow - pending",
    ];
    told("of what was written", &new(&fixture, "runs").await?, &is)
}

pub(in super::super) async fn changes_outlast_the_execution(fixture: Fixture) -> Outcome {
    subscribe(&fixture, on("runs", ChangeKind::Execution, &[], &[])).await?;
    let first = Creation::new("id").nodes(vec![root(Status::Done)]);
    fixture.create(first.due(Due::Never)).await?;
    let kept = new(&fixture, "runs").await?;
    let gone = query(|query| query.id = Some("id".to_owned()));
    same("a deletion", &fixture.store.delete(gone).await?, &1)?;
    let rival = fixture.rival().await;
    same("of what is gone", &new(&rival, "runs").await?, &kept)?;
    fixture.due("id").await?;
    let both = new(&fixture, "runs").await?;
    let is = ["id flow - done", "id flow - pending"];
    told("of what is gone, and of the next", &both, &is)
}

/// Three changes of `a`, and one of `b` in between.
async fn four(fixture: &Fixture) -> Outcome<Vec<Change>> {
    subscribe(fixture, on("runs", ChangeKind::Execution, &[], &[])).await?;
    let a = fixture.held("a").await?;
    fixture.keep(a, vec![root(Status::Running)]).await?;
    fixture.due("b").await?;
    fixture.keep(a, vec![root(Status::Waiting)]).await?;
    new(fixture, "runs").await
}

pub(in super::super) async fn changes_are_listed(fixture: Fixture) -> Outcome {
    let all = numbers(&four(&fixture).await?);
    let [a1, a2, b, a3] = all[..] else {
        return Err(Fault::new("how many there are", "4", all));
    };
    let after = |after| WhichChanges::New { after };
    let some = list(&fixture, "runs", after(a1), 2).await?;
    same("two after the first", &numbers(&some), &vec![a2, b])?;
    let some = list(&fixture, "runs", after(a3), 2).await?;
    same("those after the last", &numbers(&some), &Vec::new())?;
    settle(&fixture, "runs", vec![], vec![in_vain(a2, 1, 9)]).await?;
    let some = new(&fixture, "runs").await?;
    same("while one of `a` is in vain", &numbers(&some), &vec![b])?;
    settle(&fixture, "runs", vec![], vec![in_vain(b, 3, 5)]).await?;
    let some = failed(&fixture, "runs").await?;
    same(
        "those in vain, by their times",
        &numbers(&some),
        &vec![b, a2],
    )?;
    let some = list(&fixture, "runs", WhichChanges::Failed, 1).await?;
    same("the first of them", &numbers(&some), &vec![b])?;
    settle(&fixture, "runs", vec![a2], vec![]).await?;
    let some = new(&fixture, "runs").await?;
    same("when none of `a` is", &numbers(&some), &vec![a1, a3])
}

pub(in super::super) async fn changes_are_settled(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let all = four(&fixture).await?;
    let first = all.first().map_or(0, |change| change.number);
    let last = all.last().map_or(0, |change| change.number);
    subscribe(&fixture, on("second", ChangeKind::Execution, &[], &[])).await?;
    settle(&fixture, "second", vec![first], vec![in_vain(last, 1, 1)]).await?;
    same("settled for another", &new(&rival, "runs").await?, &all)?;
    let done = vec![first, last + 100];
    settle(&fixture, "runs", done, vec![in_vain(last, 2, -5)]).await?;
    let left = failed(&rival, "runs").await?;
    let mut expected = all.last().cloned().into_iter().collect::<Vec<_>>();
    for change in &mut expected {
        change.attempts = 2;
        change.due = Some(second(-5));
        change.failure = Some("ü 2".to_owned());
    }
    same("one in vain", &left, &expected)?;
    settle(&fixture, "runs", vec![], vec![in_vain(last, 3, 8)]).await?;
    let again = failed(&rival, "runs").await?;
    let attempts: Vec<u32> = again.iter().map(|change| change.attempts).collect();
    same("once more", &attempts, &vec![3])?;
    settle(&rival, "runs", vec![last], vec![]).await?;
    same(
        "when it was told",
        &failed(&fixture, "runs").await?,
        &Vec::new(),
    )
}

pub(in super::super) async fn subscriptions_come_back(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let all = [
        on("runs", ChangeKind::Execution, &[], &[]),
        on("ü\u{1f980}", ChangeKind::Step, &["a", "ü"], &Status::ALL),
    ];
    for subscription in &all {
        subscribe(&fixture, subscription.clone()).await?;
    }
    let there = infos(&rival).await?;
    let kept: Vec<Subscription> = there.iter().map(|it| it.subscription.clone()).collect();
    same("subscriptions", &kept, &all.to_vec())?;
    let since = there.first().map(|info| info.since);
    let changes = four(&fixture).await?;
    let first = changes.first().map_or(0, |change| change.number);
    settle(&fixture, "runs", vec![], vec![in_vain(first, 1, 1)]).await?;
    let narrow = on("runs", ChangeKind::Execution, &["none"], &[]);
    subscribe(&rival, narrow.clone()).await?;
    fixture.due("not for it").await?;
    let there = infos(&fixture).await?;
    let Some(info) = there.first() else {
        return Err(Fault::new("subscriptions", "two", there));
    };
    same("one that was changed", &info.subscription, &narrow)?;
    same("since when", &Some(info.since), &since)?;
    let counts = (info.waiting, info.failed);
    same("how many wait, and in vain", &counts, &(4, 1))?;
    let oldest = changes.first().map(|change| change.at);
    same("the oldest", &info.oldest, &oldest)?;
    same("whether it ended", &info.ended, &None)
}

pub(in super::super) async fn subscriptions_end(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    four(&fixture).await?;
    subscribe(&fixture, on("other", ChangeKind::Execution, &[], &[])).await?;
    let end = |name: &str| {
        rival
            .store
            .end_subscription(name.to_owned(), "gone".to_owned())
    };
    same("the end of one", &end("runs").await?, &true)?;
    same("the end of none", &end("none").await?, &false)?;
    subscribe(&fixture, on("runs", ChangeKind::Execution, &[], &[])).await?;
    fixture.due("c").await?;
    told("of one that ended", &new(&fixture, "runs").await?, &[])?;
    let is = ["c flow - pending"];
    told("of another", &new(&fixture, "other").await?, &is)?;
    let ended: Vec<_> = infos(&fixture).await?;
    let ended: Vec<_> = ended.into_iter().map(|info| info.ended).collect();
    same("why", &ended, &vec![None, Some("gone".to_owned())])?;
    let remove = |name: &str| rival.store.unsubscribe(name.to_owned());
    same("a removal", &remove("runs").await?, &true)?;
    same("a second one", &remove("runs").await?, &false)?;
    same("a removal with changes", &remove("other").await?, &true)?;
    same("what is left", &infos(&fixture).await?, &Vec::new())?;
    fixture.due("d").await?;
    subscribe(&fixture, on("other", ChangeKind::Execution, &[], &[])).await?;
    told("of one that is new", &new(&fixture, "other").await?, &[])?;
    fixture.due("e").await?;
    let kept = new(&fixture, "other").await?;
    told("from then on", &kept, &["e flow - pending"])
}
