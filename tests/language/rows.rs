//! A journal with a row for each node: the rows stay the same from run to run, whatever the form,
//! and also when the program has changed in between.

use std::{collections::BTreeMap, sync::Arc};

use steps::{
    Flow, Run, State, Status,
    prelude::*,
    testing::{Injected, Lab, Recorder},
};

use crate::support::{act, num, pass, read, ready};

mod v1 {
    use super::*;

    #[flow(name = "rows")]
    pub(super) async fn flow(lab: &Lab) -> Result<u32, Injected> {
        steps! {
            a = act(lab, "a");
            each = for n in [1_u32, 2, 3] by n {
                b = num(lab, n);
                held = ready(lab, &format!("go {n}"));
                c = num(lab, n + 10);
            }
            turns = loop { d = num(lab, prev.map_or(0, |prev| prev.d + 1)); wait = ready(lab, "turn"); } until d > 1;
            choice = if a == "a" { e = num(lab, 5); }
            at_once = parallel { f = act(lab, "f"); g = ready(lab, "go g"); h = act(lab, "h"); }
            nested = flow inner(lab);
            last = num(lab, 99);
        }
        let _ = (each, turns, choice, at_once, nested);
        Ok(last)
    }
}

mod v2 {
    use super::*;

    /// A step has another name, and there is a new one between the others.
    #[flow(name = "rows")]
    pub(super) async fn flow(lab: &Lab) -> Result<u32, Injected> {
        steps! {
            #[step(alias = "a")]
            first = act(lab, "a");
            each = for n in [1_u32, 2, 3] by n {
                b = num(lab, n);
                held = ready(lab, &format!("go {n}"));
                c = num(lab, n + 10);
            }
            turns = loop { d = num(lab, prev.map_or(0, |prev| prev.d + 1)); wait = ready(lab, "turn"); } until d > 1;
            new = num(lab, 20);
            choice = if first == "a" { e = num(lab, 5); }
            at_once = parallel { f = act(lab, "f"); g = ready(lab, "go g"); h = act(lab, "h"); }
            nested = flow inner(lab);
            last = num(lab, 99);
        }
        let _ = (each, turns, choice, at_once, nested);
        Ok(last)
    }
}

mod v3 {
    use super::*;

    /// A step has another name, and there is a new one at once with others.
    #[flow(name = "rows")]
    pub(super) async fn flow(lab: &Lab) -> Result<u32, Injected> {
        steps! {
            #[step(alias = "a")]
            first = act(lab, "a");
            each = for n in [1_u32, 2, 3] by n {
                b = num(lab, n);
                held = ready(lab, &format!("go {n}"));
                c = num(lab, n + 10);
            }
            turns = loop { d = num(lab, prev.map_or(0, |prev| prev.d + 1)); wait = ready(lab, "turn"); } until d > 1;
            choice = if first == "a" { e = num(lab, 5); }
            at_once = parallel { f = act(lab, "f"); new = act(lab, "new"); g = ready(lab, "go g"); h = act(lab, "h"); }
            nested = flow inner(lab);
            last = num(lab, 99);
        }
        let _ = (each, turns, choice, at_once, nested);
        Ok(last)
    }
}

#[flow]
async fn inner(lab: &Lab) -> Result<(), Injected> {
    steps! { i = num(lab, 50); wait = ready(lab, "go inner"); j = num(lab, 51); }
    let _ = (i, wait, j);
    Ok(())
}

/// One pass in a process of its own, from the rows and to the rows.
async fn process<F: Flow>(rows: &mut Recorder, run: Run<'_, F>) -> State {
    let saved = rows.from_changes().unwrap();
    *rows = rows.reopen();
    let run = match saved {
        Some(saved) => run.resume(saved),
        None => run,
    };
    let pass = run.journal(Arc::new(rows.clone())).advance().await.unwrap();
    State::from(pass.state)
}

/// The nodes that have begun, in their order, apart from those beside one that is new.
fn begun(state: &State) -> Vec<(String, Status)> {
    let mut nodes: Vec<_> = state
        .walk()
        .filter(|(path, node)| node.status != Status::Pending && !path.contains("at_once"))
        .map(|(path, node)| (path, node.status))
        .collect();
    let mut at_once: Vec<_> = state
        .walk()
        .filter(|(path, node)| node.status != Status::Pending && path.contains("at_once"))
        .map(|(path, node)| (path, node.status))
        .collect();
    at_once.sort();
    nodes.append(&mut at_once);
    nodes
}

fn numbers(state: &State) -> BTreeMap<String, Option<u32>> {
    state
        .walk()
        .map(|(path, node)| (path, node.row.get()))
        .collect()
}

/// `second` is the flow from the pass on that comes after this many signs, up to the last of which
/// it fits what has begun.
async fn through<F: Flow>(last: usize, second: impl for<'l> Fn(&'l Lab) -> Run<'l, F>) {
    let signs = ["go 1", "go 2", "go 3", "turn", "go g", "go inner"];
    for change_at in 0..=last {
        let lab = Lab::new();
        let mut rows = Recorder::new();
        let mut before: BTreeMap<String, Option<u32>> = BTreeMap::new();
        for step in 0..=signs.len() {
            if let Some(sign) = step.checked_sub(1) {
                lab.act(signs[sign]).unwrap();
            }
            let state = if step < change_at {
                process(&mut rows, v1::flow(&lab)).await
            } else {
                process(&mut rows, second(&lab)).await
            };
            let sum = rows.from_changes().unwrap().unwrap();
            assert_eq!(
                begun(&sum),
                begun(&state),
                "step {step}, new at {change_at}"
            );
            let after = numbers(&sum);
            for (path, row) in &before {
                // The one that has another name now.
                let now = after.get(path).unwrap_or_else(|| &after["first"]);
                assert_eq!(now, row, "{path} has another row");
            }
            let count = after.len();
            let largest = after.values().flatten().max().copied();
            assert_eq!(largest, Some(count as u32 - 1), "no number is left out");
            before = after;
        }
        assert_eq!(rows.from_changes().unwrap().unwrap().status, Status::Done);
    }
}

#[tokio::test]
async fn a_node_has_the_same_row_in_every_run() {
    through(6, v1::flow).await;
}

#[tokio::test]
async fn a_node_has_the_same_row_after_the_flow_has_changed() {
    through(4, v2::flow).await;
    through(5, v3::flow).await;
}

mod less {
    use super::*;

    #[flow(name = "rows")]
    pub(super) async fn flow(lab: &Lab, n: u32) -> Result<(), Injected> {
        steps! { a = act(lab, "a"); held = ready(lab, "go"); }
        let _ = (a, held, n);
        Ok(())
    }
}

mod more {
    use super::*;

    #[flow(name = "rows")]
    pub(super) async fn flow(lab: &Lab, n: u32) -> Result<(), Injected> {
        steps! { a = act(lab, "a"); held = ready(lab, "go"); g = { x = num(lab, n); } }
        let _ = (a, held, g);
        Ok(())
    }
}

#[tokio::test]
async fn rows_of_what_the_flow_has_no_more_are_replaced() {
    let lab = Lab::new();
    let mut rows = Recorder::new();
    process(&mut rows, more::flow(&lab, 1)).await;
    let mut saved = rows.from_changes().unwrap().unwrap();
    // As a tool leaves it: begun once, and cleared.
    saved
        .states
        .push(State::from_json(r#"{"name":"g","states":[{"name":"x"}]}"#).unwrap());
    let run = more::flow(&lab, 1)
        .resume(saved)
        .journal(Arc::new(rows.clone()));
    let _ = run.advance().await.unwrap();
    let there = rows.from_changes().unwrap().unwrap();
    assert_eq!(numbers(&there).len(), 5, "{there:?}");
    process(&mut rows, less::flow(&lab, 1)).await;
    let there = rows.from_changes().unwrap().unwrap();
    let paths: Vec<_> = numbers(&there).into_keys().collect();
    assert_eq!(paths, ["", "a", "held"]);
}

#[tokio::test]
async fn a_new_input_is_in_the_first_batch() {
    let lab = Lab::new();
    let mut rows = Recorder::new();
    process(&mut rows, more::flow(&lab, 1)).await;
    let run = more::flow(&lab, 7)
        .replace_input()
        .label("project", "atlas");
    process(&mut rows, run).await;
    let root = rows.from_changes().unwrap().unwrap();
    assert_eq!(root.input.as_ref().unwrap().get(), r#"{"n":7}"#);
    assert_eq!(root.labels["project"], "atlas");
}

#[tokio::test]
async fn a_journal_is_told_all_of_a_state_that_has_no_rows() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, v1::flow(&lab)).await;
    let rows = Recorder::new();
    let run = v1::flow(&lab)
        .resume(read(&saved))
        .journal(Arc::new(rows.clone()));
    let pass = run.advance().await.unwrap();
    let sum = rows.from_changes().unwrap().unwrap();
    assert_eq!(begun(&sum), begun(pass.state.state()));
}
