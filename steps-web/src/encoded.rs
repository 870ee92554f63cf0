//! What stands in place of values that can't be decoded here: where a store is looked at without the codec of its
//! service, they are shown as such.

use steps::{
    Attrs, Json, State,
    store::{ExecutionInfo, codec::is_encoded},
};

use crate::{
    payload::{self, Written},
    secrets::Secrets,
};

/// What stands there.
pub const ENCODED: &str = "(encoded)";

/// The same as JSON.
pub(crate) const ENCODED_JSON: &str = "\"(encoded)\"";

/// Puts [`ENCODED`] in place of what is encoded in what is known of an execution. Returns whether there was
/// something.
pub fn of_info(info: &mut ExecutionInfo) -> bool {
    let mut found = of_value(&mut info.output);
    found |= of_text(&mut info.error) | of_text(&mut info.status_message);
    if let Some(refused) = &mut info.refused {
        found |= of_str(&mut refused.why);
    }
    for act in &mut info.acts {
        found |= of_text(&mut act.reason);
    }
    // Each value is encoded by itself.
    if let Some(attrs) = info.attrs.to_json() {
        let shown = payload::write(attrs.get(), Written::Short, &Secrets::nothing());
        if shown != attrs.get() {
            found |= shown.contains(ENCODED_JSON);
            info.attrs = Attrs::parse(shown).unwrap_or_default();
        }
    }
    found
}

/// Puts [`ENCODED`] in place of what is encoded in a tree. Returns whether there was something.
pub fn of_tree(tree: &mut State) -> bool {
    let node = &mut tree.node;
    let mut found = false;
    for value in [
        &mut node.info,
        &mut node.input,
        &mut node.output,
        &mut node.before,
        &mut node.after,
    ] {
        found |= of_value(value);
    }
    for error in &mut node.errors {
        found |= of_str(error);
    }
    if let Some(undo) = &mut node.undo {
        found |= of_str(&mut undo.err);
    }
    if let Some(task) = &mut node.task {
        found |= of_value(&mut task.output) | of_value(&mut task.check_in);
        found |= of_text(&mut task.error) | of_text(&mut task.stop_err);
    }
    for error in [
        &mut node.after_err,
        &mut node.on_done_err,
        &mut node.on_failed_err,
        &mut node.on_stopped_err,
    ] {
        found |= of_text(error);
    }
    for (_, value) in &mut node.extra {
        found |= of_json(value);
    }
    for below in &mut tree.states {
        found |= of_tree(below);
    }
    found
}

fn of_value(value: &mut Option<Json>) -> bool {
    value.as_mut().is_some_and(of_json)
}

fn of_json(value: &mut Json) -> bool {
    if !is_encoded(value.get()) {
        return false;
    }
    *value = Json::parse(ENCODED_JSON).unwrap_or_else(|_| unreachable!("a text in quotes"));
    true
}

fn of_text(text: &mut Option<String>) -> bool {
    text.as_mut().is_some_and(of_str)
}

/// Puts [`ENCODED`] in place of a text that is encoded. Returns whether it was.
pub fn of_str(text: &mut String) -> bool {
    let is = is_encoded(text);
    if is {
        ENCODED.clone_into(text);
    }
    is
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_is_encoded_is_shown_as_such_wherever_it_is() {
        let token = "steps:1:k:YWJj";
        let json = format!(
            r#"{{"name":"pay","err":"{token}","input":"{token}","states":[
                {{"name":"scan","output":"{token}","afterErr":"{token}","undo":{{"err":"{token}"}},
                  "task":{{"id":"3b241101e2bb42558caf4136c566a962.a","revision":1,"status":"running","checkIn":"{token}"}}}},
                {{"name":"plain","output":"steps"}}]}}"#
        );
        let mut tree = State::from_json(&json).unwrap();
        assert!(of_tree(&mut tree));
        let text = tree.to_json();
        assert_eq!(text.matches(ENCODED).count(), 6, "{text}");
        assert!(
            !text.contains(token) && text.contains("\"steps\""),
            "{text}"
        );
        assert!(!of_tree(&mut tree), "nothing is left");

        let mut info = ExecutionInfo::new("a", "pay", Timestamp::UNIX_EPOCH);
        info.attrs = Attrs::parse(format!(r#"{{"a":{{"b":"{token}"}},"c":1}}"#)).unwrap();
        info.status_message = Some(token.to_owned());
        assert!(of_info(&mut info));
        assert_eq!(info.attrs.as_json(), r#"{"a":{"b":"(encoded)"},"c":1}"#);
        assert_eq!(info.status_message.as_deref(), Some(ENCODED));
        assert!(!of_info(&mut info));
    }
}
