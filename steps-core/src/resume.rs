//! Running a flow in memory: to its end, on from a saved state, or one pass at a time.

use std::{
    fmt,
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    clock::{self, Clock, TestClock},
    compat::{Compatibility, Fit, Misfit, NodeFit, compare},
    error::{StepError, caught},
    failure::{Cause, Failure},
    flow::{Flow, FlowCell, Root},
    journal::Journal,
    json::Json,
    observe::Event,
    run::{
        Observer, RunLimits, Shared,
        attempt::Instrumented,
        tree::{ROOT, Tree},
        whole::{self, Passed, Whole},
    },
    scope::{BoxFuture, Enter, Entered, Saved, lock},
    state::{Labels, State},
    status::Status,
    view::{AsStepRef, FlowState},
};

/// A flow about to run: what a function marked `#[flow]` returns.
///
/// | call | does |
/// |---|---|
/// | `attach_volume(&cloud, spec).await` | runs to the end, in memory; where it fails, what it did is undone |
/// | `….resume(state).await` | the same, from where a saved state stops |
/// | `….advance().await` | one pass: runs what can run now, and hands the state back |
///
/// The other methods are options, in any order, before one of these. Nothing runs before.
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
/// // To the end: sleeps between the polls.
/// assert_eq!(buy("wheel".into()).await?, "at the door");
///
/// // One pass: ends at the first "not yet". What to save is in `state`.
/// let advance = buy("wheel".into()).advance().await?;
/// assert!(matches!(advance.outcome, Outcome::Waiting { .. }));
/// assert_eq!(advance.state.number.output().unwrap(), Some(5));
///
/// // On from there: `order` does not run again.
/// assert_eq!(buy("wheel".into()).resume(advance.state).await?, "at the door");
/// # Ok(())
/// # }
/// ```
///
/// Dropping the future, or a crash, leaves nothing undone and nothing recorded but what a
/// [`journal`](Self::journal) took.
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
    journal: Option<Arc<dyn Journal>>,
    clock: Clock,
    signals: Option<Signals>,
    execution: Option<Uuid>,
    replace_input: bool,
    undo: bool,
    limits: RunLimits,
    labels: Labels,
}

impl<'a, F: Flow> Run<'a, F> {
    /// What the generated function returns.
    #[doc(hidden)]
    pub fn new(lent: F::Lent<'a>, input: F::Input) -> Self {
        Self {
            lent,
            input,
            saved: None,
            options: Options::default(),
        }
    }

    /// What the generated `resume` returns.
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
            Ok(input) => Ok(Self::new(lent, input).resume(saved)),
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

    /// Goes on from a saved state, from its first unfinished step. It takes a typed state, such as
    /// `AttachVolumeState`, or an untyped [`State`].
    ///
    /// * A step that is done does not run again.
    /// * One that was running when the state was saved is asked by its `#[verify]`, if it has one,
    ///   whether its effect happened; otherwise it runs again. So an effect happens at least once.
    /// * A rollback that had begun goes on.
    /// * A flow that has ended gives its saved output, or the failure it ended with. To have what
    ///   failed tried again, see [`FlowState::recover`].
    ///
    /// The saved input is used. The one given to the function must be the same, as JSON; else the
    /// run is refused, unless [`replace_input`](Self::replace_input) is called. Where only the
    /// state is at hand, the generated `attach_volume::resume(&cloud, state)?` takes the input from
    /// it.
    ///
    /// The state is compared with the compiled flow before anything runs. One that does not fit is
    /// refused with [`Cause::Misfit`] and an answer for each step.
    pub fn resume(mut self, saved: impl Into<State>) -> Self {
        self.saved = Some(Box::new(saved.into()));
        self
    }

    /// Takes the input given to the function, whatever the saved one, and saves it. The outputs of
    /// steps that are done stay as they are, also if they came of the old input.
    pub fn replace_input(mut self) -> Self {
        self.options.replace_input = true;
        self
    }

    /// Undoes a flow that is done, or that failed and was held, and tries the rollback of one that
    /// is stuck again. Of use after [`resume`](Self::resume); a state that is in the middle of the
    /// work is refused.
    ///
    /// The run then ends with a [`Failure`] even where all went well: its cause is
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
    pub fn undo(mut self) -> Self {
        self.options.undo = true;
        self
    }

    /// Calls `observer` at each change of a node's status, and as steps say how far they have
    /// come. It is called in the middle of the run, with its records locked: it must neither block
    /// nor ask the [`Cx`](crate::Cx) of a running step. The last observer set is the one called.
    pub fn observe(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self
    }

    /// Takes [`Signals`] from here while it waits. Without them, a run that waits for nothing but
    /// a signal ends with [`Cause::Waiting`]. [`advance`](Self::advance) does not wait, so it
    /// takes none: there, signals are given to the saved state.
    pub fn signals(mut self, signals: &Signals) -> Self {
        self.options.signals = Some(signals.clone());
        self
    }

    /// Tells `journal` of each change, and goes on only when it is safe. See
    /// [`journal`](crate::journal).
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.options.journal = Some(journal);
        self
    }

    /// Takes the time from a test's clock: what is recorded, and what is waited for. See
    /// [`TestClock`].
    pub fn clock(mut self, clock: Arc<dyn TestClock>) -> Self {
        self.options.clock = Clock::Test(clock);
        self
    }

    /// Gives the execution a label, which is saved with it and by which it is found: a project, an
    /// object, an action. A second value for the same name replaces the first, and a saved one.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.labels.insert(name.into(), value.into());
        self
    }

    /// Bounds what the run may hold, in place of [`RunLimits::DEFAULT`].
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.options.limits = limits;
        self
    }

    /// The execution's id: part of each step's [idempotency key]. By default a new `UUIDv7`. A
    /// resume keeps the saved state's, whatever is said here.
    ///
    /// [idempotency key]: crate::Cx::idempotency_key
    pub fn id(mut self, id: Uuid) -> Self {
        self.options.execution = Some(id);
        self
    }

    /// One pass: runs what can run now, and says what there is to wait for. A step makes at most
    /// one attempt in a pass.
    ///
    /// A step that polls is asked, even if its pause is not over: the caller decides when to come.
    /// The pause after an error, and that of a `sleep`, are kept.
    ///
    /// # Errors
    ///
    /// Where the pass could not be made: the saved state does not fit, or the journal failed. That
    /// a step failed is no error here but [`Outcome::Failed`].
    pub async fn advance(self) -> Result<Advance<F>, Failure> {
        let mut ready = self.ready(true)?;
        let passed = ready.pass().await?;
        let state = ready.run.state();
        let outcome = match passed {
            Passed::Waiting(until) => {
                let mut signals = Vec::new();
                ready.run.tree().signals(ROOT, &mut signals);
                Outcome::Waiting { until, signals }
            }
            Passed::Misfit { path, why } => return Err(ready.misfit(path, why)),
            Passed::Ended => match ready.end() {
                Ok(output) => Outcome::Done(output),
                Err(failure) => Outcome::Failed(failure),
            },
        };
        Ok(Advance {
            state: FlowState::from(state),
            outcome,
        })
    }

    /// Runs to the end, as awaiting it does, and gives the state besides: for the times of the
    /// steps, say, or to undo it later. A [`Failure`] has the state in it in any case.
    ///
    /// # Errors
    ///
    /// As awaiting it has: where the flow failed, or could not be run.
    pub async fn with_state(mut self) -> Result<(F::Output, FlowState<F::Fields>), Failure> {
        let signals = self.options.signals.take();
        let mut ready = self.ready(false)?;
        let output = ready.run(signals).await?;
        Ok((output, FlowState::from(ready.run.state())))
    }

    /// Checks the saved state and builds the records.
    fn ready(self, eager: bool) -> Result<Ready<'a, F>, Failure> {
        let Self {
            lent,
            input,
            saved,
            options,
        } = self;
        let table = F::TABLE;
        let mut labels = options.labels.clone();
        let (tree, execution, saved) = match saved {
            None => (Tree::new(table.name, table.nodes.len()), None, None),
            Some(state) => match check::<F>(&state, &input, &options) {
                Ok(new_input) => {
                    let mut state = state;
                    if options.undo && state.status == Status::Stuck {
                        // Only a state that is not stuck is refused.
                        let _ = state.retry_undo();
                    }
                    let mut tree = Tree::from_state(&state, table.name, table.nodes);
                    if let Some(input) = new_input {
                        tree[ROOT].rare_mut().input = Some(input);
                    }
                    for (name, value) in &state.labels {
                        labels.entry(name.clone()).or_insert(value.clone());
                    }
                    (tree, state.id, Some(state))
                }
                Err(misfit) => {
                    return Err(Failure {
                        flow: table.name,
                        cause: Cause::Misfit(misfit),
                        state: Arc::new(*state),
                    });
                }
            },
        };
        let run = Arc::new(Shared::new(
            tree,
            execution.or(options.execution),
            options.clock,
            options.observer,
            options.journal,
            eager,
            options.limits,
            labels,
        ));
        Ok(Ready {
            run,
            undo: options.undo,
            lent,
            saved: Mutex::new(saved),
            given: Mutex::new(Some(input)),
            cell: FlowCell::default(),
        })
    }
}

/// Whether `state` is the flow's, with this input. Gives the input to record, where that changes.
fn check<F: Flow>(
    state: &State,
    given: &F::Input,
    options: &Options,
) -> Result<Option<Json>, Misfit> {
    let table = F::TABLE;
    if !table.answers_to(&state.name) {
        return Err(Misfit::OtherFlow {
            flow: table.name,
            saved: state.name.to_string(),
        });
    }
    if options.undo
        && matches!(
            state.status,
            Status::Pending | Status::Running | Status::Waiting | Status::Stopped
        )
    {
        return Err(Misfit::Status {
            wanted: "undone",
            status: state.status,
        });
    }
    let comparison = compare(state, table);
    if !comparison.is_compatible() {
        return Err(Misfit::Tree(comparison));
    }
    let Some(saved) = &state.input else {
        return Ok(None);
    };
    let given = caught(|| F::save_input(given)).map_err(|e| Misfit::Input(e.to_string()))?;
    if options.replace_input {
        return Ok(Some(given));
    }
    if !same(saved, &given) {
        return Err(Misfit::OtherInput {
            saved: saved.to_string(),
            given: given.to_string(),
        });
    }
    caught(|| F::load_input(saved)).map_err(|e| Misfit::Input(e.to_string()))?;
    Ok(None)
}

/// Whether two JSON texts say the same, whatever their spaces and the order of their fields.
fn same(a: &Json, b: &Json) -> bool {
    let value = |json: &Json| json.decode::<serde_json::Value>().ok();
    a == b || value(a) == value(b)
}

/// A run that has been checked, between its passes.
struct Ready<'a, F: Flow> {
    run: Arc<Shared>,
    undo: bool,
    lent: F::Lent<'a>,
    /// What it goes on from, until that has been restored.
    saved: Mutex<Option<Box<State>>>,
    given: Mutex<Option<F::Input>>,
    cell: FlowCell<F>,
}

impl<F: Flow> Whole for Ready<'_, F> {
    fn enter<'b>(&'b self, how: Enter<'b>) -> Result<Entered<'b>, StepError> {
        Root::<F>::enter(
            F::shorten(self.lent),
            lock(&self.given).take(),
            &self.cell,
            how,
        )
    }

    fn has_on_done(&self) -> bool {
        F::HAS_ON_DONE
    }

    fn load(&self, output: Option<&Json>) -> Result<(), StepError> {
        let saved = Saved::Output(output.map(Json::get));
        self.cell.load(saved).map_err(StepError::fatal)
    }
}

impl<F: Flow> Ready<'_, F> {
    /// Runs to the end, sleeping where there is nothing else to do.
    async fn run(&mut self, signals: Option<Signals>) -> Result<F::Output, Failure> {
        loop {
            match self.pass().await? {
                Passed::Waiting(until) => Box::pin(self.wait(until, signals.as_ref())).await?,
                Passed::Misfit { path, why } => return Err(self.misfit(path, why)),
                Passed::Ended => return self.end(),
            }
        }
    }

    async fn pass(&self) -> Result<Passed, Failure> {
        let pass = whole::pass(&self.run, F::TABLE, self, self.undo);
        let passed = if tracing::span_enabled!(tracing::Level::INFO) {
            let execution = self.run.execution();
            let span = tracing::info_span!("flow", name = F::TABLE.name, %execution);
            Instrumented(span, Box::pin(pass)).await
        } else {
            pass.await
        };
        if !matches!(passed, Ok(Passed::Misfit { .. })) {
            lock(&self.saved).take();
        }
        passed.map_err(|error| self.failure(Cause::Journal(error)))
    }

    /// A node that can't be read any more: the state is left as it was.
    fn misfit(&self, path: String, why: String) -> Failure {
        let misfit = Misfit::Tree(Compatibility {
            nodes: vec![NodeFit {
                path,
                fit: Fit::Retyped { why },
                breaks: true,
            }],
        });
        let saved = lock(&self.saved).take().map(|saved| *saved);
        Failure {
            flow: F::TABLE.name,
            cause: Cause::Misfit(misfit),
            state: Arc::new(saved.unwrap_or_else(|| self.run.state())),
        }
    }

    fn failure(&self, cause: Cause) -> Failure {
        Failure {
            flow: F::TABLE.name,
            cause,
            state: Arc::new(self.run.state()),
        }
    }

    /// Sleeps until it is time for the next pass, or a signal has come.
    async fn wait(
        &self,
        until: Option<Timestamp>,
        signals: Option<&Signals>,
    ) -> Result<(), Failure> {
        let sleep = async {
            match until {
                Some(time) => self.run.clock.sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        let Some(signals) = signals else {
            if until.is_none() {
                let mut paths = Vec::new();
                self.run.tree().signals(ROOT, &mut paths);
                return Err(self.failure(Cause::Waiting { signals: paths }));
            }
            sleep.await;
            return Ok(());
        };
        let sleep = std::pin::pin!(sleep);
        let given = std::pin::pin!(async {
            loop {
                let next = signals.0.given.notified();
                if signals.deliver(&self.run) {
                    return;
                }
                next.await;
            }
        });
        futures_util::future::select(sleep, given).await;
        Ok(())
    }

    fn end(&mut self) -> Result<F::Output, Failure> {
        let (status, output) = {
            let tree = self.run.tree();
            (tree[ROOT].status, tree[ROOT].output.clone())
        };
        if status == Status::Done {
            if let Some(output) = self.cell.take_output() {
                return Ok(output);
            }
            let text = output.as_ref().map_or("null", Json::get);
            return caught(|| (F::OUTPUT.decode)(text)).map_err(|e| {
                let why = format!("its saved output can't be read: {e}");
                self.failure(Cause::Misfit(Misfit::Input(why)))
            });
        }
        Err(self.failure(self.run.cause()))
    }
}

impl<'a, F: Flow> IntoFuture for Run<'a, F> {
    type Output = Result<F::Output, Failure>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(mut self) -> Self::IntoFuture {
        let signals = self.options.signals.take();
        // What is built before the future has its box need not be moved there.
        match self.ready(false) {
            Ok(mut ready) => Box::pin(async move { ready.run(signals).await }),
            Err(failure) => Box::pin(std::future::ready(Err(failure))),
        }
    }
}

/// What one pass came to: see [`Run::advance`].
///
/// A reconcile loop saves [`state`](Self::state), and comes again after
/// [`requeue_after`](Self::requeue_after):
///
/// ```
/// use steps::{Outcome, State, prelude::*};
///
/// #[step(readonly, poll(every = "5s", times = 100))]
/// async fn is_ready(cx: &Cx, _name: &str) -> Result<Option<()>, String> {
///     Ok((cx.attempt() > 1).then_some(()))
/// }
///
/// #[flow]
/// async fn roll_out(name: String) -> Result<(), String> {
///     steps! { is_ready(cx, &name); }
///     Ok(())
/// }
///
/// /// Gives the text to save, and when to come again.
/// async fn reconcile(saved: Option<String>) -> (String, Option<std::time::Duration>) {
///     let mut run = roll_out("web".into());
///     if let Some(text) = saved {
///         run = run.resume(State::from_json(&text).unwrap());
///     }
///     let advance = run.advance().await.unwrap();
///     if let Outcome::Failed(failure) = &advance.outcome {
///         eprintln!("{failure}");
///     }
///     (advance.state.state().to_json(), advance.requeue_after())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (saved, after) = reconcile(None).await;
/// assert!(after.unwrap().as_secs_f64() > 4.0);
/// let (_, after) = reconcile(Some(saved)).await;
/// assert_eq!(after, None);
/// # }
/// ```
#[non_exhaustive]
#[must_use = "the state has to be saved to go on from it"]
pub struct Advance<F: Flow> {
    /// The state to save.
    pub state: FlowState<F::Fields>,
    /// How far the flow has come.
    pub outcome: Outcome<F::Output>,
}

impl<F: Flow> fmt::Debug for Advance<F>
where
    F::Output: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Advance")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// How far a flow has come after a pass.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It is done; this is its output.
    Done(T),
    /// It has failed, and its rollback has ended: well, or [stuck](Status::Stuck).
    Failed(Failure),
    /// There is nothing to do before a time or a signal.
    Waiting {
        /// The time; none if only signals are waited for.
        until: Option<Timestamp>,
        /// The [paths](crate::state::path) of the steps that wait for a signal.
        signals: Vec<String>,
    },
}

impl<F: Flow> Advance<F> {
    /// How long to wait before the next pass: what a reconcile loop gives as `requeue after`.
    /// `None` where the flow has ended, or waits only for signals; zero where the time has come.
    pub fn requeue_after(&self) -> Option<Duration> {
        match self.outcome {
            Outcome::Waiting {
                until: Some(time), ..
            } => Some(clock::after(Timestamp::now(), time).unwrap_or_default()),
            _ => None,
        }
    }
}

/// A way to give signals to a flow that runs in memory, from another task.
///
/// Clones share the same signals. The step is named by its reference, so a value of the wrong
/// type, or a step that is not there, does not compile.
///
/// ```
/// use steps::{Signals, prelude::*};
///
/// #[step]
/// async fn pay(amount: u32, approved_by: &str) -> Result<String, String> {
///     Ok(format!("{amount}, approved by {approved_by}"))
/// }
///
/// #[flow]
/// async fn invoice(amount: u32) -> Result<String, String> {
///     steps! {
///         approval = steps::signal::<String>();
///         payment  = pay(amount, &approval);
///     }
///     Ok(payment)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signals = Signals::new();
/// let run = tokio::spawn({
///     let signals = signals.clone();
///     async move { invoice(100).signals(&signals).await }
/// });
/// signals.send(invoice::STEPS.approval, &"the boss".to_owned())?;
/// assert_eq!(run.await??, "100, approved by the boss");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<Inbox>);

#[derive(Debug, Default)]
struct Inbox {
    waiting: Mutex<Vec<(String, Json)>>,
    given: Notify,
}

impl Signals {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the step a value. It is kept until the step waits for it; a second value given
    /// before that replaces the first. Of a step in a `for` or a `loop` the key has to be given:
    /// `STEPS.hosts.approval.at("10.0.0.4")`.
    ///
    /// # Errors
    ///
    /// Where the value can't be saved as JSON.
    pub fn send<T: Serialize>(
        &self,
        step: impl AsStepRef<T>,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        let (path, json) = (step.path(), Json::encode(value)?);
        let mut waiting = lock(&self.0.waiting);
        waiting.retain(|(other, _)| *other != path);
        waiting.push((path, json));
        drop(waiting);
        self.0.given.notify_waiters();
        Ok(())
    }

    /// Gives the steps that wait what is there for them. Whether any step got something.
    fn deliver(&self, run: &Shared) -> bool {
        // The lock is not held while the run takes its own: an observer may send a signal.
        let given = std::mem::take(&mut *lock(&self.0.waiting));
        let before = given.len();
        let mut left = given;
        left.retain(|(path, value)| !run.signal(path, value));
        let delivered = left.len() < before;
        let mut waiting = lock(&self.0.waiting);
        left.retain(|(path, _)| waiting.iter().all(|(newer, _)| newer != path));
        waiting.splice(0..0, left);
        delivered
    }
}
