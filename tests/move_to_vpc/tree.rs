//! What a saved tree says, in the library's form or in the Go program's.

use serde_json::{Value, json};

/// The steps without steps below them, in order, each with its group.
pub(crate) const STEPS: [(&str, &str); 6] = [
    ("initialize", "initialize CVM"),
    ("initialize", "initialize ENIs"),
    ("preFlight", "chkAccount"),
    ("preFlight", "chkNetwork"),
    ("inFlight", "migrateInstances"),
    ("inFlight", "cloneENIs"),
];

/// The child of a node, if it is there.
pub(crate) fn find<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    node["states"]
        .as_array()?
        .iter()
        .find(|child| child["name"] == name)
}

/// Whether a node has begun and ended without an error.
pub(crate) fn succeeded(node: &Value) -> bool {
    node["startedAt"].is_string() && node["doneAt"].is_string() && errors(node).is_empty()
}

/// Whether a node has begun at all.
pub(crate) fn began(node: Option<&Value>) -> bool {
    node.is_some_and(|node| node["startedAt"].is_string())
}

/// What is recorded as its error, in either form.
pub(crate) fn errors(node: &Value) -> String {
    match (&node["err"], &node["errs"]) {
        (Value::String(err), _) => err.clone(),
        (_, Value::Array(errs)) if !errs.is_empty() => json!(errs).to_string(),
        _ => String::new(),
    }
}

pub(crate) fn assert_all_succeeded(state: &Value) {
    assert!(succeeded(state), "{state:#}");
    for (group, step) in STEPS {
        let group = find(state, group).expect(group);
        assert!(succeeded(group), "{group:#}");
        assert!(succeeded(find(group, step).expect(step)), "{group:#}");
    }
}

/// The start and end of a step in a saved tree.
pub(crate) fn times(state: &Value, group: &str, step: &str) -> (Value, Value) {
    let node = find(find(state, group).expect(group), step).expect(step);
    (node["startedAt"].clone(), node["doneAt"].clone())
}

/// The steps that were done before are the same to the nanosecond: they did not run again.
pub(crate) fn assert_kept(before: &Value, after: &Value, steps: &[(&str, &str)]) {
    for &(group, step) in steps {
        assert_eq!(
            times(before, group, step),
            times(after, group, step),
            "{step} ran again"
        );
    }
}

/// The names of a tree, nested.
pub(crate) fn names(node: &Value) -> Value {
    let below = node["states"]
        .as_array()
        .map(|all| all.iter().map(names).collect::<Vec<_>>());
    json!([node["name"], below.unwrap_or_default()])
}
