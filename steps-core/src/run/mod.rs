//! Runs a flow in memory: to its end, on from a saved state, or one pass at a time.
//!
//! This file has the builder, [`Run`]. `begin` turns it into a run, `fits` compares it with a saved state, `driver` makes the
//! passes, and `advance`, `control`, `passes` and `signals` have the types that its methods return and take. `state_store`
//! keeps the state of a run in a place of the user's.

mod advance;
mod begin;
pub(crate) mod children;
mod control;
mod driver;
mod ended;
mod fits;
mod passes;
mod signals;
pub mod state_store;
pub(crate) mod with;

use std::{future::IntoFuture, sync::Arc};

use jiff::Timestamp;

use crate::{
    base::{
        clock::{Clock, TestClock},
        future::BoxFuture,
        json::Json,
    },
    interpreter::{Observer, RunLimits, StepLog, WholeTree},
    journal::Journal,
    language::{
        children::{OwnFlows, RunEngine},
        flow::Flow,
    },
    model::{
        attrs::Attrs,
        compat::Misfit,
        event::Event,
        failure::{Cause, Failure},
        state::{Labels, State},
        typed::FlowState,
    },
    store::RowRanges,
};
pub use advance::{Advance, Outcome};
pub use children::{Child, Children};
pub use control::Control;
pub(crate) use driver::Ready;
pub(crate) use fits::is_input;
pub use passes::Passes;
pub use signals::Signals;

/// A flow that is ready to run: what a function marked `#[flow]` returns.
///
/// | call | does |
/// |---|---|
/// | `attach_volume(&cloud, spec).await` | runs to the end, in memory; if the flow fails, what it did is undone |
/// | `….resume(state).await` | the same, on from a saved state |
/// | `….advance().await` | one pass: runs what can run now, and returns the state |
///
/// The other methods are options, in any order, before one of these. Nothing runs before that.
///
/// ```
/// use steps::{Outcome, prelude::*};
///
/// #[step]
/// async fn order(part: &str) -> Result<u32, String> {
///     Ok(part.len() as u32)
/// }
///
/// /// `None` means "not yet".
/// #[step(readonly, poll(every = "1ms"))]
/// async fn arrived(cx: &Cx, _number: u32) -> Result<Option<String>, String> {
///     Ok((cx.attempt() == 3).then(|| "at the door".to_owned()))
/// }
///
/// #[flow]
/// async fn buy(part: String) -> Result<String, String> {
///     steps! {
///         number = order(&part);
///         parcel = arrived(cx, number);
///     }
///     Ok(parcel)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steps::Failure> {
/// // To the end: the run sleeps between the polls.
/// assert_eq!(buy("wheel".into()).await?, "at the door");
///
/// // One pass: ends at the first "not yet". `state` is what must be saved.
/// let advance = buy("wheel".into()).advance().await?;
/// assert!(matches!(advance.outcome, Outcome::Waiting { .. }));
/// assert_eq!(advance.state.number.output().unwrap(), Some(5));
///
/// // On from the saved state: `order` does not run again.
/// assert_eq!(buy("wheel".into()).resume(advance.state).await?, "at the door");
/// # Ok(())
/// # }
/// ```
///
/// If the future is dropped, or the process crashes, nothing is undone, and only what a
/// [`journal`](Self::journal) took is recorded.
#[must_use = "a flow does nothing until it is awaited"]
#[allow(missing_debug_implementations)]
pub struct Run<'a, F: Flow> {
    lent: F::Lent<'a>,
    input: F::Input,
    saved: Option<Box<State>>,
    options: Options,
}

#[derive(Default)]
struct Options {
    observer: Option<Observer>,
    /// What the steps reach the engine by that makes the run.
    engine: Option<Arc<dyn RunEngine>>,
    /// The same, where whoever makes the run starts its children.
    children: Option<Children>,
    log: Option<Arc<dyn StepLog>>,
    /// The flows of its children, where no engine makes it.
    flows: OwnFlows,
    journal: Option<Arc<dyn Journal>>,
    clock: Clock,
    due_by: Option<Timestamp>,
    signals: Option<Signals>,
    control: Option<Control>,
    execution: Option<Arc<str>>,
    instance: Option<Arc<str>>,
    replace_input: bool,
    /// The rows that the saved state was read without, and what has the whole tree.
    past: Option<(RowRanges, Arc<dyn WholeTree>)>,
    /// What the input was read from, if it was.
    read_from: Option<Json>,
    undo: bool,
    keeps_pauses: bool,
    looks: bool,
    limits: RunLimits,
    labels: Labels,
    attrs: Attrs,
}

impl<'a, F: Flow> Run<'a, F> {
    /// Called by the generated function.
    #[doc(hidden)]
    pub fn new(lent: F::Lent<'a>, input: F::Input) -> Self {
        Self {
            lent,
            input,
            saved: None,
            options: Options::default(),
        }
    }

    /// Called by the generated `resume`.
    #[doc(hidden)]
    #[allow(clippy::result_large_err)]
    pub fn from_saved(lent: F::Lent<'a>, saved: State) -> Result<Self, Failure> {
        let table = F::TABLE;
        let input = if table.answers_to(&saved.name) {
            let input = saved.input.as_ref().ok_or_else(|| {
                Misfit::Input("it has none; call the flow with one, and `.resume(…)`".to_owned())
            });
            input.and_then(|input| F::load_input(input).map_err(|e| Misfit::Input(e.to_string())))
        } else {
            Err(Misfit::OtherFlow {
                flow: table.name,
                saved: saved.name.to_string(),
            })
        };
        match input {
            Ok(input) => Ok(Self::new(lent, input)
                .read_from(saved.input.clone())
                .resume(saved)),
            Err(misfit) => Err(Failure {
                flow: table.name,
                cause: Cause::Misfit(misfit),
                state: Arc::new(saved),
            }),
        }
    }

    #[doc(hidden)]
    pub fn into_parts(self) -> (F::Lent<'a>, F::Input) {
        (self.lent, self.input)
    }

    /// Goes on from a saved state, at its first unfinished step. The state may be typed, such as
    /// `AttachVolumeState`, or an untyped [`State`].
    ///
    /// * A step that is done does not run again.
    /// * A step that was running when the state was saved runs again, unless it has a `#[verify]`
    ///   and that finds its effect. So an effect happens at least once.
    /// * A rollback that had begun goes on.
    /// * A flow that has ended returns its saved output, or the failure it ended with. To try again
    ///   what failed, see [`FlowState::recover`].
    ///
    /// The saved input is used. The input given to the function must be the same, as JSON;
    /// otherwise the run is refused, unless [`replace_input`](Self::replace_input) is called. If
    /// you have only the state, call the generated `attach_volume::resume(&cloud, state)?`, which
    /// takes the input from it.
    ///
    /// The state is compared with the compiled flow before anything runs. A state that does not fit
    /// is refused with [`Cause::Misfit`], which holds the result for each step.
    pub fn resume(mut self, saved: impl Into<State>) -> Self {
        self.saved = Some(Box::new(saved.into()));
        self
    }

    /// Uses the input given to the function instead of the saved one, and saves it. The outputs of
    /// steps that are done stay as they are, even if they depend on the old input.
    pub fn replace_input(mut self) -> Self {
        self.options.replace_input = true;
        self
    }

    /// Undoes a flow that is done, that failed and was held, that was stopped, or that has not
    /// ended. If the flow is stuck, tries its rollback again. Use it after
    /// [`resume`](Self::resume); to undo a run that is under way, use its [`Control`].
    ///
    /// If the flow has not ended, no new step begins. A step that was running when the state was
    /// saved runs again, unless its `#[verify]` finds its effect, because its output is needed to
    /// undo it. A step that waits is given up, unless its `#[verify]` finds its effect.
    ///
    /// The run then ends with a [`Failure`] even if everything was undone: its cause is
    /// [`Cause::Undone`], or the steps whose failure had been held.
    ///
    /// ```
    /// use steps::{Cause, Outcome, prelude::*};
    ///
    /// #[step]
    /// async fn reserve(seat: u32) -> Result<u32, String> {
    ///     Ok(seat)
    /// }
    ///
    /// #[undo(reserve)]
    /// async fn release(_seat: u32, reserved: &u32) -> Result<(), String> {
    ///     println!("seat {reserved} is free again");
    ///     Ok(())
    /// }
    ///
    /// #[flow]
    /// async fn book(seat: u32) -> Result<u32, String> {
    ///     steps! { reserved = reserve(seat); }
    ///     Ok(reserved)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), steps::Failure> {
    /// let booked = book(7).advance().await?;
    /// let undone = book(7).resume(booked.state).undo().await.unwrap_err();
    /// assert!(matches!(undone.cause, Cause::Undone));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A flow whose `#[pivot]` is done, and that has not failed, is not undone: the run ends at once
    /// with [`Cause::PastPivot`], and nothing changes.
    pub fn undo(mut self) -> Self {
        self.options.undo = true;
        self
    }

    /// Calls `observer` at each change of a node's status, and when a step reports its progress.
    /// The records of the run are locked during the call, so the observer must neither block nor
    /// use the [`Cx`](crate::Cx) of a running step. If several observers are set, only the last is
    /// called.
    pub fn observe(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self
    }

    /// Takes signals from `signals`. Without this, a run that waits only for
    /// signals ends with [`Cause::Waiting`]. [`advance`](Self::advance) does not wait and takes no
    /// signals: give them to the saved state.
    pub fn signals(mut self, signals: &Signals) -> Self {
        self.options.signals = Some(signals.clone());
        self
    }

    /// Takes requests from `control`, to stop or to undo. See [`Control`].
    pub fn control(mut self, control: &Control) -> Self {
        self.options.control = Some(control.clone());
        self
    }

    /// Commits each change to `journal`, and goes on only when the commit has returned. See
    /// [`journal`](crate::journal).
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.options.journal = Some(journal);
        self
    }

    /// Uses a test's clock for the times that are recorded and for waiting. See [`TestClock`].
    pub fn clock(mut self, clock: Arc<dyn TestClock>) -> Self {
        self.options.clock = Clock::Test(clock);
        self
    }

    /// Gives the execution a label, such as a project or an action. It is saved with the execution,
    /// and executions can be found by it. A second value for the same name replaces the first, and
    /// a saved value.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.labels.insert(name.into(), value.into());
        self
    }

    /// Sets the execution's attributes, which an engine's store keeps.
    pub(crate) fn attrs(mut self, attrs: Attrs) -> Self {
        self.options.attrs = attrs;
        self
    }

    /// Limits the size of the execution; by default [`RunLimits::DEFAULT`].
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Sets the execution's id, which is part of each step's [idempotency key]: text of 1 to 255
    /// bytes without control characters, such as a request's id; by default a new `UUIDv7`. With
    /// any other text, the run is refused. A resumed execution keeps the id in its saved state,
    /// whatever is set here.
    ///
    /// [idempotency key]: crate::Cx::idempotency_key
    pub fn id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.options.execution = Some(id.into());
        self
    }

    /// Tells a new execution from others that have had its id.
    pub(crate) fn instance(mut self, instance: Arc<str>) -> Self {
        self.options.instance = Some(instance);
        self
    }

    /// Runs to the end, like awaiting the run, and returns the state with the output: for the times
    /// of the steps, say, or to undo the flow later. A [`Failure`] always holds the state.
    ///
    /// # Errors
    ///
    /// The same as awaiting the run: if the flow failed, or could not be run.
    pub async fn with_state(self) -> Result<(F::Output, FlowState<F::Fields>), Failure> {
        let mut ready = self.ready(false)?;
        let output = ready.run().await?;
        Ok((output, FlowState::from(ready.run.state())))
    }

    /// Sets which rows the saved state was read without, as they are past, and what has the whole tree.
    pub(crate) fn past(mut self, rows: RowRanges, whole: Arc<dyn WholeTree>) -> Self {
        self.options.past = Some((rows, whole));
        self
    }

    /// Sets what the input was read from: then it is as a resume would have it.
    pub(crate) fn read_from(mut self, saved: Option<Json>) -> Self {
        self.options.read_from = saved;
        self
    }
}

impl<'a, F: Flow> IntoFuture for Run<'a, F> {
    type Output = Result<F::Output, Failure>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        // Values that are built before the future is boxed need not be moved into it.
        match self.ready(false) {
            Ok(mut ready) => Box::pin(async move { ready.run().await }),
            Err(failure) => Box::pin(std::future::ready(Err(failure))),
        }
    }
}
