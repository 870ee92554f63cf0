//! How a line of a flow reaches the executions that it has started: through the engine that makes its
//! run, or, where none does, through the run itself.

use std::{any::Any, collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    base::{error::StepError, future::BoxFuture, json::Json, telemetry::TraceContext},
    model::{failure::ChildFailed, state::Labels},
};

/// The flows that a run in memory has its children run by, by name: each a
/// [`With`](crate::run::with::With).
pub(crate) type OwnFlows = BTreeMap<&'static str, Arc<dyn Any + Send + Sync>>;

/// A child execution, as a line wants it to be.
pub(crate) struct ChildRequest {
    /// The id; `None` for a new one.
    pub(crate) id: Option<String>,
    /// The flow's name.
    pub(crate) flow: &'static str,
    pub(crate) input: Json,
    pub(crate) labels: Labels,
    pub(crate) priority: i32,
    /// The time before which it must not begin.
    pub(crate) begins: Option<Timestamp>,
}

/// A child execution that is to be recorded with the line that starts it.
#[derive(Clone, Debug)]
pub(crate) struct NewChild {
    pub(crate) id: String,
    /// The flow's name.
    pub(crate) flow: &'static str,
    pub(crate) input: Json,
    pub(crate) labels: Labels,
    pub(crate) priority: i32,
    /// The number of the form of its flow.
    pub(crate) form: Option<i64>,
    /// The time before which it must not begin.
    pub(crate) begins: Option<Timestamp>,
    /// The trace context of the line that starts it.
    pub(crate) trace: Option<TraceContext>,
}

/// How a child execution has ended.
#[derive(Debug)]
pub(crate) enum ChildEnd {
    /// It is done, with this output.
    Done(Option<Json>),
    /// It did not get to its end.
    NotDone(ChildFailed),
}

/// Why something can't be done with a child.
#[derive(Debug)]
pub(crate) enum ChildError {
    /// The store could not be asked. It may be asked again.
    Later(String),
    /// It can't be done.
    Never(StepError),
}

/// The engine that makes a run, as the run has it.
pub(crate) trait RunEngine: Send + Sync {
    /// Returns the engine itself.
    fn as_any(&self) -> &(dyn Any + Send + Sync);
    /// Returns whether there is a span of its own for what the run does.
    fn has_a_span(&self) -> bool {
        true
    }
    /// Returns how often to ask for a child whose undo goes on, in case that nobody tells of its end.
    fn asks_in_vain(&self) -> Duration {
        Duration::from_mins(1)
    }
    /// Returns the child that the line at `path` of the execution `parent` may start.
    fn admit<'a>(
        &'a self,
        parent: &'a str,
        path: String,
        child: ChildRequest,
    ) -> BoxFuture<'a, Result<NewChild, ChildError>>;
    /// Returns how a child of `parent` has ended; `None` if it has not.
    fn end_of<'a>(
        &'a self,
        parent: &'a str,
        child: &'a str,
    ) -> BoxFuture<'a, Result<Option<ChildEnd>, ChildError>>;
    /// Has a child undone. Returns whether that has ended.
    fn take_back<'a>(&'a self, child: &'a str) -> BoxFuture<'a, Result<bool, ChildError>>;
}
