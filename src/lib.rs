#![doc = include_str!("intro.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(doc, feature = "macros", feature = "sqlite"))]
pub mod guide;

mod open;

/// A store in a SQLite file.
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use steps_sqlite as sqlite;

// rustc shows these lines to whoever names `steps::testing` without the feature.
#[cfg(feature = "testing")]
#[doc(inline)]
pub use steps_core::testing; // [dev-dependencies] steps = { version = "…", features = ["testing"] }

pub use open::Open;
#[doc(inline)]
pub use steps_core::{
    Advance, Branch, Control, Cx, Engine, Failure, Flow, Input, Json, Outcome, Run, RunLimits,
    Signals, State, Status, With, clock, compat, engine,
    event::Event,
    failure::{Cause, StepFailure},
    journal, policy, signal, sleep, state, status, store,
    typed::{AsStepRef, FlowState, ItemRef, ItemStates, StepRef, StepState},
};

/// Marks a function as a flow: its body begins with [`steps!`], and what comes after it gives the
/// output.
///
/// | option | means |
/// |---|---|
/// | `on_failure = "undo"`, `"hold"` | what a failure leads to: a rollback (the default), or staying `failed` until it is recovered |
/// | `reversible` | each step must have an `#[undo]`, or be `readonly`; else it does not compile |
/// | `name = "…"` | the root's name in the saved tree; by default the function's |
/// | `alias = "…"` | a name it was saved under before; may stand more than once |
/// | `rename_all = "camelCase"` | the case of all names in the saved tree, as serde has them |
/// | `crate = path` | where the crate `steps` is, if not at `::steps` |
///
/// The function becomes one that gives a [`Run`]. See [`guide::first_flow`], [`guide::language`].
#[cfg(feature = "macros")]
pub use steps_macros::flow;

/// Marks the function that looks at what a step changes: `#[observe(step)]`. It takes what the step
/// takes, and gives a value that serde can save, or a `Result` of one. See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::observe;

/// Marks the function that is called once a flow is done: `#[on_done(flow)]`. It takes the flow's
/// parameters, the input by reference, then `&Output`, and gives a `Result<(), _>`. It is called for
/// the flow that was started, not where that flow is nested in another. See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::on_done;

/// Marks the function that is called once a flow has failed and its rollback has ended:
/// `#[on_failed(flow)]`. It takes the flow's parameters, the input by reference, then
/// [`&Failure`](Failure), and gives a `Result<(), _>`. It is called for the flow that was started,
/// not where that flow is nested in another. See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::on_failed;

/// Marks a function as a step. It stays the function that it is.
///
/// | option | means |
/// |---|---|
/// | `retry(times, every, backoff, max, jitter, when)` | tries again after an error: [`policy::Retry`] |
/// | `timeout = "30s"` | the longest one attempt may take: [`policy::Policy`] |
/// | `poll(every, times)` | `Ok(None)` is "not yet": [`policy::Poll`] |
/// | `blocking` | not `async`: it runs on a thread for blocking work |
/// | `readonly` | it changes nothing, so there is nothing to undo |
/// | `volatile` | its output is not saved; a resume runs it again |
/// | `name = "…"`, `alias = "…"` | how a line without a name of its own is saved, and was before |
/// | `crate = path` | where the crate `steps` is, if not at `::steps` |
///
/// See [`guide::policies`].
#[cfg(feature = "macros")]
pub use steps_macros::step;

/// The steps of a flow, at the beginning of a function marked [`#[flow]`](macro@flow); anywhere else
/// it is an error. See [`guide::language`].
#[cfg(feature = "macros")]
pub use steps_macros::steps;

/// Marks the function that takes back what a step did: `#[undo(step)]`. It takes what the step takes,
/// then `&Output`, and gives a `Result<(), _>`.
///
/// | option | means |
/// |---|---|
/// | `retry(…)`, `timeout = "…"`, `blocking` | as for [`#[step]`](macro@step) |
/// | `before` | it takes one more parameter: a reference to what `#[observe]` saw before the step |
///
/// See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::undo;

/// Marks the function that finds out whether a step's effect happened: `#[verify(step)]`. It takes
/// what the step takes, and gives `Option<Output>`, or a `Result` of it. See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::verify;

#[doc(hidden)]
pub use steps_core::codegen as __private;

/// What a module with flows in it needs: `use steps::prelude::*;`.
pub mod prelude {
    #[doc(no_inline)]
    pub use crate::{Cx, Failure, Open as _};
    #[cfg(feature = "macros")]
    #[doc(no_inline)]
    pub use steps_macros::{flow, observe, on_done, on_failed, step, steps, undo, verify};
}

/// The README's examples are compiled and run with the doc tests.
#[cfg(all(doctest, feature = "macros", feature = "sqlite"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
