//! State to JSON and back, compared with `serde_json` on a plain struct of the same JSON: once with
//! times parsed, as in a state, and once with times kept as text.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use steps::State;

use crate::{
    measure::{Subject, fastest},
    table::{Row, Table},
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
struct Plain<T> {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    info: Option<Box<RawValue>>,
    err: String,
    started_at: Option<T>,
    done_at: Option<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(default)]
    states: Vec<Plain<T>>,
}

/// Returns groups of ten finished steps, each with an output.
fn document(groups: usize) -> String {
    let times =
        r#""startedAt":"2026-11-22T04:41:15.824835996Z","doneAt":"2026-11-22T04:41:15.824837548Z""#;
    let mut text = format!(r#"{{"name":"attach_volume","info":null,"err":"",{times},"states":["#);
    for group in 0..groups {
        let comma = if group == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"name":"group{group}","kind":"group","info":null,"err":"",{times},"states":["#
        );
        for step in 0..10 {
            let comma = if step == 0 { "" } else { "," };
            let _ = write!(
                text,
                r#"{comma}{{"name":"step{step}","info":null,"err":"",{times},"output":{{"id":"vm-{step}","size":{group}}},"states":[]}}"#
            );
        }
        text.push_str("]}");
    }
    text.push_str(r#"],"kind":"flow"}"#);
    text
}

pub(crate) fn rows(table: &mut Table) {
    const GROUPS: usize = 100;
    const NODES: usize = 1 + GROUPS * 11;
    if !table.wants("json") {
        return;
    }
    // Use our own output, so that both sides read the same text.
    let state = State::from_json(&document(GROUPS)).expect("the document is a state");
    let text = state.to_json();
    against::<jiff::Timestamp>(table, &state, &text, NODES, "times as times", Some(1.5));
    against::<String>(table, &state, &text, NODES, "times left as text", None);
}

fn against<T: Serialize + DeserializeOwned>(
    table: &mut Table,
    state: &State,
    text: &str,
    nodes: usize,
    floor: &str,
    most_ratio: Option<f64>,
) {
    let plain: Plain<T> = serde_json::from_str(text).expect("the plain struct has all its fields");
    let plain_text = serde_json::to_string(&plain).expect("the plain struct can be written");
    assert_eq!(plain_text.len(), text.len(), "{text}\n{plain_text}");
    let mut row = |what: &str, [floor_ns, ours]: [f64; 2], go: f64| {
        table.row(Row {
            what: format!("state {what} JSON, per node; floor with {floor}"),
            ours,
            floor: Some(floor_ns),
            most_ratio,
            go: Some(go),
            ..Row::default()
        });
    };
    let to = fastest([
        Subject::new(nodes, || serde_json::to_string(&plain)),
        Subject::new(nodes, || state.to_json()),
    ]);
    row("to", to, 950.0);
    let from = fastest([
        Subject::new(nodes, || serde_json::from_str::<Plain<T>>(text)),
        Subject::new(nodes, || State::from_json(text)),
    ]);
    row("from", from, 1700.0);
}
