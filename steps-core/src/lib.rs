//! The interpreter, the saved state and the journal beneath the [`steps`] crate.
//!
//! Programs use [`steps`], which re-exports and documents what is meant for them. Public items that
//! are hidden here are for generated code, and change without notice.
//!
//! [`steps`]: https://docs.rs/steps
#![forbid(unsafe_code)]

mod base;
#[doc(hidden)]
pub mod codegen;
pub mod engine;
mod interpreter;
pub mod journal;
#[doc(hidden)]
pub mod language;
mod model;
pub mod run;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

/// What steps log: see [`Cx::log`], and [`Handle::log`](engine::Handle::log) for reading it.
pub mod log {
    #[cfg(feature = "tracing-layer")]
    pub use crate::language::log::layer::layer;
    pub use crate::model::log::{LogLevel, LogLimits, LogLine};
}

/// Plans: trees of steps that are made at run time, of steps that were registered at compile time.
///
/// `#[plan]` makes a flow of a list of steps, whose input is a [`Plan`](plan::Plan): which of them
/// run, with which arguments, in which order, and which at once.
pub mod plan {
    pub use crate::language::plan::{
        AsArg, OutputPart, Plan, PlanBuilder, PlanCall, PlanError, PlanFields, PlanGroup,
        PlanOutputs, PlanProblem, PlanSteps, Planned, StepInPlan, StepOutput,
    };
}

pub use base::{
    clock,
    duration::{AsDuration, DurationError},
    error, json, telemetry,
};
#[doc(inline)]
pub use engine::Engine;
pub use interpreter::RunLimits;
pub use json::Json;
pub use language::cx::{CancelReason, Cx};
#[doc(inline)]
pub use language::{
    builtin::{signal, sleep},
    cells::branch::Branch,
    external::External,
    flow::Flow,
};
pub use model::{
    attrs::{Attrs, InvalidAttrs, path::AttrPath},
    compat, event,
    failure::{self, Failure},
    policy, report,
    signal::SignalError,
    state::{self, State},
    status::{self, Status},
    task::{
        Gone, ReportError, Reported, Task, TaskFailed, TaskId, TaskIdError, TaskReport, TaskStatus,
    },
    trigger::Trigger,
    typed,
};
pub use run::{
    Advance, Child, Children, Control, Outcome, Passes, Run, Signals, state_store,
    with::{Input, With},
};
