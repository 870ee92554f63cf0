//! Writing a state as JSON: the form of the Go library, with this library's additions. An addition
//! is left out if it says nothing.
//!
//! Writing a node allocates nothing; outputs are copied as already encoded text.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    Ending, FailureCause, Kind, NodeData, Progress, Resolved, State, StepKind, Undo, Until,
    time::Stamp,
};
use crate::model::status::Status;

impl State {
    /// Returns the state as JSON on one line.
    ///
    /// ```
    /// # use steps::state::State;
    /// let text = r#"{"name":"MoveToVPC","info":null,"err":"","startedAt":null,"doneAt":null,"states":[]}"#;
    /// assert_eq!(State::from_json(text)?.to_json(), text);
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn to_json(&self) -> String {
        checked(serde_json::to_string(self))
    }

    /// Returns the state as indented JSON. Each saved value stays on one line.
    pub fn to_json_pretty(&self) -> String {
        checked(serde_json::to_string_pretty(self))
    }
}

/// Unwraps the JSON: writing to memory can't fail, and every key is text.
pub(super) fn checked(written: serde_json::Result<String>) -> String {
    written.expect("a state is always JSON")
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &*self.name)?;
        map.serialize_entry("info", &self.info)?;
        map.serialize_entry("err", &Joined(&self.errors))?;
        if is_lossy(&self.errors) {
            map.serialize_entry("errs", &self.errors)?;
        }
        if self.errors_left_out > 0 {
            map.serialize_entry("errsLeftOut", &self.errors_left_out)?;
        }
        let mut stamp = Stamp::new();
        map.serialize_entry("startedAt", &stamp.of(self.started_at))?;
        map.serialize_entry("doneAt", &stamp.of(self.done_at))?;
        let by_times = Status::from_go(
            self.started_at.is_some(),
            self.done_at.is_some(),
            !self.errors.is_empty(),
        );
        if self.status != by_times || is_blank(&self.errors) {
            map.serialize_entry("status", self.status.as_str())?;
        }
        if self.kind != Kind::Step {
            map.serialize_entry("kind", self.kind.as_str())?;
        }
        let step_kind = self.step_kind.map(StepKind::as_str);
        entry(&mut map, "stepKind", step_kind.as_ref())?;
        entry(&mut map, "input", self.input.as_ref())?;
        entry(&mut map, "decision", self.decision.as_ref())?;
        entry(
            &mut map,
            "output",
            self.output.as_ref().filter(|output| !output.is_null()),
        )?;
        if self.attempts != told_attempts(self) {
            map.serialize_entry("attempts", &self.attempts)?;
        }
        entry(&mut map, "before", self.before.as_ref())?;
        entry(&mut map, "after", self.after.as_ref())?;
        entry(&mut map, "progress", self.progress.as_ref())?;
        entry(&mut map, "undo", self.undo.as_ref())?;
        entry(&mut map, "until", self.until.as_ref())?;
        entry(&mut map, "since", stamp.of(self.since).as_ref())?;
        entry(&mut map, "deadline", stamp.of(self.deadline).as_ref())?;
        if self.parallel {
            map.serialize_entry("parallel", &true)?;
        }
        let cause = self.cause.map(FailureCause::as_str);
        entry(&mut map, "cause", cause.as_ref())?;
        if self.verify_owed {
            map.serialize_entry("verifyOwed", &true)?;
        }
        if self.failures > 0 {
            map.serialize_entry("failures", &self.failures)?;
        }
        if self.deaths > 0 {
            map.serialize_entry("deaths", &self.deaths)?;
        }
        entry(&mut map, "waitedNanos", self.waited.map(nanos).as_ref())?;
        entry(&mut map, "generation", self.generation.as_ref())?;
        entry(&mut map, "begunAfter", self.begun_after.as_deref().as_ref())?;
        entry(&mut map, "chosen", self.chosen.as_deref().as_ref())?;
        if !self.needs.is_empty() {
            map.serialize_entry("needs", &self.needs)?;
        }
        entry(&mut map, "task", self.task.as_ref())?;
        entry(&mut map, "afterErr", self.after_err.as_ref())?;
        let ending = self.ending.map(Ending::as_str);
        entry(&mut map, "ending", ending.as_ref())?;
        entry(&mut map, "onDoneErr", self.on_done_err.as_ref())?;
        entry(&mut map, "onFailedErr", self.on_failed_err.as_ref())?;
        entry(&mut map, "onStoppedErr", self.on_stopped_err.as_ref())?;
        entry(&mut map, "instance", self.instance.as_deref().as_ref())?;
        if let Some(id) = &self.id {
            map.serialize_entry("id", &**id)?;
        }
        if !self.labels.is_empty() {
            map.serialize_entry("labels", &self.labels)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("states", &self.states)?;
        map.end()
    }
}

/// A length of time, or the longest that 64 bits can hold.
fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[inline]
fn entry<M: SerializeMap, T: Serialize>(
    map: &mut M,
    key: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(key, value),
        None => Ok(()),
    }
}

/// Returns the attempts of a node whose JSON does not say them: one for a step that has begun. Other
/// nodes have none.
pub(super) fn told_attempts(node: &NodeData) -> u32 {
    u32::from(node.started_at.is_some() && node.kind == Kind::Step)
}

/// Returns whether these errors can't be recovered from the joined text alone.
fn is_lossy(errors: &[String]) -> bool {
    errors.len() > 1 || is_blank(errors)
}

/// Returns whether there is an error whose text is empty, which means no error in the Go form.
pub(super) fn is_blank(errors: &[String]) -> bool {
    matches!(errors, [only] if only.is_empty())
}

/// Displays the errors as one text.
pub(super) struct Joined<'a>(pub(super) &'a [String]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            f.write_str(error)?;
        }
        Ok(())
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [] => serializer.serialize_str(""),
            [only] => serializer.serialize_str(only),
            _ => serializer.collect_str(self),
        }
    }
}

impl Serialize for Until {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Time(time) => Stamp::new().of(Some(*time)).serialize(serializer),
            Self::Signal => serializer.serialize_str("signal"),
            Self::Child => serializer.serialize_str("child"),
            Self::Report => serializer.serialize_str("report"),
        }
    }
}

impl Serialize for Progress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("done", &self.done)?;
        map.serialize_entry("total", &self.total)?;
        map.end()
    }
}

impl Serialize for Undo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut stamp = Stamp::new();
        if !self.err.is_empty() {
            map.serialize_entry("err", &self.err)?;
        }
        entry(&mut map, "startedAt", stamp.of(self.started_at).as_ref())?;
        entry(&mut map, "doneAt", stamp.of(self.done_at).as_ref())?;
        if self.attempts > 0 {
            map.serialize_entry("attempts", &self.attempts)?;
        }
        if self.deaths > 0 {
            map.serialize_entry("deaths", &self.deaths)?;
        }
        entry(&mut map, "until", stamp.of(self.until).as_ref())?;
        entry(
            &mut map,
            "resolved",
            self.resolved.map(Resolved::as_str).as_ref(),
        )?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        base::json::Json,
        model::{
            state::{Kind, NodeData, State, Undo, Until},
            status::Status,
        },
    };

    #[test]
    fn each_addition_has_its_place() {
        let json = |text: &str| Some(Json::parse(text).unwrap());
        let node = NodeData {
            name: "a".into(),
            kind: Kind::Flow,
            status: Status::Waiting,
            info: json("1"),
            errors: vec!["x".into(), "y".into()],
            until: Some(Until::Signal),
            attempts: 2,
            input: json("2"),
            decision: Some(true),
            output: json("3"),
            before: json("4"),
            after: json("null"),
            undo: Some(Undo::default()),
            extra: vec![("z".into(), Json::parse("5").unwrap())],
            ..NodeData::default()
        };
        let state = State::from(node);
        assert_eq!(
            state.to_json(),
            r#"{"name":"a","info":1,"err":"x; y","errs":["x","y"],"startedAt":null,"doneAt":null,"status":"waiting","kind":"flow","input":2,"decision":true,"output":3,"attempts":2,"before":4,"after":null,"undo":{},"until":"signal","z":5,"states":[]}"#,
        );
        assert!(state.to_json_pretty().contains("\n  \"info\": 1,\n"));
    }
}
