//! steps
#![forbid(unsafe_code)]

pub use steps_core::{
    Advance, Cx, Failure, Input, Outcome, Run, RunLimits, Signals, State, Status, With,
    builtin::{signal, sleep},
    cell::Branch,
    compat,
    failure::{Cause, StepFailure},
    flow::Flow,
    json::Json,
    observe::Event,
    state,
    view::{FlowState, Node, Nodes, StepRef},
};
#[cfg(feature = "macros")]
pub use steps_macros::{flow, observe, on_done, on_failed, step, steps, undo, verify};

#[doc(hidden)]
pub use steps_core::private as __private;

/// Keeping what a run does, as it does it: implement [`Journal`](journal::Journal) and give it to
/// [`Run::journal`].
pub mod journal {
    pub use steps_core::{
        error::JournalError,
        journal::{Batch, Change, Journal},
        scope::BoxFuture,
    };
}

/// What a module with flows in it needs: `use steps::prelude::*;`.
pub mod prelude {
    pub use crate::{Cx, Failure};
    #[cfg(feature = "macros")]
    pub use crate::{flow, observe, on_done, on_failed, step, steps, undo, verify};
}
