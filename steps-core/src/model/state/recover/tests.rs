use proptest::prelude::*;

use crate::model::{
    state::{Kind, NodeData, State, StateError, arbitrary},
    status::Status,
};

pub(in crate::model::state) fn read(text: &str) -> State {
    State::from_json(text).unwrap()
}

/// Writes a tree as `name:status`, with the children in brackets.
pub(in crate::model::state) fn shape(state: &State) -> String {
    let below: Vec<_> = state.states.iter().map(shape).collect();
    let below = if below.is_empty() {
        String::new()
    } else {
        format!("[{}]", below.join(" "))
    };
    format!("{}:{}{below}", state.name, state.status)
}

pub(in crate::model::state) fn node(
    name: &'static str,
    kind: Kind,
    status: Status,
    below: Vec<State>,
) -> State {
    let node = NodeData {
        name: name.into(),
        kind,
        status,
        started_at: Some(jiff::Timestamp::UNIX_EPOCH),
        done_at: status.is_final().then_some(jiff::Timestamp::UNIX_EPOCH),
        attempts: 2,
        ..NodeData::default()
    };
    State {
        states: below,
        ..node.into()
    }
}

pub(in crate::model::state) fn step(name: &'static str, status: Status) -> State {
    node(name, Kind::Step, status, vec![])
}

#[test]
fn the_failed_go_file_goes_on_with_the_step_that_failed() {
    let failed = read(include_str!(
        "../../../../../tests/data/go-move-to-vpc-failed.json"
    ));
    let mut state = failed.clone();
    assert_eq!(state.recover().unwrap(), 3);
    assert_eq!(
        shape(&state),
        "MoveToVPC:running[initialize:done[initialize CVM:done initialize ENIs:done] \
         preFlight:running[chkAccount:done chkNetwork:pending]]",
    );
    assert_eq!(state.get("initialize"), failed.get("initialize"));
    for path in ["", "preFlight", "preFlight.chkNetwork"] {
        let node = state.get(path).unwrap();
        assert!(node.errors.is_empty() && node.done_at.is_none(), "{path}");
        assert_eq!(node.info, failed.get(path).unwrap().info, "{path}");
    }
    assert!(state.get("preFlight").unwrap().started_at.is_some());
    let network = state.get("preFlight.chkNetwork").unwrap();
    assert_eq!((network.started_at, network.attempts), (None, 0));
    assert_eq!(read(&state.to_json()), state);
    assert_eq!(state.recover().unwrap(), 0);
}

#[test]
fn what_was_undone_begins_anew() {
    let mut state = node(
        "f",
        Kind::Flow,
        Status::Undone,
        vec![
            step("readonly", Status::Done),
            node(
                "each",
                Kind::For,
                Status::Undone,
                vec![node(
                    "k",
                    Kind::Item,
                    Status::Undone,
                    vec![step("a", Status::Undone)],
                )],
            ),
            node(
                "g",
                Kind::Group,
                Status::Failed,
                vec![step("b", Status::Failed), step("c", Status::Skipped)],
            ),
        ],
    );
    state.input = Some(crate::base::json::Json::encode(&1).unwrap());
    state.states[1].input = state.input.clone();
    assert_eq!(state.recover().unwrap(), 7);
    assert_eq!(
        shape(&state),
        "f:running[readonly:done each:pending g:running[b:pending c:pending]]",
    );
    assert!(state.input.is_some() && state.states[1].input.is_none());
}

#[test]
fn a_stopped_execution_goes_on_where_it_was() {
    let below = || {
        vec![
            step("a", Status::Done),
            node("n", Kind::Flow, Status::Undoing, vec![]),
            step("b", Status::Waiting),
            step("c", Status::Failed),
            step("d", Status::Running),
        ]
    };
    let mut state = node("f", Kind::Flow, Status::Stopped, below());
    state.started_at = state.states[0].started_at;
    state.done_at = state.started_at;
    assert!(state.started_at.is_some());
    assert_eq!(state.recover().unwrap(), 1);
    assert_eq!(
        shape(&state),
        "f:running[a:done n:undoing b:waiting c:failed d:running]"
    );
    assert_eq!(state.done_at, None);

    let mut never_begun = node("f", Kind::Flow, Status::Stopped, vec![]);
    (never_begun.started_at, never_begun.done_at) = (None, state.started_at);
    assert_eq!(never_begun.recover().unwrap(), 1);
    assert_eq!(shape(&never_begun), "f:pending");
    assert_eq!(never_begun.done_at, None);
}

#[test]
fn claim_retry_from_a_stuck_execution_is_not_recovered_and_one_in_mid_rollback_is_left_alone() {
    let mut state = node(
        "f",
        Kind::Flow,
        Status::Stuck,
        vec![node(
            "p",
            Kind::Parallel,
            Status::Undoing,
            vec![
                step("a", Status::UndoFailed),
                step("b", Status::Undone),
                step("c", Status::Done),
            ],
        )],
    );
    let told = |error: StateError| match &error {
        StateError::Refused { path, status, why } => {
            assert_eq!(*why, error.to_string());
            (path.clone(), *status, why.clone())
        }
        other => panic!("{other:?}"),
    };
    let before = state.clone();
    let (path, status, why) = told(state.recover().unwrap_err());
    assert_eq!((&*path, status), ("p.a", Status::UndoFailed));
    assert!(why.contains("the undo of `p.a` failed"), "{why}");
    // A flow that is held, with a nested one that could not be undone.
    state.status = Status::Failed;
    let (path, ..) = told(state.recover().unwrap_err());
    assert_eq!(path, "p.a");
    // Its root itself could not be entered.
    state.status = Status::Stuck;
    state.states.clear();
    let (path, status, _) = told(state.recover().unwrap_err());
    assert_eq!((&*path, status), ("", Status::Stuck));

    let mut undoing = before;
    undoing.status = Status::Undoing;
    let before = undoing.clone();
    for error in [
        undoing.recover().unwrap_err(),
        undoing.reset("p").unwrap_err(),
    ] {
        let (path, status, why) = told(error);
        assert_eq!((&*path, status), ("", Status::Undoing));
        assert!(why.contains("being undone"), "{why}");
    }
    assert_eq!(undoing, before);
}

#[test]
fn what_rests_on_something_undone_is_done_anew() {
    let mut state = node(
        "f",
        Kind::Flow,
        Status::Undone,
        vec![
            step("lookup", Status::Done),
            node(
                "both",
                Kind::Parallel,
                Status::Undone,
                vec![step("a", Status::Undone), step("b", Status::Done)],
            ),
            step("wait", Status::Done),
            step("last", Status::Failed),
        ],
    );
    state.recover().unwrap();
    for (path, status) in [
        ("lookup", Status::Done),
        ("both.a", Status::Pending),
        ("both.b", Status::Done),
        ("wait", Status::Pending),
        ("last", Status::Pending),
    ] {
        assert_eq!(
            state.get(path).map(|node| node.status),
            Some(status),
            "{path}"
        );
    }
}

#[test]
fn an_optional_failure_below_what_is_done_stays() {
    let mut state = node(
        "f",
        Kind::Flow,
        Status::Failed,
        vec![
            node(
                "g",
                Kind::Group,
                Status::Done,
                vec![step("optional", Status::Failed)],
            ),
            step("b", Status::Failed),
        ],
    );
    assert_eq!(state.recover().unwrap(), 2);
    assert_eq!(
        shape(&state),
        "f:running[g:done[optional:failed] b:pending]"
    );
}

#[test]
fn a_flow_whose_steps_are_all_done_but_failed_after_them_keeps_them() {
    let mut state = node(
        "f",
        Kind::Flow,
        Status::Failed,
        vec![step("a", Status::Done)],
    );
    assert_eq!(state.recover().unwrap(), 1);
    assert_eq!(shape(&state), "f:running[a:done]");
}

proptest! {
    #[test]
    fn recovered_states_have_nothing_to_recover_and_can_be_saved(mut state in arbitrary::state()) {
        let before = state.clone();
        let Ok(count) = state.recover() else {
            prop_assert_eq!(&state, &before);
            return Ok(());
        };
        prop_assert_eq!(count == 0, state == before);
        prop_assert_eq!(&read(&state.to_json()), &state);
        // A failure from before the stop is cleared by a second call.
        if before.status == Status::Stopped {
            let _ = state.recover();
        }
        prop_assert_eq!(state.recover().unwrap_or(0), 0);
    }
}
