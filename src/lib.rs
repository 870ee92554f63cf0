#![doc = include_str!("intro.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(doc, feature = "macros", feature = "sqlite"))]
pub mod guide;

mod open;

/// A store in a PostgreSQL database.
#[cfg(feature = "postgres")]
#[doc(inline)]
pub use steps_postgres as postgres;

/// A store in a SQLite file.
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use steps_sqlite as sqlite;

/// Codecs: values are encrypted, or compressed, on their way into the store.
#[cfg(any(feature = "encryption", feature = "compression"))]
#[doc(inline)]
pub use steps_codec as codec;

/// Executions continue the OpenTelemetry traces of those who start them.
#[cfg(feature = "opentelemetry")]
#[doc(inline)]
pub use steps_otel as otel;

// rustc shows these lines in the error when `steps::testing` is used without the feature.
#[cfg(feature = "testing")]
#[doc(inline)]
pub use steps_core::testing; // [dev-dependencies] steps = { version = "…", features = ["testing"] }

pub use open::Open;
#[doc(inline)]
pub use steps_core::{
    Advance, AsDuration, AttrPath, Attrs, Branch, CancelReason, Child, Children, Control, Cx,
    DurationError, Engine, External, Failure, Flow, Gone, Input, InvalidAttrs, Json, Outcome,
    Passes, ReportError, Reported, Run, RunLimits, SignalError, Signals, State, Status, Task,
    TaskFailed, TaskId, TaskIdError, TaskReport, TaskStatus, Trigger, With, clock, compat, engine,
    event::Event,
    failure::{Cause, ChildFailed, DeadlinePassed, StepFailure},
    journal, log,
    plan::{self, Plan},
    policy, report, signal, sleep, state, state_store, status, store, telemetry,
    typed::{
        AsSignalRef, AsStepRef, FlowRef, FlowState, InLoop, ItemRef, ItemStates, NotInLoop,
        SignalItemRef, SignalRef, StepRef, StepState,
    },
};

/// Marks a function as a flow: its body begins with [`steps!`], and the code after that returns the
/// flow's output.
///
/// | option | means |
/// |---|---|
/// | `on_failure = "undo"`, `"hold"` | what follows a failure: a rollback (the default), or the flow stays `failed` until it is recovered |
/// | `deadline = "1h"` | the time by which the flow must have ended: see [`guide::policies`] |
/// | `reversible` | each step must have an `#[undo]` or be `readonly`; otherwise the flow does not compile |
/// | `name = "…"` | the root's name in the saved tree; by default the function's name |
/// | `alias = "…"` | an older name of the flow in saved trees; may be given more than once |
/// | `rename_all = "camelCase"` | the case of all names in the saved tree; the same cases as in serde |
/// | `crate = path` | the path of the crate `steps`, if it is not `::steps` |
///
/// The function becomes one that returns a [`Run`]. See [`guide::first_flow`] and
/// [`guide::language`].
#[cfg(feature = "macros")]
pub use steps_macros::flow;

/// Marks the function that reads what a step changes: `#[observe(step)]`. It takes the step's
/// parameters, and returns a value that serde can save, or a `Result` of one. See
/// [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::observe;

/// Marks the function that is told of each message about the progress of an external step's task:
/// `#[on_check_in(step)]`. It takes the step's parameters, then a reference to the message, which is
/// read from its JSON, and returns nothing or a `Result<(), _>`. See [`guide::external_tasks`].
#[cfg(feature = "macros")]
pub use steps_macros::on_check_in;

/// Marks the function that is called when a flow is done: `#[on_done(flow)]`. It takes the flow's
/// parameters, the input by reference, then `&Output`, and returns a `Result<(), _>`. It is called
/// for the flow that was started, not for a nested flow. See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::on_done;

/// Marks the function that is called when a flow has failed and its rollback has ended:
/// `#[on_failed(flow)]`. It takes the flow's parameters, the input by reference, then
/// [`&Failure`](Failure), and returns a `Result<(), _>`. It is called for the flow that was
/// started, not for a nested flow. See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::on_failed;

/// Marks the function that is called when an execution of a flow has been stopped on request:
/// `#[on_stopped(flow)]`. It takes the flow's parameters, the input by reference, then
/// [`&Failure`](Failure), and returns a `Result<(), _>`. It is called for the flow that was
/// started, not for a nested flow. See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::on_stopped;

/// Marks a function as the list of the steps of which plans are made: its body is a [`steps!`] with a line for
/// each, `attach(cloud, volume: &Volume);`. What the function takes by reference, the service lends; what has a
/// type in the line, each plan gives. The function becomes a flow that takes a [`Plan`]. It takes the options
/// of [`#[flow]`](macro@flow). See [`guide::plans`].
#[cfg(feature = "macros")]
pub use steps_macros::plan;

/// Marks a function as a step. The function itself stays as it is and can still be called.
///
/// | option | means |
/// |---|---|
/// | `retry(times, every, backoff, max, jitter, when)` | the step is tried again after an error: [`policy::Retry`] |
/// | `timeout = "30s"` | the longest time for one attempt: [`policy::Policy`] |
/// | `poll(every, times, within)` | `Ok(None)` means "not yet", and the step is asked again: [`policy::Poll`] |
/// | `deaths = 5` | how many attempts in a row may end with the death of their process: [`policy::Policy::deaths`] |
/// | `blocking` | the function is not `async`, and runs on a thread for blocking work |
/// | `readonly` | the step changes nothing, so there is nothing to undo |
/// | `external` | the function submits a task that somebody else runs, and the line waits for their report: [`guide::external_tasks`] |
/// | `transaction` | the function works in a transaction of the store's own database, whose connection is its first parameter: its effect happens exactly once: [`guide::transactions`] |
/// | `volatile` | the output is not saved; a resume runs the step again |
/// | `name = "…"`, `alias = "…"` | the saved name of a line that has no name of its own, and an older one |
/// | `crate = path` | the path of the crate `steps`, if it is not `::steps` |
///
/// See [`guide::policies`].
#[cfg(feature = "macros")]
pub use steps_macros::step;

/// Marks the function that asks for an external step's task to be stopped: `#[stop(step)]`. It takes the
/// step's parameters, and returns nothing or a `Result<(), _>`. `retry(…)`, `timeout = "…"` and
/// `blocking` are as for [`#[step]`](macro@step). See [`guide::external_tasks`].
#[cfg(feature = "macros")]
pub use steps_macros::stop;

/// The steps of a flow, at the beginning of a function marked [`#[flow]`](macro@flow). Anywhere
/// else, `steps!` is an error. See [`guide::language`].
#[cfg(feature = "macros")]
pub use steps_macros::steps;

/// Marks the function that undoes what a step did: `#[undo(step)]`. It takes the step's parameters,
/// then `&Output`, and returns a `Result<(), _>`.
///
/// | option | means |
/// |---|---|
/// | `retry(…)`, `timeout = "…"`, `deaths = …`, `blocking`, `transaction` | as for [`#[step]`](macro@step) |
/// | `before` | the function takes one more parameter: a reference to what `#[observe]` returned before the step |
///
/// See [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::undo;

/// Marks the function that finds out whether a step's effect happened: `#[verify(step)]`. It takes
/// the step's parameters, and returns an `Option<Output>`, or a `Result` of one. See
/// [`guide::rollback`].
#[cfg(feature = "macros")]
pub use steps_macros::verify;

#[doc(hidden)]
pub use steps_core::codegen as __private;

/// What a module with flows needs: `use steps::prelude::*;`.
pub mod prelude {
    #[doc(no_inline)]
    pub use crate::{
        Cx, Engine, Failure, Open as _, Status,
        engine::{EngineError, Filter},
    };
    #[cfg(feature = "macros")]
    #[doc(no_inline)]
    pub use steps_macros::{
        flow, observe, on_check_in, on_done, on_failed, on_stopped, plan, step, steps, stop, undo,
        verify,
    };
    #[cfg(feature = "postgres")]
    #[doc(no_inline)]
    pub use steps_postgres::StartWithin as _;
}

/// Compiles and runs the README's examples as doc tests.
#[cfg(all(doctest, feature = "macros", feature = "sqlite"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
