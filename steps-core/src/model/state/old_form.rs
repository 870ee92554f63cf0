//! The translation of what earlier versions wrote as an error's text, or in a field with another
//! meaning, and what now has its own field. It is called when JSON or rows are read; no other code
//! knows about the old form.
//!
//! | earlier | now |
//! |---|---|
//! | a failed node's last error is one of two sentences | [`cause`](NodeData::cause) |
//! | the last error of a waiting step contains "its verify failed: " | [`verify_owed`](NodeData::verify_owed) |
//! | the `decision` of a flow | [`ending`](NodeData::ending) |
//! | `failures`, `afterErr`, `onDoneErr`, `onFailedErr` among the unknown fields of a row | fields |

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{Ending, FailureCause, Kind, NodeData, StepKind, time::Time};
use crate::{base::json::Json, model::status::Status};

const SIBLING_FAILED: &str = "given up, as a step beside it failed";
const UNDO_REQUESTED: &str = "given up, as it is to be undone";
const VERIFY_FAILED: &str = "its verify failed: ";

/// Returns whether an earlier version would have taken this error's text for a mark. If the text is
/// the step's own error, [`cause`](NodeData::cause) must say so.
pub(crate) fn reads_like_a_mark(error: &str) -> bool {
    error == SIBLING_FAILED || error == UNDO_REQUESTED || error.contains(VERIFY_FAILED)
}

/// Translates one node in place.
pub(super) fn translate(node: &mut NodeData) {
    if !node.errors.is_empty() && node.cause.is_none() {
        translate_error(node);
    }
    if node.kind == Kind::Flow
        && let Some(decision) = node.decision.take()
    {
        let ending = if decision {
            Ending::OnDone
        } else {
            Ending::OnFailed
        };
        node.ending.get_or_insert(ending);
    }
    if !node.extra.is_empty() {
        for (name, value) in std::mem::take(&mut node.extra) {
            take(node, &name, value);
        }
    }
}

#[cold]
fn translate_error(node: &mut NodeData) {
    let Some(error) = node.errors.last() else {
        return;
    };
    if node.status == Status::Waiting {
        node.verify_owed |= error.contains(VERIFY_FAILED);
    } else if error == SIBLING_FAILED {
        node.cause = Some(FailureCause::SiblingFailed);
    } else if error == UNDO_REQUESTED {
        node.cause = Some(FailureCause::UndoRequested);
    }
}

/// Puts one of these fields in its place, or keeps it among the unknown ones: a document of another
/// program may use its name for something else.
pub(super) fn take(node: &mut NodeData, name: &str, value: Json) {
    if value.is_null() || set(node, name, &value).is_none() {
        node.extra.push((name.to_owned(), value));
    }
}

/// Sets the field of this name. `None` if there is none, or if the value is not one of its.
fn set(node: &mut NodeData, name: &str, value: &Json) -> Option<()> {
    fn decoded<T: DeserializeOwned>(value: &Json) -> Option<T> {
        value.decode().ok()
    }
    match name {
        "parallel" => node.parallel = decoded(value)?,
        "cause" => node.cause = Some(FailureCause::from_name(&decoded::<String>(value)?)?),
        "verifyOwed" => node.verify_owed = decoded(value)?,
        "failures" => node.failures = decoded(value)?,
        "deaths" => node.deaths = decoded(value)?,
        "waitedNanos" => node.waited = Some(Duration::from_nanos(decoded(value)?)),
        "generation" => node.generation = Some(decoded(value)?),
        "stepKind" => node.step_kind = Some(StepKind::from_name(&decoded::<String>(value)?)?),
        "deadline" => node.deadline = Some(Time::parse(&decoded::<String>(value)?).ok()?.0),
        "begunAfter" => node.begun_after = Some(decoded::<String>(value)?.into()),
        "chosen" => node.chosen = Some(decoded::<String>(value)?.into()),
        "needs" => node.needs = decoded(value)?,
        "task" => node.task = Some(decoded(value)?),
        "afterErr" => node.after_err = Some(decoded(value)?),
        "ending" => node.ending = Some(Ending::from_name(&decoded::<String>(value)?)?),
        "onDoneErr" => node.on_done_err = Some(decoded(value)?),
        "onFailedErr" => node.on_failed_err = Some(decoded(value)?),
        "onStoppedErr" => node.on_stopped_err = Some(decoded(value)?),
        "instance" => node.instance = Some(decoded::<String>(value)?.into()),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::{NodeRow, State};

    fn read(fields: &str) -> NodeData {
        let text = format!(r#"{{"name":"a","startedAt":"2026-01-01T00:00:00Z",{fields}}}"#);
        State::from_json(&text).unwrap().into()
    }

    #[test]
    fn each_of_the_old_forms_is_read() {
        const DONE_AT: &str = r#""doneAt":"2026-01-01T00:00:01Z""#;
        let given_up = read(&format!(r#"{DONE_AT},"err":"{SIBLING_FAILED}""#));
        assert_eq!(given_up.cause, Some(FailureCause::SiblingFailed));
        let given_up = read(&format!(r#"{DONE_AT},"err":"{UNDO_REQUESTED}""#));
        assert_eq!(given_up.cause, Some(FailureCause::UndoRequested));
        let owed = read(&format!(
            r#""status":"waiting","err":"no answer ({VERIFY_FAILED}no route)""#
        ));
        assert!(owed.verify_owed);
        for (decision, ending) in [("true", Ending::OnDone), ("false", Ending::OnFailed)] {
            let root = read(&format!(r#""kind":"flow","decision":{decision}"#));
            assert_eq!((root.ending, root.decision), (Some(ending), None));
        }
        let step = read(r#""failures":2,"afterErr":"x""#);
        assert_eq!((step.failures, step.after_err.as_deref()), (2, Some("x")));
    }

    #[test]
    fn another_programs_field_of_the_same_name_is_kept() {
        let text = r#"{"name":"a","info":null,"err":"","startedAt":null,"doneAt":null,"cause":"rain","failures":[1],"ending":null,"states":[]}"#;
        let state = State::from_json(text).unwrap();
        assert_eq!((state.cause, state.failures), (None, 0));
        assert_eq!(state.extra.len(), 3);
        assert_eq!(state.to_json(), text);
    }

    #[test]
    fn rows_had_them_among_the_unknown_fields() {
        let mut root = NodeData::default();
        for (name, value) in [("failures", "3"), ("onFailedErr", r#""no""#), ("x", "1")] {
            let value = Json::parse(value).unwrap();
            root.extra.push((name.to_owned(), value));
        }
        let state = State::from_rows([NodeRow::new(0, 0, root)]).unwrap();
        let root = state.unwrap().node;
        assert_eq!((root.failures, root.extra.len()), (3, 1));
        assert_eq!(root.on_failed_err.as_deref(), Some("no"));
    }

    #[test]
    fn a_steps_own_error_that_reads_like_a_mark_stays_its_own() {
        for error in [SIBLING_FAILED, UNDO_REQUESTED] {
            assert!(reads_like_a_mark(error));
            let node = read(&format!(
                r#""doneAt":"2026-01-01T00:00:01Z","err":"{error}","cause":"own""#
            ));
            assert_eq!(node.cause, Some(FailureCause::Own));
        }
        let own = format!("{VERIFY_FAILED}it said no");
        assert!(reads_like_a_mark(&own) && !reads_like_a_mark("no route"));
        let node = read(&format!(
            r#""status":"waiting","err":"{own}","cause":"own""#
        ));
        assert!(!node.verify_owed);
    }
}
