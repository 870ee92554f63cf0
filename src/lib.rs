#![doc = include_str!("intro.md")]
#![forbid(unsafe_code)]

#[cfg(all(doc, feature = "macros"))]
pub mod guide;

#[doc(inline)]
pub use steps_core::{
    Advance, Branch, Cx, Failure, Flow, Input, Json, Outcome, Run, RunLimits, Signals, State,
    Status, With, clock, compat,
    failure::{Cause, StepFailure},
    journal,
    observe::Event,
    policy, signal, sleep, state, status, testing,
    view::{AsStepRef, FlowState, ItemRef, ItemStates, StepRef, StepState},
};
#[cfg(feature = "macros")]
pub use steps_macros::{flow, observe, on_done, on_failed, step, steps, undo, verify};

#[doc(hidden)]
pub use steps_core::private as __private;

/// What a module with flows in it needs: `use steps::prelude::*;`.
pub mod prelude {
    #[doc(no_inline)]
    pub use crate::{Cx, Failure};
    #[cfg(feature = "macros")]
    #[doc(no_inline)]
    pub use steps_macros::{flow, observe, on_done, on_failed, step, steps, undo, verify};
}

/// The README's examples are compiled and run with the doc tests.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
