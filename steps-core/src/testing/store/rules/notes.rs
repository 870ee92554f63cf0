//! What a service notes of an execution, and how many of its steps are in which status.

use super::prelude::*;
use crate::model::{act::Act, attrs::Attrs, state::Kind, trigger::Trigger};

/// An integer that no floating point number is, one that no machine's integer is, a name with a dot,
/// spaces, and a nested object.
const ATTRS: &str = r#"{"n": 9007199254740993,"long":123456789012345678901234567890.10,"a.b":{ "c":[null,true] },"ü\"":"x"}"#;

fn attrs(text: &str) -> Outcome<Attrs> {
    Attrs::parse(text).map_err(|error| Fault::new("the suite's own attributes", "an object", error))
}

/// A moment to the nanosecond, a text with quotes, and everything that an act has.
fn act(what: &str) -> Act {
    let at = jiff::Timestamp::new(1_767_225_600, 123_456_789).unwrap_or_default();
    let mut act = Act::new(at, what, "ann");
    act.step = Some("a.\"b\"".to_owned());
    act.reason = Some("so \u{1f980}\n".to_owned());
    act
}

async fn listed(fixture: &Fixture, id: &str) -> Outcome<ExecutionInfo> {
    let query = query(|query| query.id = Some(id.to_owned()));
    let mut found = fixture.store.list(query).await?;
    found
        .pop()
        .ok_or_else(|| Fault::new(&format!("a list of {id:?}"), "one execution", ()))
}

async fn noted(fixture: &Fixture, id: &str, expected: &Notes) -> Outcome {
    let what = format!("what is noted of {id:?}");
    same(&what, &listed(fixture, id).await?.notes(), expected)?;
    same(&what, &fixture.load(id).await?.info.notes(), expected)
}

async fn annotate(fixture: &Fixture, id: &str, changes: Vec<NoteChange>) -> Outcome<Notes> {
    let noted = fixture.store.annotate(id.to_owned(), changes).await?;
    noted.ok_or_else(|| Fault::new(&format!("a note of {id:?}"), "what is noted then", ()))
}

pub(in super::super) async fn notes_come_back(fixture: Fixture) -> Outcome {
    let all = [
        Notes::default(),
        Notes {
            attrs: attrs(ATTRS)?,
            trigger: Trigger::Schedule,
            status_message: Some("waits; 'soon' \u{1f980}\n".to_owned()),
            acts: vec![act("stop"), act("recover")],
        },
        Notes {
            trigger: Trigger::from("a hook's"),
            ..Notes::default()
        },
        Notes {
            trigger: Trigger::Event,
            status_message: Some("x".to_owned()),
            ..Notes::default()
        },
    ];
    for (n, notes) in all.iter().enumerate() {
        let id = n.to_string();
        let mut creation = Creation::new(&id);
        creation.new.notes = notes.clone();
        fixture.create(creation).await?;
        noted(&fixture, &id, notes).await?;
    }
    for taken in fixture.claim("worker").await? {
        let n: usize = taken.info.id.parse().unwrap_or(usize::MAX);
        let expected = all.get(n).cloned().unwrap_or_default();
        same("what a claim tells", &taken.info.notes(), &expected)?;
    }
    Ok(())
}

pub(in super::super) async fn notes_change(fixture: Fixture) -> Outcome {
    fixture.due("other").await?;
    let lease = fixture.held("id").await?;
    let mut expected = Notes::default();
    let message = |text: &str| NoteChange::StatusMessage(Some(text.to_owned()));
    let all = [
        vec![],
        vec![NoteChange::Attrs(attrs(ATTRS)?)],
        vec![
            NoteChange::Patch(attrs(r#"{"a.b":{"c":null,"d":1},"new":2}"#)?),
            message("half"),
        ],
        vec![
            NoteChange::Attrs(attrs(r#"{"first":{"x":1}}"#)?),
            NoteChange::Patch(attrs(r#"{"first":7}"#)?),
            NoteChange::Patch(attrs(r#"{"first":{"y":2}}"#)?),
        ],
        vec![message("one"), message("two")],
        vec![NoteChange::Act(act("stop"))],
        vec![NoteChange::Act(act("undo")), NoteChange::Act(act("undo"))],
        vec![
            NoteChange::StatusMessage(None),
            NoteChange::Attrs(Attrs::new()),
        ],
        vec![NoteChange::Patch(attrs(r#"{"gone":null,"kept":0}"#)?)],
    ];
    for changes in all {
        expected.change(&changes);
        let what = format!("what is noted after {changes:?}");
        let told = annotate(&fixture, "id", changes).await?;
        same(&what, &told, &expected)?;
        noted(&fixture, "id", &expected).await?;
    }
    // The lease is as good as before.
    fixture.keep(lease, vec![root(Status::Done)]).await?;
    fixture.rest(lease, Due::Never).await?;
    let changes = vec![message("late")];
    expected.change(&changes);
    same(
        "what is noted of one that has ended",
        &annotate(&fixture, "id", changes).await?,
        &expected,
    )?;
    let status = fixture.load("id").await?.info.status;
    same("its status", &status, &Status::Done)?;
    noted(&fixture, "other", &Notes::default()).await?;
    let unknown = fixture
        .store
        .annotate("nobody".to_owned(), vec![message("x")]);
    same("a note of nobody", &unknown.await?, &None)
}

pub(in super::super) async fn notes_of_a_write(fixture: Fixture) -> Outcome {
    let noting = |lease, text: &str| Write {
        notes: vec![NoteChange::StatusMessage(Some(text.to_owned()))],
        ..write(lease, vec![step(1, "a")], LeaseAfter::Keep)
    };
    let old = fixture.held("id").await?;
    fixture.write(noting(old, "first")).await?;
    let mut expected = Notes {
        status_message: Some("first".to_owned()),
        ..Notes::default()
    };
    noted(&fixture, "id", &expected).await?;
    fixture.rest(old, Due::Now).await?;
    let new = fixture.claim_one("worker", "id").await?.lease;
    fails(
        "a note under an old lease",
        fixture.store.write(noting(old, "stale")).await,
        ErrorKind::Fenced,
    )?;
    noted(&fixture, "id", &expected).await?;
    let both = Write {
        notes: vec![
            NoteChange::Attrs(attrs(r#"{"a":1}"#)?),
            NoteChange::Patch(attrs(r#"{"b":2}"#)?),
        ],
        ..noting(new, "")
    };
    fixture.write(both).await?;
    expected.attrs = attrs(r#"{"a":1,"b":2}"#)?;
    noted(&fixture, "id", &expected).await?;
    let mut made = Creation::new("made").held("maker", HOUR).write();
    made.notes = vec![NoteChange::Patch(attrs(r#"{"c":3}"#)?)];
    fixture.store.write(made).await?;
    let expected = Notes {
        attrs: attrs(r#"{"c":3}"#)?,
        ..Notes::default()
    };
    noted(&fixture, "made", &expected).await
}

fn node(id: u32, kind: Kind, status: Status) -> NodeRow {
    let mut row = step(id, "name");
    row.node.kind = kind;
    row.node.status = status;
    row
}

pub(in super::super) async fn steps_are_counted(fixture: Fixture) -> Outcome {
    fixture.due("none").await?;
    let lease = fixture.held("id").await?;
    let made = fixture.load("id").await?.info;
    same(
        "the last change of one just made",
        &made.updated_at,
        &made.created_at,
    )?;
    let nodes = vec![
        node(1, Kind::Group, Status::Running),
        node(2, Kind::Step, Status::Done),
        node(3, Kind::Step, Status::Running),
        node(4, Kind::Step, Status::Done),
        node(5, Kind::Step, Status::Skipped),
        node(7, Kind::Step, Status::Waiting),
    ];
    fixture.keep(lease, nodes).await?;
    let now = listed(&fixture, "id").await?;
    let counts = now.steps.to_string();
    same(
        "the counts",
        &&*counts,
        &"1 running, 1 waiting, 2 done, 1 skipped",
    )?;
    same(
        "the last change, as steps are old",
        &now.updated_at,
        &made.created_at,
    )?;
    let mut late = node(3, Kind::Step, Status::Failed);
    late.node.done_at = Some(second(1 << 30));
    fixture.keep(lease, vec![late]).await?;
    let now = listed(&fixture, "id").await?;
    same(
        "the counts",
        &&*now.steps.to_string(),
        &"1 waiting, 2 done, 1 failed, 1 skipped",
    )?;
    same(
        "the last change, by a step",
        &now.updated_at,
        &second(1 << 30),
    )?;
    let none = listed(&fixture, "none").await?;
    same("the counts of one without steps", &none.steps.total(), &0)?;

    let replaced = Write {
        replace: true,
        ..write(
            lease,
            vec![node(2, Kind::Step, Status::Done)],
            LeaseAfter::Keep,
        )
    };
    fixture.write(replaced).await?;
    let replaced = listed(&fixture, "id").await?;
    same(
        "the counts of one that was replaced",
        &&*replaced.steps.to_string(),
        &"1 done",
    )?;
    let mut last = replaced.updated_at;
    let mut moved = async |what: &str| -> Outcome {
        let next = listed(&fixture, "id").await?.updated_at;
        holds(
            &format!("the last change after {what}"),
            &format!("later than {last}"),
            next,
            next > last,
        )?;
        last = next;
        fixture.lapse(Duration::from_micros(10)).await
    };
    fixture.lapse(Duration::from_micros(10)).await?;
    fixture.keep(lease, vec![root(Status::Running)]).await?;
    moved("a write of the root").await?;
    let message = NoteChange::StatusMessage(Some("x".to_owned()));
    annotate(&fixture, "id", vec![message]).await?;
    moved("a note").await?;
    fixture.rest(lease, Due::Never).await?;
    moved("the end of a turn").await?;

    let brief = fixture
        .store
        .list(query(|query| query.brief = true))
        .await?;
    let counted: u64 = brief.iter().map(|info| info.steps.total()).sum();
    same("how many a brief list has", &brief.len(), &2)?;
    same("the counts of a brief list", &counted, &0)
}
