//! Duties: rows by a name that are changed by compare-and-set, with executions that start with a change.

use futures_util::future::join_all;

use super::prelude::*;
use crate::store::{Child, Duty, DutyQuery, DutySet, NewDuty, SetDuty};

/// Makes a change that is good. Returns the revision after it.
async fn set(fixture: &Fixture, set: SetDuty) -> Outcome<Option<i64>> {
    match fixture.store.set_duty(set).await? {
        DutySet::Set(revision) => Ok(revision),
        other => Err(Fault::new("a change of a duty as it is", "Set", other)),
    }
}

/// Makes a duty that there is none of.
async fn make(fixture: &Fixture, name: &str, to: NewDuty) -> Outcome<Duty> {
    let NewDuty { due, value } = to.clone();
    let to = Some(to);
    let made = SetDuty {
        to,
        ..set_duty(name, None, None)
    };
    let revision = set(fixture, made).await?;
    let revision = revision.ok_or_else(|| Fault::new("a new duty", "a revision", ()))?;
    Ok(Duty {
        name: name.to_owned(),
        revision,
        due,
        value,
    })
}

async fn read(fixture: &Fixture, name: &str) -> Outcome<Option<Duty>> {
    Ok(fixture.store.duty(name.to_owned()).await?)
}

fn due(n: Option<i64>, value: &str) -> NewDuty {
    NewDuty {
        due: n.map(second),
        value: json(value),
    }
}

fn child(id: &str) -> Child {
    Child {
        new: Creation::new(id).new,
        nodes: Vec::new(),
        due: Due::Now,
    }
}

pub(in super::super) async fn duties_come_back(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let made = [
        ("", due(None, "null")),
        (
            "ü'\n\u{1f980}",
            due(Some(1), r#"{"b": 9007199254740993,"a":[1.50]}"#),
        ),
        ("of old", due(Some(-3_000_000_000), "[]")),
    ];
    let mut all = Vec::new();
    for (name, to) in made {
        all.push(make(&fixture, name, to).await?);
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    for duty in &all {
        let kept = read(&rival, &duty.name).await?;
        same("a duty", &kept, &Some(duty.clone()))?;
    }
    let listed = rival.store.duties(DutyQuery::default()).await?;
    same("a list of duties", &listed, &all)?;
    same("one that is not there", &read(&rival, "of").await?, &None)?;
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    let large = make(&fixture, "large", due(None, &large)).await?;
    same("a large one", &read(&rival, "large").await?, &Some(large))
}

pub(in super::super) async fn duties_change_by_revision(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let first = make(&fixture, "a", due(Some(1), "1")).await?;
    let other = make(&fixture, "b", due(None, "0")).await?;
    let mut last = first.revision;
    // None is there, though it is; another revision; that of another duty.
    let wrong = [None, Some(last - 1), Some(last + 100), Some(other.revision)];
    for (revision, to) in wrong.into_iter().flat_map(|n| [(n, Some("2")), (n, None)]) {
        let told = rival.store.set_duty(set_duty("a", revision, to)).await?;
        let now = DutySet::Changed(Some(first.clone()));
        same("a change from a revision that is not", &told, &now)?;
        same(
            "the duty",
            &read(&fixture, "a").await?,
            &Some(first.clone()),
        )?;
    }
    let told = rival.store.set_duty(set_duty("c", Some(last), Some("2")));
    let gone = DutySet::Changed(None);
    same("a change of one that is not there", &told.await?, &gone)?;
    for (fixture, to) in [(&rival, Some("2")), (&fixture, None), (&rival, Some("3"))] {
        let there = read(fixture, "a").await?.map(|duty| duty.revision);
        let revision = set(fixture, set_duty("a", there, to)).await?;
        let kept = read(fixture, "a").await?;
        let kept_revision = kept.as_ref().map(|duty| duty.revision);
        same("the revision of a duty", &kept_revision, &revision)?;
        let value = kept.as_ref().map(|duty| duty.value.get());
        same("its value", &value, &to)?;
        same("when it is due", &kept.and_then(|duty| duty.due), &None)?;
        if let Some(revision) = revision {
            let expected = format!("larger than {last}");
            holds("the revision", &expected, revision, revision > last)?;
            last = revision;
        }
    }
    let told = fixture
        .store
        .set_duty(set_duty("a", Some(first.revision), None));
    let is_changed = matches!(told.await?, DutySet::Changed(Some(_)));
    holds(
        "a change from the revision of one that was removed",
        "Changed",
        is_changed,
        is_changed,
    )?;
    let nothing = set(&fixture, set_duty("c", None, None)).await?;
    same("the removal of what is not there", &nothing, &None)?;
    same("another duty", &read(&fixture, "b").await?, &Some(other))
}

pub(in super::super) async fn duties_are_listed(fixture: Fixture) -> Outcome {
    let dues = [
        ("a", Some(9)),
        ("ab", None),
        ("ab/1", Some(3)),
        ("ab/2", Some(1)),
        ("ab/\u{10ffff}\u{10ffff}", Some(3)),
        ("ab0", Some(2)),
        ("b", Some(3)),
        ("", Some(3)),
    ];
    for (name, n) in dues {
        make(&fixture, name, due(n, "1")).await?;
    }
    let last = "ab/\u{10ffff}\u{10ffff}";
    let all = vec!["", "a", "ab", "ab/1", "ab/2", last, "ab0", "b"];
    for (prefix, until, expected) in [
        ("", None, all),
        ("ab/", None, vec!["ab/1", "ab/2", last]),
        ("ab/\u{10ffff}", None, vec![last]),
        ("abc", None, vec![]),
        ("", Some(3), vec!["ab/2", "ab0", "", "ab/1", last, "b"]),
        ("ab/", Some(3), vec!["ab/2", "ab/1", last]),
        ("ab/", Some(2), vec!["ab/2"]),
        ("", Some(0), vec![]),
        ("a", Some(9), vec!["ab/2", "ab0", "ab/1", last, "a"]),
    ] {
        let what = format!("those of {prefix:?} until {until:?}");
        let mut query = DutyQuery::named(prefix);
        query.due_until = until.map(second);
        let found = fixture.store.duties(query.clone()).await?;
        let names = |found: &[Duty]| -> Vec<String> {
            found.iter().map(|duty| duty.name.clone()).collect()
        };
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        same(&what, &names(&found), &expected)?;
        let mut paged = Vec::new();
        query.limit = Some(2);
        loop {
            let page = fixture.store.duties(query.clone()).await?;
            holds("a page of two", "two at most", page.len(), page.len() <= 2)?;
            let Some(last) = page.last() else {
                break;
            };
            query.after = Some(last.clone());
            paged.extend(names(&page));
        }
        same(&format!("{what}, by pages"), &paged, &expected)?;
    }
    Ok(())
}

pub(in super::super) async fn duties_start_executions(fixture: Fixture) -> Outcome {
    let starting = |revision, to: &str, ids: &[&str]| SetDuty {
        start: ids.iter().map(|id| child(id)).collect(),
        ..set_duty("a", revision, Some(to))
    };
    let first = set(&fixture, starting(None, "1", &["x", "y"])).await?;
    let mut started = fixture.claim("worker").await?;
    started.sort_by(|a, b| a.info.id.cmp(&b.info.id));
    same("what was started", &ids(&started), &vec!["x", "y"])?;
    for held in &started {
        same("its input", &held.input, &text("input"))?;
    }
    let there = read(&fixture, "a").await?;
    let none = DutySet::Changed(there.clone());
    let told = fixture.store.set_duty(starting(None, "2", &["z"])).await?;
    same("a change from a revision that is not", &told, &none)?;
    for (ids, taken) in [(["z", "x"], "x"), (["y", "z"], "y"), (["z", "z"], "z")] {
        let told = fixture.store.set_duty(starting(first, "2", &ids)).await?;
        let exists = DutySet::Exists(taken.to_owned());
        same(
            "a change that starts one whose id is in use",
            &told,
            &exists,
        )?;
        same("the duty", &read(&fixture, "a").await?, &there)?;
        fixture.claim_nothing("nothing was started").await?;
    }
    let removed = SetDuty {
        to: None,
        ..starting(first, "2", &["z"])
    };
    same("a removal", &set(&fixture, removed).await?, &None)?;
    same("the duty", &read(&fixture, "a").await?, &None)?;
    fixture.claim_one("worker", "z").await.map(drop)
}

pub(in super::super) async fn duties_at_once(fixture: Fixture) -> Outcome {
    let rival = fixture.rival().await;
    let mut revision = None;
    for round in 0..5 {
        let changes = (0..8).map(|n| {
            let fixture = if n % 2 == 0 { &fixture } else { &rival };
            let change = SetDuty {
                start: vec![child(&format!("{round}-{n}"))],
                ..set_duty("a", revision, Some(&n.to_string()))
            };
            let fixture = fixture.clone();
            tokio::spawn(async move {
                let call = |store: Arc<dyn Store>| {
                    let change = change.clone();
                    async move { store.set_duty(change).await }
                };
                fixture.patiently(call).await
            })
        });
        let mut made = Vec::new();
        for told in join_all(changes).await {
            if let DutySet::Set(now) = joined(told)?? {
                made.push(now);
            }
        }
        same("how many changes were made", &made.len(), &1)?;
        revision = made.pop().flatten();
        let kept = read(&rival, "a").await?.map(|duty| duty.revision);
        same("the revision", &kept, &revision)?;
        let started = fixture.claim("worker").await?;
        same("how many were started", &started.len(), &1)?;
    }
    Ok(())
}
