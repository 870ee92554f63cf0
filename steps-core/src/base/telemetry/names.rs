//! The names of all metrics, with their units, their labels, and what they count.
//!
//! What a label may say is bounded by the program: it is the name of a flow, a status, or a step's path
//! without the numbers of rounds and items, and never the id of an execution.

use metrics::{KeyName, Metadata, SharedString, Unit, with_recorder};

/// A metric, as it is told to whoever collects them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What kind it is of.
    pub kind: MetricKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it counts or measures.
    pub meaning: &'static str,
}

/// What kind a metric is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A number that only grows.
    Counter,
    /// A number that is so large now.
    Gauge,
    /// A number each time. In seconds, where the name ends with that.
    Histogram,
}

impl MetricKind {
    /// Its name: `counter`, `gauge` or `histogram`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Metric {
    /// What it is in: seconds, or a count.
    pub(super) fn unit(&self) -> Unit {
        if self.name.ends_with("_seconds") {
            Unit::Seconds
        } else {
            Unit::Count
        }
    }
}

pub(super) static METADATA: Metadata<'static> =
    Metadata::new("steps", metrics::Level::INFO, Some("steps"));

macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal [$($label:literal),*]: $meaning:literal;)*) => {
        $(pub(super) const $constant: Metric = Metric {
            name: $name,
            kind: MetricKind::$kind,
            labels: &[$($label),*],
            meaning: $meaning,
        };)*

        /// All metrics.
        pub const METRICS: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    STARTED = Counter "steps_executions_started_total" ["flow"]:
        "Executions that were created here: by a start, a `start` line, or a tick.";
    ENDED = Counter "steps_executions_ended_total" ["flow", "status"]:
        "Turns here after which an execution rested: `done`, `undone`, `failed`, `stopped` or `stuck`.";
    RUNNING = Gauge "steps_executions_running" ["flow"]:
        "Executions that run here now.";
    TAKEN_OVER = Counter "steps_executions_taken_over_total" ["flow"]:
        "Executions that were taken up here because the lease of whoever ran them had ended.";
    REFUSED = Counter "steps_executions_refused_total" ["flow"]:
        "Turns that left an execution as it was, because it does not fit this program.";
    WAITED = Histogram "steps_queue_delay_seconds" ["flow"]:
        "How long an execution was due before it was taken up here; 0 if it began with its start.";
    DUE = Gauge "steps_executions_due" []:
        "Executions that are due and have no place yet: at least so many, as far as this process knows.";
    OVERDUE = Gauge "steps_overdue_seconds" []:
        "How long the first of those has been due.";
    LEASES_LOST = Counter "steps_leases_lost_total" []:
        "Leases of running executions that had ended before they were renewed.";
    ATTEMPT = Histogram "steps_step_duration_seconds" ["flow", "step", "outcome"]:
        "How long an attempt of a step took: `done`, `failed`, or `waiting` if it is asked again later.";
    RETRIES = Counter "steps_step_retries_total" ["flow", "step"]:
        "Failed attempts after which a step is tried again.";
    UNDO = Histogram "steps_undo_duration_seconds" ["flow", "step", "outcome"]:
        "How long an attempt to undo a step took: `done`, `failed`, or `waiting` if it goes on elsewhere.";
    TICKS = Counter "steps_schedule_ticks_total" ["flow"]:
        "Ticks of schedules that started an execution.";
    LEFT_OUT = Counter "steps_schedule_left_out_total" ["flow"]:
        "How often ticks of a schedule were left out, one or more in a row.";
    CHANGES = Counter "steps_changes_told_total" ["function", "outcome"]:
        "Calls of functions that are told of changes: `told`, `failed`, or `given_up`.";
    STORE_ERRORS = Counter "steps_store_errors_total" ["work"]:
        "Failures of the store: to `claim`, `renew` or `write`, or to give `schedules` or `changes`.";
    COMMITS = Counter "steps_store_commits_total" []:
        "Commits of the database.";
    COMMIT_WRITES = Histogram "steps_store_commit_writes" []:
        "How many calls one commit answered.";
    COMMIT_ROWS = Histogram "steps_store_commit_rows" []:
        "How many rows one commit changed.";
    COMMIT_TIME = Histogram "steps_store_commit_duration_seconds" []:
        "How long a commit took, which is mostly the sync of the disk.";
}

/// Tells the program's recorder what each metric means. An engine does so when it starts; who installs a
/// recorder later calls it then.
///
/// ```
/// steps::telemetry::describe();
/// assert!(steps::telemetry::METRICS.iter().any(|metric| metric.name == "steps_overdue_seconds"));
/// ```
pub fn describe() {
    with_recorder(|recorder| {
        for metric in METRICS {
            let (name, unit) = (KeyName::from_const_str(metric.name), Some(metric.unit()));
            let meaning = SharedString::const_str(metric.meaning);
            match metric.kind {
                MetricKind::Counter => recorder.describe_counter(name, unit, meaning),
                MetricKind::Gauge => recorder.describe_gauge(name, unit, meaning),
                MetricKind::Histogram => recorder.describe_histogram(name, unit, meaning),
            }
        }
    });
}
