use proptest::prelude::*;

use crate::model::{
    state::{
        Kind, State, StateError, arbitrary,
        recover::tests::{node, read, shape, step},
    },
    status::Status,
};

/// Resets a copy of the tree: its shape then, or the path and status of what is in the way.
fn reset(state: &State, path: &str) -> Result<String, (String, Status)> {
    let mut changed = state.clone();
    match changed.reset(path) {
        Ok(_) => Ok(shape(&changed)),
        Err(StateError::Refused {
            path: other,
            status,
            why,
        }) => {
            assert_eq!(&changed, state, "a refusal changes nothing");
            assert!(why.contains(&format!("with `{path}`: `{other}`")), "{why}");
            Err((other, status))
        }
        Err(other) => panic!("{other}"),
    }
}

fn in_the_way(path: &str, status: Status) -> Result<String, (String, Status)> {
    Err((path.to_owned(), status))
}

#[test]
fn claim_retry_from_a_step_behind_one_that_was_undone_is_refused() {
    for root in [Status::Undone, Status::Stuck, Status::Stopped] {
        let a = match root {
            Status::Undone => Status::Undone,
            Status::Stuck => Status::UndoFailed,
            _ => Status::Waiting,
        };
        let below = vec![
            step("a", a),
            step("b", Status::Undone),
            step("c", Status::Failed),
        ];
        let state = node("f", Kind::Flow, root, below);
        assert_eq!(reset(&state, "c"), in_the_way("a", a));
        assert_eq!(reset(&state, "b"), in_the_way("a", a));
        assert_eq!(
            reset(&state, "a").unwrap(),
            "f:running[a:pending b:pending c:pending]"
        );
    }
}

/// What the failure of an optional line leaves behind is passed over before a later line begins.
#[test]
fn a_failure_that_was_passed_over_is_not_in_the_way_and_another_is() {
    let mut group = node(
        "g",
        Kind::Group,
        Status::Undone,
        vec![step("x", Status::Undone)],
    );
    group.errors.push("x: no".to_owned());
    let state = |c, root| {
        let below = vec![step("a", Status::Failed), group.clone(), step("c", c)];
        node("f", Kind::Flow, root, below)
    };
    let begun = state(Status::Failed, Status::Failed);
    assert_eq!(
        reset(&begun, "c").unwrap(),
        "f:running[a:failed g:undone[x:undone] c:pending]"
    );
    let not_begun = state(Status::Skipped, Status::Failed);
    assert_eq!(reset(&not_begun, "c"), in_the_way("g", Status::Undone));
    assert_eq!(
        reset(&not_begun, "g").unwrap(),
        "f:running[a:failed g:pending[x:pending] c:pending]"
    );
}

#[test]
fn claim_retry_from_a_round_that_is_not_the_last_takes_the_later_rounds_away() {
    let round = |name| {
        let below = vec![
            step("n", Status::Done),
            step("pay", Status::Done),
            step("mail", Status::Done),
        ];
        let mut round = node(name, Kind::Round, Status::Done, below);
        round.decision = Some(name == "3");
        round
    };
    let rounds = vec![round("1"), round("2"), round("3")];
    let below = vec![
        node("l", Kind::Loop, Status::Done, rounds),
        step("z", Status::Done),
    ];
    let mut state = node("f", Kind::Flow, Status::Done, below);
    assert_eq!(
        reset(&state, "l.2.pay").unwrap(),
        "f:running[l:running[1:done[n:done pay:done mail:done] \
         2:running[n:done pay:pending mail:pending]] z:pending]"
    );
    assert_eq!(
        reset(&state, "l.1").unwrap(),
        "f:running[l:running[1:pending[n:pending pay:pending mail:pending]] z:pending]"
    );
    state.reset("l.3.mail").unwrap();
    assert_eq!(state.get("l.3").unwrap().decision, None);
}

#[test]
fn claim_retry_from_an_item_of_a_parallel_for_leaves_the_other_items() {
    let item = |name, status| {
        node(
            name,
            Kind::Item,
            status,
            vec![step("pay", status), step("mail", status)],
        )
    };
    let items = |last| {
        let items = vec![
            item("1", Status::Done),
            item("2", Status::Done),
            item("3", last),
        ];
        let below = vec![
            node("each", Kind::For, Status::Done, items),
            step("z", Status::Done),
        ];
        node("f", Kind::Flow, Status::Done, below)
    };
    let mut state = items(Status::Done);
    let later = "3:pending[pay:pending mail:pending]";
    let rest = "2:running[pay:done mail:pending]";
    let shape = |third| {
        format!("f:running[each:running[1:done[pay:done mail:done] {rest} {third}] z:pending]")
    };
    assert_eq!(reset(&state, "each.2.mail").unwrap(), shape(later));
    state.states[0].parallel = true;
    let done = "3:done[pay:done mail:done]";
    assert_eq!(reset(&state, "each.2.mail").unwrap(), shape(done));

    // Of several, in a `parallel` as well.
    let mut state = items(Status::Failed);
    (state.states[0].status, state.states[0].parallel) = (Status::Failed, true);
    assert_eq!(
        reset(&state, "each.2"),
        in_the_way("each.3", Status::Failed)
    );
    state.states[0].kind = Kind::Parallel;
    assert_eq!(
        reset(&state, "each.2"),
        in_the_way("each.3", Status::Failed)
    );
    state.states[0].status = Status::Done;
    assert!(reset(&state, "each.2").is_ok(), "it was passed over");
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

#[test]
fn a_damaged_line_that_needs_itself_is_cleared_with_what_is_below_it() {
    let mut state = read(
        r#"{"name":"f","states":[{"name":"p","kind":"parallel","states":[
            {"name":"a","kind":"group","needs":["a"],"states":[{"name":"b"}]}]}]}"#,
    );
    assert!(state.reset("p.a.b").is_ok());
    assert!(state.get("p.a.b").is_some());
}

proptest! {
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
