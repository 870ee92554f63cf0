use proptest::prelude::*;

use crate::model::{
    state::{Kind, NodeData, State, StateError, arbitrary},
    status::Status,
};

fn read(text: &str) -> State {
    State::from_json(text).unwrap()
}

/// Writes a tree as `name:status`, with the children in brackets.
fn shape(state: &State) -> String {
    let below: Vec<_> = state.states.iter().map(shape).collect();
    let below = if below.is_empty() {
        String::new()
    } else {
        format!("[{}]", below.join(" "))
    };
    format!("{}:{}{below}", state.name, state.status)
}

fn node(name: &'static str, kind: Kind, status: Status, below: Vec<State>) -> State {
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

fn step(name: &'static str, status: Status) -> State {
    node(name, Kind::Step, status, vec![])
}

#[test]
fn the_failed_go_file_goes_on_with_the_step_that_failed() {
    let failed = read(include_str!(
        "../../../../../tests/data/go-move-to-vpc-failed.json"
    ));
    let mut state = failed.clone();
    assert_eq!(state.recover(), 3);
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
    assert_eq!(state.recover(), 0);
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
    assert_eq!(state.recover(), 7);
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
    assert_eq!(state.recover(), 1);
    assert_eq!(
        shape(&state),
        "f:running[a:done n:undoing b:waiting c:failed d:running]"
    );
    assert_eq!(state.done_at, None);

    let mut never_begun = node("f", Kind::Flow, Status::Stopped, vec![]);
    (never_begun.started_at, never_begun.done_at) = (None, state.started_at);
    assert_eq!(never_begun.recover(), 1);
    assert_eq!(shape(&never_begun), "f:pending");
    assert_eq!(never_begun.done_at, None);
}

#[test]
fn a_stuck_execution_runs_again_and_one_in_mid_rollback_is_left_alone() {
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
    let mut undoing = state.clone();
    assert_eq!(state.recover(), 4);
    assert_eq!(
        shape(&state),
        "f:running[p:running[a:pending b:pending c:done]]"
    );

    undoing.status = Status::Undoing;
    let before = undoing.clone();
    assert_eq!(undoing.recover(), 0);
    assert!(matches!(
        undoing.reset("p"),
        Err(StateError::Illegal { .. })
    ));
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
    state.recover();
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
    assert_eq!(state.recover(), 2);
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
    assert_eq!(state.recover(), 1);
    assert_eq!(shape(&state), "f:running[a:done]");
}

#[test]
fn a_reset_clears_the_node_and_what_comes_after() {
    let flow = || {
        node(
            "f",
            Kind::Flow,
            Status::Done,
            vec![
                step("a", Status::Done),
                node(
                    "p",
                    Kind::Parallel,
                    Status::Done,
                    vec![
                        step("x", Status::Done),
                        node(
                            "y",
                            Kind::Group,
                            Status::Done,
                            vec![step("m", Status::Done), step("n", Status::Done)],
                        ),
                        step("z", Status::Done),
                    ],
                ),
                node(
                    "l",
                    Kind::Loop,
                    Status::Done,
                    vec![node("1", Kind::Round, Status::Done, vec![])],
                ),
            ],
        )
    };
    let mut state = flow();
    assert_eq!(state.reset("p.y.n").unwrap(), 6);
    assert_eq!(
        shape(&state),
        "f:running[a:done p:running[x:done y:running[m:done n:pending] z:done] l:pending]",
    );
    let mut state = flow();
    assert_eq!(state.reset("").unwrap(), 10);
    assert_eq!(
        shape(&state),
        "f:pending[a:pending p:pending[x:pending y:pending[m:pending n:pending] z:pending] l:pending]",
    );
    let mut state = flow();
    assert_eq!(
        state.reset("p.q").unwrap_err().to_string(),
        "there is no node `p.q`"
    );
    assert_eq!(state, flow());
}

proptest! {
    #[test]
    fn recovered_states_have_nothing_to_recover_and_can_be_saved(mut state in arbitrary::state()) {
        let before = state.clone();
        let count = state.recover();
        prop_assert_eq!(count == 0, state == before);
        prop_assert_eq!(&read(&state.to_json()), &state);
        // A failure from before the stop is cleared by a second call.
        if before.status == Status::Stopped {
            state.recover();
        }
        prop_assert_eq!(state.recover(), 0);
    }

    #[test]
    fn any_node_can_be_reset(state in arbitrary::state()) {
        for (path, _) in state.walk() {
            let mut reset = state.clone();
            if reset.reset(&path).is_ok() {
                let node = reset.get(&path).unwrap();
                prop_assert!(node.status == Status::Pending);
                prop_assert_eq!(read(&reset.to_json()), reset);
            } else {
                prop_assert_eq!(&reset, &state);
            }
        }
    }
}
