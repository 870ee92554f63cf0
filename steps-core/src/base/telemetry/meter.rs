//! What is counted and measured, a function for each metric. Without the feature `metrics` they do
//! nothing, and the compiler leaves them out.

use std::time::Duration;

/// Whether anything is counted. What is only needed for that is done under this condition.
pub(crate) const COUNTS: bool = cfg!(feature = "metrics");

/// When something began that is measured.
#[derive(Clone, Copy)]
pub(crate) struct Begun(#[cfg(feature = "metrics")] std::time::Instant);

impl Begun {
    #[inline]
    pub(crate) fn now() -> Self {
        Self(
            #[cfg(feature = "metrics")]
            std::time::Instant::now(),
        )
    }

    #[cfg(feature = "metrics")]
    fn passed(self) -> Duration {
        self.0.elapsed()
    }
}

macro_rules! meters {
    ($($(#[$doc:meta])* $scope:vis fn $name:ident($($argument:ident: $type:ty),*) $body:block)*) => {$(
        $(#[$doc])*
        #[cfg_attr(not(feature = "metrics"), allow(unused_variables, reason = "nothing is counted"))]
        #[inline]
        $scope fn $name($($argument: $type),*) {
            #[cfg(feature = "metrics")]
            $body
        }
    )*};
}

meters! {
    /// Executions were created.
    pub(crate) fn started(flow: &str, how_many: u64) {
        counted(&names::STARTED, how_many, &[flow]);
    }

    /// An execution rests.
    pub(crate) fn ended(flow: &str, status: &str) {
        counted(&names::ENDED, 1, &[flow, status]);
    }

    /// More turns run, or fewer.
    pub(crate) fn running(flow: &str, more: f64) {
        gauge(&names::RUNNING, &[flow]).increment(more);
    }

    /// An execution was taken up whose lease had ended.
    pub(crate) fn taken_over(flow: &str) {
        counted(&names::TAKEN_OVER, 1, &[flow]);
    }

    /// An execution was left as it was.
    pub(crate) fn refused(flow: &str) {
        counted(&names::REFUSED, 1, &[flow]);
    }

    /// An execution was due for so long before it was taken up.
    pub(crate) fn waited(flow: &str, how_long: Duration) {
        measured(&names::WAITED, how_long.as_secs_f64(), &[flow]);
    }

    /// So many are due, the first of them for so long.
    pub(crate) fn backlog(due: u64, overdue: Duration) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a floating-point number")]
        gauge(&names::DUE, &[]).set(due as f64);
        gauge(&names::OVERDUE, &[]).set(overdue.as_secs_f64());
    }

    /// A lease had ended before it was renewed.
    pub(crate) fn lease_lost() {
        counted(&names::LEASES_LOST, 1, &[]);
    }

    /// An attempt of a step has ended.
    pub(crate) fn attempt_ended(flow: &str, step: &str, outcome: &str, begun: Begun) {
        measured(&names::ATTEMPT, begun.passed().as_secs_f64(), &[flow, step, outcome]);
    }

    /// A step is tried again.
    pub(crate) fn retried(flow: &str, step: &str) {
        counted(&names::RETRIES, 1, &[flow, step]);
    }

    /// An attempt to undo a step has ended.
    pub(crate) fn undo_ended(flow: &str, step: &str, outcome: &str, begun: Begun) {
        measured(&names::UNDO, begun.passed().as_secs_f64(), &[flow, step, outcome]);
    }

    /// A tick has started an execution.
    pub(crate) fn tick(flow: &str) {
        counted(&names::TICKS, 1, &[flow]);
    }

    /// Ticks of a schedule were left out.
    pub(crate) fn ticks_left_out(flow: &str) {
        counted(&names::LEFT_OUT, 1, &[flow]);
    }

    /// A function was told of a change.
    pub(crate) fn change_told(function: &str, outcome: &str) {
        counted(&names::CHANGES, 1, &[function, outcome]);
    }

    /// The store failed.
    pub(crate) fn store_failed(work: &str) {
        counted(&names::STORE_ERRORS, 1, &[work]);
    }

    /// For stores: a commit has answered so many calls, has changed so many rows, and took so long. Where the
    /// feature `metrics` is off, it does nothing.
    pub fn committed(writes: usize, rows: u64, took: Duration) {
        counted(&names::COMMITS, 1, &[]);
        #[expect(clippy::cast_precision_loss, reason = "a histogram takes floating-point numbers")]
        let (writes, rows) = (writes as f64, rows as f64);
        measured(&names::COMMIT_WRITES, writes, &[]);
        measured(&names::COMMIT_ROWS, rows, &[]);
        measured(&names::COMMIT_TIME, took.as_secs_f64(), &[]);
    }
}

#[cfg(feature = "metrics")]
use super::names;
#[cfg(feature = "metrics")]
use recorder::{counted, gauge, measured};

/// The way to the program's recorder.
#[cfg(feature = "metrics")]
mod recorder {
    use metrics::{Gauge, Key, Label, with_recorder};

    use super::names::{METADATA, Metric};

    fn key(metric: &Metric, values: &[&str]) -> Key {
        let labels = metric.labels.iter().zip(values);
        let labels = labels.map(|(label, value)| Label::new(*label, (*value).to_owned()));
        Key::from_parts(metric.name, labels.collect::<Vec<_>>())
    }

    pub(super) fn counted(metric: &Metric, how_many: u64, values: &[&str]) {
        let key = key(metric, values);
        with_recorder(|recorder| recorder.register_counter(&key, &METADATA)).increment(how_many);
    }

    pub(super) fn gauge(metric: &Metric, values: &[&str]) -> Gauge {
        let key = key(metric, values);
        with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
    }

    pub(super) fn measured(metric: &Metric, value: f64, values: &[&str]) {
        let key = key(metric, values);
        with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)).record(value);
    }
}
