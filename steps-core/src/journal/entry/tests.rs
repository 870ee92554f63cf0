use proptest::prelude::*;

use super::*;
use crate::{language::children::NewChild, model::state::arbitrary::state};

fn recorded(state: &State) -> Recorded {
    let mut recorded = Recorded::default();
    recorded.add(Batch::new(state, state.to_rows()).replacing().to_entry());
    recorded
}

proptest! {
    /// Whatever a tree has in it comes through an entry's JSON.
    #[test]
    fn a_tree_comes_through_entries(saved in state()) {
        let before = recorded(&saved);
        prop_assert_eq!(before.state().unwrap().unwrap(), saved.clone());
        let text = before.to_entry().to_json();
        let mut after = Recorded::default();
        after.add(Entry::from_json(&text).unwrap());
        prop_assert_eq!(after.state().unwrap().unwrap(), saved);
        prop_assert_eq!(after.active(), before.active());
        prop_assert_eq!(after.to_entry().to_json(), text);
    }
}

fn tree(text: &str) -> State {
    State::from_json(text).unwrap()
}

#[test]
fn an_entry_says_how_the_pass_ended() {
    let state = tree(r#"{"name":"f","startedAt":"2026-01-01T00:00:00Z"}"#);
    let until = Some("2026-01-02T00:00:00.5Z".parse().unwrap());
    for end in [
        None,
        Some(PassEnd::Waiting { until: None }),
        Some(PassEnd::Waiting { until }),
        Some(PassEnd::Ended),
        Some(PassEnd::Stopped),
        Some(PassEnd::Suspended),
    ] {
        let mut batch = Batch::new(&state, Vec::new());
        batch.pass_end = end;
        let text = batch.to_entry().to_json();
        let read = Entry::from_json(&text).unwrap();
        assert_eq!(read.pass_end(), end, "{text}");
        assert!(!read.replaces() && read.signals().is_empty());
    }
}

#[test]
fn removed_rows_are_gone() {
    let state = tree(r#"{"name":"f","states":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#);
    let mut all = recorded(&state);
    let mut gone = RowRanges::default();
    gone.insert(1);
    gone.insert(2);
    let entry = Batch::new(&state, Vec::new()).removing(gone).to_entry();
    all.add(Entry::from_json(&entry.to_json()).unwrap());
    let left = all.state().unwrap().unwrap();
    assert_eq!(left.states.len(), 1);
    assert_eq!(&*left.states[0].name, "c");
}

#[test]
fn active_are_steps_that_run_or_are_undone() {
    let text = r#"{"name":"f","kind":"flow","startedAt":"2026-01-01T00:00:00Z","states":[
        {"name":"a","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"},
        {"name":"both","kind":"parallel","startedAt":"2026-01-01T00:00:00Z","states":[
            {"name":"l.1","startedAt":"2026-01-01T00:00:00Z"},
            {"name":"r","startedAt":"2026-01-01T00:00:00Z"},
            {"name":"later"}]}]}"#;
    let state = tree(text);
    let wanted: Vec<String> = state
        .walk()
        .filter(|(_, node)| node.kind == Kind::Step && node.status == Status::Running)
        .map(|(path, _)| path)
        .collect();
    assert_eq!(recorded(&state).active(), wanted);
    assert_eq!(wanted.len(), 2);
}

#[test]
fn what_is_no_entry_is_refused() {
    for (text, row, why) in [
        ("", 0, "this is no entry"),
        ("{}", 0, "its field `rows`"),
        (r#"{"rows":[[3,0,{"name":7}]]}"#, 3, "name"),
        (r#"{"rows":[],"end":"sometime"}"#, 0, "`sometime`"),
    ] {
        match Entry::from_json(text).unwrap_err() {
            StateError::Row { row: found, reason } => {
                assert_eq!(found, row, "{text}");
                assert!(reason.contains(why), "{reason}");
            }
            other => panic!("{text}: {other}"),
        }
    }
}

#[test]
fn children_and_tasks_are_found_in_what_is_recorded() {
    let state = tree(
        r#"{"name":"f","status":"running","states":[
            {"name":"on","stepKind":"start","status":"undoing","output":"c1"},
            {"name":"done","stepKind":"start","status":"done","output":"c2","doneAt":"2026-01-01T00:00:00Z"},
            {"name":"wait","stepKind":"join","status":"waiting","until":"child","input":"c2"},
            {"name":"scan","stepKind":"external","status":"waiting","until":"report",
             "task":{"id":"3b241101e2bb42558caf4136c566a962.x","revision":0,"status":"pending"}},
            {"name":"over","stepKind":"external","status":"waiting","until":"report",
             "task":{"id":"4b241101e2bb42558caf4136c566a962.x","revision":1,"status":"done"}}]}"#,
    );
    let recorded = recorded(&state);
    let children: Vec<_> = recorded.children().collect();
    assert_eq!(
        children,
        [
            ChildWait::TakenBack("c1".to_owned()),
            ChildWait::End("c2".to_owned())
        ]
    );
    let tasks: Vec<_> = recorded
        .tasks()
        .map(|open| recorded.path(open.row))
        .collect();
    assert_eq!(tasks, ["scan"]);
}

#[test]
fn the_children_that_a_batch_starts_are_in_its_entry() {
    let state = tree(r#"{"name":"f","startedAt":"2026-01-01T00:00:00Z"}"#);
    let mut batch = Batch::new(&state, Vec::new());
    batch.children.push(NewChild {
        id: "c".to_owned(),
        flow: "kid",
        input: Json::encode(&7).unwrap(),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        priority: 0,
        form: None,
        begins: Some("2026-01-02T00:00:00Z".parse().unwrap()),
        trace: None,
    });
    let entry = batch.to_entry();
    let read = Entry::from_json(&entry.to_json()).unwrap();
    assert_eq!(read.children(), entry.children());
    assert_eq!(
        (&*read.children()[0].id, &*read.children()[0].flow),
        ("c", "kid")
    );
}
