use proptest::prelude::*;

use crate::model::state::{State, arbitrary, path};

fn read(text: &str) -> State {
    State::from_json(text).unwrap()
}

#[test]
fn the_go_files_answer_by_path() {
    let mut state = read(include_str!(
        "../../../../../tests/data/go-move-to-vpc-pending.json"
    ));
    assert!(state.has("initialize.initialize CVM") && !state.has("inFlight"));
    assert!(state.started("preFlight.chkNetwork") && state.proceeding("preFlight.chkNetwork"));
    assert!(state.proceeding("") && state.succeeded("initialize"));
    assert!(!state.started("inFlight") && !state.failed("inFlight"));
    assert_eq!(state.last_path().as_deref(), Some("preFlight.chkNetwork"));
    let result = state.get("preFlight.chkAccount").unwrap().result();
    assert_eq!(
        result.unwrap().get(),
        "\"check whether account usable or not\""
    );
    assert!(
        state
            .get("preFlight.chkNetwork")
            .unwrap()
            .result()
            .is_none()
    );

    state.get_mut("preFlight.chkNetwork").unwrap().name = "10.0.0.4".into();
    assert!(state.has(r"preFlight.10\.0\.0\.4"));
    assert_eq!(state.last_path().as_deref(), Some(r"preFlight.10\.0\.0\.4"));
}

#[test]
fn nothing_begun_has_no_last_path() {
    assert_eq!(
        read(r#"{"name":"f","states":[{"name":"a"}]}"#).last_path(),
        None
    );
}

proptest! {
    #[test]
    fn every_node_of_a_walk_is_found_at_its_path(mut state in arbitrary::state()) {
        let mut count = 0;
        for (path, node) in state.walk() {
            prop_assert!(std::ptr::eq(state.get(&path).unwrap(), node));
            count += 1;
        }
        prop_assert_eq!(count, size(&state));
        let paths: Vec<String> = state.walk().map(|(path, _)| path).collect();
        for path in &paths {
            prop_assert!(state.get_mut(path).is_some());
        }
        if let Some(last) = state.last_path() {
            let began = state.get(&last).unwrap().started_at;
            prop_assert!(state.walk().skip(1).all(|(_, node)| node.started_at <= began));
        }
        let missing = path::join(["nobody"]);
        prop_assert!(!state.has(&missing));
    }
}

fn size(state: &State) -> usize {
    1 + state.states.iter().map(size).sum::<usize>()
}
