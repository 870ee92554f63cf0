//! Reports as JSON. It is written by hand, as `steps-core` goes without serde's macros.

use std::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{NodeReport, Report, TimeUse, UndoReport};
use crate::{
    base::json::Json,
    model::state::{Resolved, StepKind},
};

impl Report {
    /// Returns it as JSON: the fields of this type in `camelCase`, lengths of time as nanoseconds in
    /// fields that end with `Nanos`, and each node of the critical path, of the slowest and of the undone
    /// by its path.
    pub fn json(&self) -> Json {
        encoded(self)
    }
}

/// Encodes a report.
pub(crate) fn encoded<T: Serialize>(report: &T) -> Json {
    // Every key is text.
    Json::encode(report).expect("a report is always JSON")
}

/// A length of time as nanoseconds.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Writes an object, field by field.
pub(crate) struct Object<M>(M);

impl<M: SerializeMap> Object<M> {
    pub(crate) fn new<S: Serializer<SerializeMap = M, Ok = M::Ok, Error = M::Error>>(
        serializer: S,
    ) -> Result<Self, M::Error> {
        serializer.serialize_map(None).map(Self)
    }

    pub(crate) fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<&mut Self, M::Error> {
        self.0.serialize_entry(name, value)?;
        Ok(self)
    }

    /// Writes a field if there is a value.
    pub(crate) fn maybe<T: Serialize>(
        &mut self,
        name: &str,
        value: Option<T>,
    ) -> Result<&mut Self, M::Error> {
        match value {
            Some(value) => self.field(name, &value),
            None => Ok(self),
        }
    }

    pub(crate) fn end(self) -> Result<M::Ok, M::Error> {
        self.0.end()
    }
}

fn listed<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

impl Serialize for TimeUse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::new(serializer)?;
        for (name, _, span) in self.parts() {
            object.field(name, &nanos(span))?;
        }
        object.end()
    }
}

impl Serialize for UndoReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::new(serializer)?;
        object
            .field("startedAt", &self.started_at)?
            .field("doneAt", &self.done_at)?
            .maybe("tookNanos", self.took.map(nanos))?
            .field("attempts", &self.attempts)?
            .maybe("error", Some(&self.error).filter(|error| !error.is_empty()))?
            .maybe("resolved", self.resolved.map(Resolved::as_str))?;
        object.end()
    }
}

impl Serialize for NodeReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::new(serializer)?;
        object
            .field("path", &self.path)?
            .field("depth", &self.depth)?
            .field("kind", self.kind.as_str())?
            .maybe("stepKind", self.step_kind.map(StepKind::as_str))?
            .field("status", self.status.as_str())?
            .field("startedAt", &self.started_at)?
            .field("doneAt", &self.done_at)?
            .maybe("tookNanos", self.took.map(nanos))?
            .field("attempts", &self.attempts)?
            .maybe(
                "time",
                (self.time != TimeUse::default()).then_some(&self.time),
            )?
            .maybe("errors", listed(&self.errors))?
            .maybe(
                "errorsLeftOut",
                Some(self.errors_left_out).filter(|n| *n > 0),
            )?
            .maybe("needs", listed(&self.needs))?
            .maybe("child", self.child.as_ref())?
            .maybe("undo", self.undo.as_ref())?;
        object.end()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct OnPath<'a>(&'a str, u64, bool);
        impl Serialize for OnPath<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut object = Object::new(serializer)?;
                object
                    .field("path", self.0)?
                    .field("tookNanos", &self.1)?
                    .field("assumed", &self.2)?;
                object.end()
            }
        }
        let path = |place: &usize| &*self.nodes[*place].path;
        let paths = |places: &[usize]| places.iter().map(path).collect::<Vec<_>>();
        let critical: Vec<OnPath<'_>> = (self.critical_path.iter())
            .map(|on| OnPath(path(&on.node), nanos(on.took), on.assumed))
            .collect();
        let mut object = Object::new(serializer)?;
        object
            .field("id", &self.id)?
            .field("flow", &self.flow)?
            .field("status", self.status.as_str())?
            .field("labels", &self.labels)?
            .field("at", &self.at)?
            .maybe("createdAt", self.created_at)?
            .field("startedAt", &self.started_at)?
            .field("doneAt", &self.done_at)?
            .field("tookNanos", &nanos(self.took))?
            .maybe("queueNanos", self.queue.map(nanos))?
            .field("idleNanos", &nanos(self.idle))?
            .field("time", &self.time)?
            .field("errors", &self.errors)?
            .field("criticalPath", &critical)?
            .field("slowest", &paths(&self.slowest))?
            .field("undone", &paths(&self.undone))?
            .field("notes", &self.notes)?
            .field("nodes", &self.nodes)?;
        object.end()
    }
}
