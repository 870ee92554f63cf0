use std::fmt::Write as _;

use proptest::prelude::*;

use crate::model::{
    state::{Kind, LimitKind, Limits, NodeData, State, StateError, Until, arbitrary},
    status::Status,
};

const GO: [&str; 3] = [
    include_str!("../../../../../tests/data/go-move-to-vpc-done.json"),
    include_str!("../../../../../tests/data/go-move-to-vpc-failed.json"),
    include_str!("../../../../../tests/data/go-move-to-vpc-pending.json"),
];

fn read(text: &str) -> State {
    State::from_json(text).unwrap()
}

fn error(text: &str) -> String {
    State::from_json(text).unwrap_err().to_string()
}

#[test]
fn the_go_files_load() {
    let [done, failed, pending] = GO.map(read);
    assert_eq!(done.walk().count(), 10);
    assert!(
        done.walk()
            .all(|(_, node)| node.status == Status::Done && node.kind == Kind::Step)
    );

    assert_eq!(failed.errors.len(), 2);
    assert_eq!(
        failed.get("preFlight.chkNetwork").unwrap().errors,
        ["Can't check network"]
    );
    assert!(failed.failed("preFlight.chkNetwork") && failed.succeeded("preFlight.chkAccount"));

    assert_eq!(pending.status, Status::Running);
    let network = pending.get("preFlight.chkNetwork").unwrap();
    let dead: Vec<String> = network.info.as_ref().unwrap().decode().unwrap();
    assert_eq!(dead, ["10.0.0.4", "10.0.0.9"]);
    assert_eq!((network.status, network.attempts), (Status::Running, 1));
}

#[test]
fn a_bare_node_is_pending() {
    let state =
        read(r#"{"name":"f","err":null,"errs":null,"states":null,"status":null,"undo":null}"#);
    let expected = NodeData {
        name: "f".into(),
        ..NodeData::default()
    };
    assert_eq!(state, expected.into());
}

#[test]
fn of_a_node_that_stands_twice_the_later_counts() {
    let state =
        read(r#"{"name":"f","states":[{"name":"a","info":1},{"name":"b"},{"name":"a","info":2}]}"#);
    let names: Vec<_> = state.states.iter().map(|state| &*state.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(state.states[0].info.as_ref().unwrap().get(), "2");

    let mut many = String::from(r#"{"name":"f","states":[{"name":"7","info":"old"}"#);
    for i in 0..100 {
        let _ = write!(many, r#",{{"name":"{i}"}}"#);
    }
    many.push_str("]}");
    let state = read(&many);
    assert_eq!(state.states.len(), 100);
    assert!(state.get("7").unwrap().info.is_none());
}

#[test]
fn errors_are_kept_from_both_forms() {
    for (fields, errors) in [
        (r#""err":"a""#, &["a"][..]),
        (r#""errs":["a","b"]"#, &["a", "b"]),
        (r#""err":"a; b","errs":["a","b"]"#, &["a", "b"]),
        (r#""err":"c","errs":["a","b"]"#, &["c", "a", "b"]),
        (r#""err":"a","errs":[]"#, &["a"]),
        (r#""err":"","errs":["a"]"#, &["a"]),
    ] {
        assert_eq!(
            read(&format!(r#"{{"name":"f",{fields}}}"#)).errors,
            errors,
            "{fields}"
        );
    }
}

#[test]
fn unknown_fields_are_kept() {
    let text = r#"{"name":"f","info":null,"err":"","startedAt":null,"doneAt":null,"until":"signal","tags":{"a": [1]},"Name":null,"states":[]}"#;
    let state = read(text);
    assert_eq!(state.until, Some(Until::Signal));
    assert_eq!(state.extra.len(), 2);
    assert_eq!(state.to_json(), text);
}

#[test]
fn a_state_can_stand_in_another_document() {
    let states: Vec<State> = serde_json::from_str(r#"[{"name":"a"},{"name":"b"}]"#).unwrap();
    assert_eq!(states.len(), 2);
    let value = serde_json::json!({"name": "f", "info": {"b": 1}, "states": [{"name": "a"}]});
    assert_eq!(
        serde_json::from_value::<State>(value).unwrap().states.len(),
        1
    );
    let error = serde_json::from_str::<State>(r#"{"name":"f","states":[{"name":"a.b","err":7}]}"#);
    assert_eq!(
        error.unwrap_err().to_string(),
        r"a\.b, err: invalid type: integer `7`, expected a string at line 1 column 43",
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, message) in [
        ("", "the root: EOF while parsing a value (line 1, column 0)"),
        (
            "[]",
            "the root: invalid type: sequence, expected a node, which is an object (line 1, column 0)",
        ),
        ("{}", "the root: the node has no `name` (line 1, column 2)"),
        (
            r#"{"name":"f"} x"#,
            "the root: trailing characters (line 1, column 14)",
        ),
        (
            r#"{"name":7}"#,
            "the root, `name`: invalid type: integer `7`, expected a string (line 1, column 9)",
        ),
        (
            r#"{"name":"f","states":[{"name":"a"},{"info":1}]}"#,
            "#1: the node has no `name` (line 1, column 45)",
        ),
        (
            r#"{"name":"f","states":[{"name":"a","states":[7]}]}"#,
            "a.#0: invalid type: integer `7`, expected a node, which is an object (line 1, column 45)",
        ),
        (
            r#"{"name":"f","states":[{"name":"a","info":1,"info":2}]}"#,
            "a, `info`: the field stands twice (line 1, column 49)",
        ),
        (
            "{\"name\":\"f\",\"states\":[{\"name\":\"a\",\n\"startedAt\":\"soon\"}]}",
            "a, `startedAt`: `soon` is no RFC 3339 time",
        ),
        (
            r#"{"name":"f","states":[{"name":"a","status":"finished"}]}"#,
            "a, `status`: unknown status `finished`, known are pending, running, waiting, done, failed, skipped, undoing, undone, undo_failed, stuck, stopped (line 1",
        ),
        (
            r#"{"name":"f","kind":"while"}"#,
            "the root, `kind`: unknown kind `while`, known are step, group,",
        ),
        (
            r#"{"name":"f","until":"never"}"#,
            "the root, `until`: `never` is neither `signal`, `child` nor",
        ),
        (
            r#"{"name":"f","attempts":-1}"#,
            "the root, `attempts`: invalid value: integer `-1`, expected u32",
        ),
        (
            r#"{"name":"f","undo":{"why":1}}"#,
            "the root, `undo`: unknown field `why`, expected one of `err`",
        ),
        (
            r#"{"name":"f","status":"done"}"#,
            "the root: the status is `done`, but `doneAt` is null (line 1, column 28)",
        ),
        (
            r#"{"name":"f","status":"running","doneAt":"2026-01-01T00:00:00Z"}"#,
            "the root: the status is `running`, but `doneAt` is set",
        ),
        (
            r#"{"name":"f","status":"done","err":"x","doneAt":"2026-01-01T00:00:00Z"}"#,
            "the root: the status is `done`, but there is an error",
        ),
        (
            r#"{"name":"f","states":[{"name":"a","states":[{"name":"b","err":"cut o"#,
            "a.b, `err`: EOF while parsing a string (line 1, column 68)",
        ),
    ] {
        let error = error(text);
        assert!(error.starts_with(message), "{text}\n {error}\n {message}");
    }
    assert!(matches!(
        State::from_slice(b"{\"name\":\"\xff\"}"),
        Err(StateError::Invalid { column: 10, .. }),
    ));
}

fn nested(levels: usize) -> String {
    r#"{"name":"a","states":["#.repeat(levels) + &"]}".repeat(levels)
}

#[test]
fn deep_documents_are_refused_or_take_no_stack() {
    assert_eq!(read(&nested(48)).walk().count(), 48);
    let deepest = Limits::default().depth(1000);
    assert_eq!(deepest.depth, Limits::MAX_DEPTH);
    assert!(State::from_json_with(&nested(60), &deepest).is_ok());
    for levels in [49, 10_000] {
        match State::from_json(&nested(levels)).unwrap_err() {
            StateError::Limit { path, limit, max } => {
                assert_eq!((limit, max), (LimitKind::Depth, 48));
                assert_eq!(path, format!("{}#0", "a.".repeat(47)));
            }
            other => panic!("{other}"),
        }
        let error = serde_json::from_str::<State>(&nested(levels))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("#0: more than 48 levels of nodes, the limit"),
            "{error}"
        );
    }
    for field in ["info", "output", "unheard"] {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let text = format!(r#"{{"name":"f","{field}":{deep}}}"#);
        let state = read(&text);
        assert_eq!(read(&state.to_json()), state);
        let objects = format!(r#"{{"name":"f","{field}":{}"#, r#"{"a":"#.repeat(10_000));
        assert!(error(&objects).contains("EOF"), "{field}");
    }
    assert!(error(&format!(r#"{{"name":"f","undo":{}"#, "[".repeat(10_000))).contains("undo"));
}

#[test]
fn nodes_and_bytes_are_counted() {
    let limits = Limits::default().nodes(10);
    assert!(State::from_json_with(GO[0], &limits).is_ok());
    let few = Limits::default().nodes(4);
    let error = State::from_json_with(GO[0], &few).unwrap_err().to_string();
    assert_eq!(error, "#1: more than 4 nodes, the limit");

    let short = Limits::default().bytes(100);
    let error = State::from_slice_with(GO[0].as_bytes(), &short)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "the root: more than 100 bytes, the limit");
    let error = State::from_reader_with(&mut std::io::repeat(b' '), &short).unwrap_err();
    assert!(matches!(
        error,
        StateError::Limit {
            limit: LimitKind::Bytes,
            ..
        }
    ));
    assert!(State::from_reader_with(&mut GO[0].as_bytes(), &Limits::DEFAULT).is_ok());
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(state in arbitrary::state()) {
        prop_assert_eq!(&read(&state.to_json()), &state);
        prop_assert_eq!(&read(&state.to_json_pretty()), &state);
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = State::from_slice(&bytes);
    }

    #[test]
    fn any_truncation_is_an_error(state in arbitrary::state(), at in any::<prop::sample::Index>()) {
        let text = state.to_json();
        prop_assert!(State::from_slice(&text.as_bytes()[..at.index(text.len())]).is_err());
    }

    #[test]
    fn any_damage_gives_an_answer(
        state in arbitrary::state(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        swap in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let mut text = state.to_json().into_bytes();
        let length = text.len();
        for (at, byte) in damage {
            text[at.index(length)] = byte;
        }
        text.swap(swap.0.index(length), swap.1.index(length));
        if let Ok(state) = State::from_slice(&text) {
            prop_assert_eq!(read(&state.to_json()), state);
        }
    }
}
