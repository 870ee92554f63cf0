//! State to JSON and back, against `serde_json` on a plain struct of the same JSON with its times
//! as text.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use steps::State;

use crate::{
    measure::{Subject, fastest},
    table::{Row, Table},
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plain {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    info: Option<Box<RawValue>>,
    err: String,
    started_at: Option<String>,
    done_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(default)]
    states: Vec<Plain>,
}

/// Groups of ten steps that are done, with an output each.
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
    // What we write, so that both have the same text to read.
    let state = State::from_json(&document(GROUPS)).expect("the document is a state");
    let text = state.to_json();
    let plain: Plain = serde_json::from_str(&text).expect("the plain struct has all its fields");
    let plain_text = serde_json::to_string(&plain).expect("the plain struct can be written");
    assert_eq!(plain_text.len(), text.len(), "{text}\n{plain_text}");

    let [floor, ours] = fastest([
        Subject::new(NODES, || serde_json::to_string(&plain)),
        Subject::new(NODES, || state.to_json()),
    ]);
    row(table, "state to JSON, per node", ours, floor, 950.0);
    let [floor, ours] = fastest([
        Subject::new(NODES, || serde_json::from_str::<Plain>(&text)),
        Subject::new(NODES, || State::from_json(&text)),
    ]);
    row(table, "state from JSON, per node", ours, floor, 1700.0);
}

fn row(table: &mut Table, what: &str, ours: f64, floor: f64, go: f64) {
    table.row(Row {
        what: what.to_owned(),
        ours,
        floor: Some(floor),
        most_ratio: Some(1.5),
        go: Some(go),
        ..Row::default()
    });
}
