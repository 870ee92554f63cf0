//! What an operator's tools are told: metrics, by the feature `metrics`, and traces, which an execution
//! continues in every process.
//!
//! The page `telemetry` of the guide of `steps` says what each metric means, and what is logged.

mod meter;
#[cfg(feature = "metrics")]
mod names;
mod trace;

#[cfg(feature = "metrics")]
pub use names::{METRICS, Metric, MetricKind, describe};

pub use meter::committed;
pub(crate) use meter::{
    Begun, COUNTS, attempt_ended, backlog, change_told, ended, lease_lost, refused, retried,
    running, started, store_failed, taken_over, tick, ticks_left_out, undo_ended, waited,
};
pub use trace::{Propagator, TraceContext, TraceContextError};
