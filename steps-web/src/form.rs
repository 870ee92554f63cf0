//! The JSON forms of the API and of `steps --json`: the same ones, which only grow.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use steps::{
    Attrs, Json, ReportError, SignalError,
    engine::{EngineError, FlowInfo, ScheduleError, ScheduleInfo},
    log::LogLine,
    state::{Labels, StateError},
    store::{Act, ErrorKind, ExecutionInfo},
};

/// What is wrong with a request: as an exit code of `steps`, and as a status of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The store or the system could not do its part.
    Failed,
    /// A filter or a value is wrong.
    Usage,
    /// There is no such execution, step or schedule.
    NotFound,
    /// It is not possible now. Nothing was changed.
    Refused,
}

impl Kind {
    /// Tells what kind of error this is.
    pub fn of(error: &EngineError) -> Self {
        match error {
            EngineError::Unknown { .. }
            | EngineError::Schedule {
                error: ScheduleError::Unknown,
                ..
            } => Self::NotFound,
            EngineError::State { error, .. } => match **error {
                StateError::NoSuchNode { .. } => Self::NotFound,
                StateError::Refused { .. } => Self::Refused,
                _ => Self::Failed,
            },
            EngineError::Status { .. }
            | EngineError::NotStuck { .. }
            | EngineError::PastPivot { .. }
            | EngineError::Busy { .. }
            | EngineError::Sweeping { .. }
            | EngineError::Taken { .. }
            | EngineError::Incompatible { .. } => Self::Refused,
            EngineError::Store(error) => match error.kind() {
                ErrorKind::Taken => Self::Refused,
                // It asks for what the store can't look into, or is too large.
                ErrorKind::Rejected => Self::Usage,
                _ => Self::Failed,
            },
            EngineError::Signal { error, .. } => match error {
                SignalError::NoSignal { .. } | SignalError::NoItem { .. } => Self::NotFound,
                SignalError::Value { .. } => Self::Usage,
                _ => Self::Refused,
            },
            EngineError::Report { error, .. } => match error {
                ReportError::Full { .. } => Self::Refused,
                _ => Self::Usage,
            },
            EngineError::InvalidValue { .. }
            | EngineError::Id { .. }
            | EngineError::Filter { .. } => Self::Usage,
            _ => Self::Failed,
        }
    }
}

/// An execution without its tree: made of an [`ExecutionInfo`].
#[derive(Debug, Serialize)]
pub struct Execution<'a> {
    id: &'a str,
    flow: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incompatible: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<&'a str>,
    steps: BTreeMap<&'static str, u64>,
    labels: &'a Labels,
    attrs: &'a Attrs,
    trigger: &'a str,
    priority: i32,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Timestamp>,
    updated: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Json>,
    cursor: String,
}

impl<'a> From<&'a ExecutionInfo> for Execution<'a> {
    fn from(info: &'a ExecutionInfo) -> Self {
        let steps = info.steps.iter();
        Self {
            id: &info.id,
            flow: &info.flow,
            status: info.status.as_str(),
            status_message: info.status_message.as_deref(),
            error: info.error.as_deref(),
            incompatible: info.refused.as_ref().map(|refused| &*refused.why),
            unreadable: info.unreadable.as_deref(),
            steps: steps
                .map(|(status, count)| (status.as_str(), count))
                .collect(),
            labels: &info.labels,
            attrs: &info.attrs,
            trigger: info.trigger.as_str(),
            priority: info.priority,
            created: info.created_at,
            started: info.started_at,
            updated: info.updated_at,
            ended: info.done_at,
            due: info.due,
            worker: info.worker.as_deref(),
            parent: info.parent.as_deref(),
            output: info.output.as_ref(),
            cursor: info.cursor().to_string(),
        }
    }
}

/// One execution with its tree.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    /// The execution.
    pub execution: Execution<'a>,
    /// What operators have done with it.
    pub acts: &'a [Act],
    /// Its tree, as [`State::to_json`](steps::State::to_json) writes it.
    pub tree: Json,
}

/// What was done with an execution.
#[derive(Debug, Serialize)]
pub struct Acted<'a> {
    /// The execution.
    pub id: &'a str,
    /// What: `stop`, `retry-from`.
    pub act: &'static str,
    /// Whether it was done.
    pub ok: bool,
    /// How the execution is then, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// How many nodes, pauses or undos it concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of which kind that is: `usage`, `not_found`, `refused`, `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
}

/// What holds for a flow in all processes: made of a [`FlowInfo`].
#[derive(Debug, Serialize)]
pub struct Limited<'a> {
    flow: &'a str,
    paused: bool,
    paused_by: Option<&'a Act>,
    at_once: Option<u32>,
    per: Option<Per<'a>>,
    rate: Option<Rate>,
    at_run_time: bool,
    acts: &'a [Act],
}

#[derive(Debug, Serialize)]
struct Per<'a> {
    label: &'a str,
    at_once: u32,
}

#[derive(Debug, Serialize)]
struct Rate {
    starts: u32,
    seconds: f64,
    burst: u32,
}

impl<'a> From<&'a FlowInfo> for Limited<'a> {
    fn from(info: &'a FlowInfo) -> Self {
        let per = info.limits.per.as_ref();
        let rate = info.limits.rate.as_ref();
        Self {
            flow: &info.flow,
            paused: info.is_paused,
            paused_by: info.paused.as_ref(),
            at_once: info.limits.at_once,
            per: per.map(|per| Per {
                label: &per.label,
                at_once: per.at_once,
            }),
            rate: rate.map(|rate| Rate {
                starts: rate.starts,
                seconds: rate.period.as_secs_f64(),
                burst: rate.burst,
            }),
            at_run_time: info.at_run_time,
            acts: &info.acts,
        }
    }
}

/// What was done with a flow, and how it is then.
#[derive(Debug, Serialize)]
pub struct FlowActed<'a> {
    /// The flow.
    #[serde(flatten)]
    pub flow: Limited<'a>,
    /// What: `pause`, `resume`, `limit`, `unlimit`.
    pub act: &'a str,
    /// Whether that was a change.
    pub changed: bool,
}

/// A line of an execution's log: made of a [`LogLine`].
#[derive(Debug, Serialize)]
pub struct Logged<'a> {
    number: i64,
    at: Timestamp,
    level: &'static str,
    step: &'a str,
    attempt: u32,
    undo: bool,
    of_step: i64,
    message: &'a str,
}

impl<'a> From<&'a LogLine> for Logged<'a> {
    fn from(line: &'a LogLine) -> Self {
        Self {
            number: line.number,
            at: line.at,
            level: line.level.as_str(),
            step: &line.path,
            attempt: line.attempt,
            undo: line.is_undo,
            of_step: line.of_step,
            message: &line.message,
        }
    }
}

/// A schedule: made of a [`ScheduleInfo`].
#[derive(Debug, Serialize)]
pub struct Schedule<'a> {
    name: &'a str,
    flow: &'a str,
    timing: &'a str,
    paused: bool,
    next: Option<Timestamp>,
    queued: usize,
    last: Option<Timestamp>,
    last_execution: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<&'a str>,
}

impl<'a> From<&'a ScheduleInfo> for Schedule<'a> {
    fn from(info: &'a ScheduleInfo) -> Self {
        Self {
            name: &info.name,
            flow: &info.flow,
            timing: &info.timing,
            paused: info.is_paused,
            next: info.next,
            queued: info.queued,
            last: info.last,
            last_execution: info.last_execution.as_deref(),
            unreadable: info.unreadable.as_deref(),
        }
    }
}
