//! The Go form: a state as JSON without this library's additions, for the Go library to read.

use jiff::Timestamp;
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

use super::{
    NodeData, State,
    time::Stamp,
    write::{Joined, checked, is_blank},
};
use crate::model::status::Status;

/// How the Go form writes a node's errors. The Go library has used both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GoForm {
    /// `"err": "text"`, empty if there is none. Several errors are joined with `"; "`.
    #[default]
    Err,
    /// `"errs": ["text", …]`, `null` if there is none.
    Errs,
}

impl State {
    /// Returns the state without this library's additions, for the Go library.
    ///
    /// A status that the form can't express is written as the nearest one that does not claim an
    /// effect which does not exist (any more). A node that was skipped or undone reads as not
    /// begun, unless it had failed. A node whose rollback is under way or has failed never reads as
    /// successful. The output of a step that saved no `info` is written as its `info`.
    pub fn to_go_json(&self, form: GoForm) -> String {
        checked(serde_json::to_string(&GoNode { state: self, form }))
    }
}

/// A node in the Go form.
struct GoNode<'a> {
    state: &'a State,
    form: GoForm,
}

/// The part of a node that the Go form can express.
struct GoFields<'a> {
    errors: &'a [String],
    started_at: Option<Timestamp>,
    done_at: Option<Timestamp>,
}

impl<'a> GoNode<'a> {
    fn fields(&self, stand_in: &'a mut [String; 1]) -> GoFields<'a> {
        let NodeData {
            status,
            errors,
            undo,
            ..
        } = &self.state.node;
        let mut fields = GoFields {
            errors,
            started_at: self.state.started_at,
            done_at: self.state.done_at,
        };
        let silent = errors.is_empty() || is_blank(errors);
        match status {
            Status::Pending | Status::Skipped => {
                fields.errors = &[];
                fields.started_at = None;
                fields.done_at = None;
            }
            Status::Undone if silent => {
                fields.errors = &[];
                fields.started_at = None;
                fields.done_at = None;
            }
            Status::Running | Status::Waiting => fields.done_at = None,
            Status::Failed if silent => {
                stand_in[0].push_str("failed");
                fields.errors = stand_in;
            }
            Status::Done | Status::Undone | Status::Failed => {}
            Status::Undoing | Status::UndoFailed | Status::Stuck | Status::Stopped => {
                match undo.as_ref().map(|undo| undo.err.as_str()) {
                    Some(err) if silent && !err.is_empty() => {
                        stand_in[0].push_str(err);
                        fields.errors = stand_in;
                    }
                    _ if silent => fields.done_at = None,
                    _ => {}
                }
            }
        }
        fields
    }
}

impl Serialize for GoNode<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut stand_in = [String::new()];
        let fields = self.fields(&mut stand_in);
        let NodeData {
            name,
            status,
            info,
            output,
            ..
        } = &self.state.node;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &**name)?;
        let output = output.as_ref().filter(|_| *status == Status::Done);
        map.serialize_entry("info", &info.as_ref().or(output))?;
        match self.form {
            GoForm::Err => map.serialize_entry("err", &Joined(fields.errors))?,
            GoForm::Errs => {
                let errors = (!fields.errors.is_empty()).then_some(fields.errors);
                map.serialize_entry("errs", &errors)?;
            }
        }
        let mut stamp = Stamp::new();
        map.serialize_entry("startedAt", &stamp.of(fields.started_at))?;
        map.serialize_entry("doneAt", &stamp.of(fields.done_at))?;
        map.serialize_entry("states", &GoNodes(self))?;
        map.end()
    }
}

/// The nodes below a node, in the Go form.
struct GoNodes<'a>(&'a GoNode<'a>);

impl Serialize for GoNodes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let states = &self.0.state.states;
        let mut seq = serializer.serialize_seq(Some(states.len()))?;
        for state in states {
            let form = self.0.form;
            seq.serialize_element(&GoNode { state, form })?;
        }
        seq.end()
    }
}

#[cfg(test)]
mod tests;
