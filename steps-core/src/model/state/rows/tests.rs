use proptest::prelude::*;

use super::*;
use crate::model::state::arbitrary;

fn row(id: u32, parent: u32, name: &str) -> NodeRow {
    let node = NodeData {
        name: name.to_owned().into(),
        ..NodeData::default()
    };
    NodeRow::new(id, parent, node)
}

fn build(rows: impl IntoIterator<Item = NodeRow>) -> Result<Option<State>, String> {
    State::from_rows(rows).map_err(|error| error.to_string())
}

fn drawn(state: &State) -> String {
    let below: Vec<_> = state.states.iter().map(drawn).collect();
    let row = state
        .row
        .get()
        .map_or("-".to_owned(), |row| row.to_string());
    format!("{}{row}({})", state.name, below.join(" "))
}

fn ids(rows: &[NodeRow]) -> Vec<(u32, u32)> {
    rows.iter().map(|row| (row.id, row.parent)).collect()
}

#[test]
fn rows_in_any_order_are_a_tree_and_the_later_of_two_counts() {
    let rows = [
        row(9, 4, "d"),
        row(2, 0, "old"),
        row(4, 0, "c"),
        row(0, 0, "f"),
        row(3, 4, "b"),
        row(2, 0, "a"),
    ];
    let state = build(rows).unwrap().unwrap();
    assert_eq!(drawn(&state), "f0(a2() c4(b3() d9()))");
    assert_eq!(build([]), Ok(None));
}

#[test]
fn rows_that_are_no_tree_are_refused() {
    let root = || row(0, 0, "f");
    let error = |rows: Vec<NodeRow>| build(rows).unwrap_err();
    assert_eq!(
        error(vec![row(1, 0, "a")]),
        "row 1: the root's row, 0, is missing"
    );
    assert_eq!(
        error(vec![root(), row(1, 7, "a")]),
        "row 1: the row above it, 7, is missing"
    );
    assert_eq!(
        error(vec![root(), row(1, 1, "a")]),
        "row 1: it stands below itself"
    );
    assert_eq!(
        error(vec![root(), row(1, 2, "a"), row(2, 1, "b"), row(3, 0, "c")]),
        "row 1: it stands below itself"
    );
    let chain = |n: u32| (0..n).map(|id| row(id, id.saturating_sub(1), "x"));
    assert!(build(chain(48)).is_ok());
    let error = build(chain(100_000)).unwrap_err();
    assert!(
        error.ends_with("x.x: more than 48 levels of nodes, the limit"),
        "{error}"
    );
    let limits = Limits::DEFAULT.nodes(2);
    let error = State::from_rows_with(chain(3), &limits).unwrap_err();
    assert_eq!(error.to_string(), "the root: more than 2 nodes, the limit");
}

#[test]
fn many_rows_take_no_longer_for_each() {
    let many = 200_000;
    let rows = (0..many).rev().map(|id| row(id, 0, "x"));
    let state = build(rows).unwrap().unwrap();
    assert_eq!(state.states.len(), many as usize - 1);
    assert_eq!(state.to_rows().len(), many as usize);
}

#[test]
fn a_changed_tree_keeps_the_rows_it_can() {
    let rows = [
        row(0, 0, "f"),
        row(2, 0, "a"),
        row(5, 2, "b"),
        row(7, 0, "c"),
    ];
    let mut state = build(rows).unwrap().unwrap();
    assert_eq!(ids(&state.to_rows()), [(0, 0), (2, 0), (5, 2), (7, 0)]);
    // One node is new, and one is gone.
    state.states[0].states.push(State::default());
    state.states.pop();
    assert_eq!(ids(&state.to_rows()), [(0, 0), (2, 0), (5, 2), (6, 2)]);
    // One node is out of the order of the row numbers, and one number appears twice.
    state.states.insert(0, State::default());
    let twice = state.states[1].clone();
    state.states.push(twice);
    let rows = state.to_rows();
    let mut all: Vec<_> = rows.iter().map(|row| row.id).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), rows.len(), "{rows:?}");
    assert_eq!(build(rows).unwrap().unwrap(), state);
    // The numbers never run out.
    state.states[0].row = Row::new(u32::MAX);
    assert_eq!(build(state.to_rows()).unwrap().unwrap(), state);
}

#[test]
fn what_changes_a_state_takes_the_roots_row() {
    let failed = State::from_json(
        r#"{"name":"f","err":"no","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:02Z","states":[
            {"name":"a","err":"no","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:02Z"}]}"#,
    )
    .unwrap();
    let mut state = build(failed.to_rows()).unwrap().unwrap();
    assert_eq!(state.row.get(), Some(0));
    state.recover().unwrap();
    assert_eq!(state.row.get(), None);
    assert_eq!(state.states[0].row.get(), Some(1));
}

proptest! {
    #[test]
    fn a_state_is_the_same_after_rows(state in arbitrary::state(), shuffle in any::<u64>()) {
        let mut rows = state.to_rows();
        let mut seed = shuffle | 1;
        rows.sort_by_cached_key(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 33
        });
        let back = State::from_rows(rows).unwrap().unwrap();
        prop_assert_eq!(&back, &state);
        // The second time, all nodes keep their numbers.
        let (first, again) = (ids(&state.to_rows()), ids(&back.to_rows()));
        prop_assert_eq!(first, again);
    }
}
