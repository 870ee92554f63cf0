//! Gives values to steps that wait for them, while the flow runs.

use std::sync::{Arc, Mutex, Weak};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    base::{json::Json, read_back::record, sync::lock},
    interpreter::{RunCore, RunLimits, SignalQueue},
    language::flow::Flow,
    model::{
        signal::{Position, SignalError, Target, find::find},
        state::{State, path},
        table::Table,
        task::{Gone, ReportError, Reported, TaskId, TaskReport},
        typed::AsSignalRef,
    },
};

/// Gives signals to a flow that runs in memory, from another task.
///
/// Clones share the same signals, which one run at a time [takes](crate::Run::signals). A step is
/// named by its reference, so a value of the wrong type, or a step that does not exist or takes no
/// signals, is a compile error. What no step has taken when the run ends stays for the next run that
/// is given the same `Signals`, such as one that goes on from the saved state.
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
    queue: Arc<SignalQueue>,
    run: Mutex<Option<Attached>>,
}

/// The run that takes the signals.
#[derive(Debug)]
struct Attached {
    run: Weak<RunCore>,
    table: &'static Table,
}

impl Signals {
    /// Creates an empty set of signals.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a value to a step. It is kept until the step waits for it. Signals queue: the step takes
    /// the one that was sent first, and each is taken once. Inside a `for` or a `loop`, say which item
    /// or round is meant, `STEPS.hosts.approval.at("10.0.0.4")`, or that whichever waits takes it:
    /// `STEPS.hosts.approval.any()`.
    ///
    /// # Errors
    ///
    /// * [`SignalError::Value`]: the value can't be saved as JSON and read back, or is larger than
    ///   [the limit](crate::RunLimits::payload).
    /// * [`SignalError::Full`]: as many are queued for this path as [may be](crate::RunLimits::signals).
    /// * [`SignalError::TakesNone`], [`SignalError::NoItem`]: the step has one, was passed over, or has
    ///   ended; or there is no such item or round. Before a run has been given these signals, only
    ///   that the step has one is known.
    /// * [`SignalError::NoSignal`]: the reference is one to another flow's step.
    pub fn send<T: Serialize + DeserializeOwned + 'static>(
        &self,
        step: impl AsSignalRef<T>,
        value: &T,
    ) -> Result<(), SignalError> {
        self.put(&step.path(), record(value), Position::Behind)
    }

    /// Sends a value to a step, in the place of all values that were sent to the same step and that
    /// it has not taken.
    ///
    /// # Errors
    ///
    /// As of [`send`](Self::send).
    pub fn replace<T: Serialize + DeserializeOwned + 'static>(
        &self,
        step: impl AsSignalRef<T>,
        value: &T,
    ) -> Result<(), SignalError> {
        self.put(&step.path(), record(value), Position::Instead)
    }

    /// Sends a value to the step at this [path](crate::state::path), as [`send`](Self::send) does: for code that has the
    /// path and the value as text, from outside.
    ///
    /// # Errors
    ///
    /// As of [`send`](Self::send). Before a run has been given these signals, a path of no step is not found out.
    pub fn send_json(&self, path: &str, value: Json) -> Result<(), SignalError> {
        self.put(path, Ok(value), Position::Behind)
    }

    /// Checks that a flow has a step of this path that takes this value, and returns the path by the names that the flow
    /// has now. In the place of a key of an item or a round, a `*` means whichever waits.
    ///
    /// ```
    /// use steps::{Json, Signals, prelude::*};
    ///
    /// #[flow]
    /// async fn ask() -> Result<u32, String> {
    ///     steps! { answer = steps::signal::<u32>(); }
    ///     Ok(answer)
    /// }
    ///
    /// assert_eq!(Signals::check::<ask>("answer", &Json::encode(&42)?)?, "answer");
    /// assert!(Signals::check::<ask>("answer", &Json::encode("none")?).is_err());
    /// assert!(Signals::check::<ask>("question", &Json::encode(&42)?).is_err());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignalError::NoSignal`] and [`SignalError::Value`].
    pub fn check<F: Flow>(path: &str, value: &Json) -> Result<String, SignalError> {
        let found = find(F::TABLE, None::<(&State, Timestamp)>, path)?;
        RunLimits::DEFAULT.check_signal(path, found.meta, value)?;
        Ok(found.target.to_string())
    }

    /// Reports on an external task of the run that takes these signals, as
    /// [`Engine::report`](crate::Engine::report) does.
    ///
    /// # Errors
    ///
    /// As of [`Engine::report`](crate::Engine::report), but that an output or a check-in which is not of the
    /// step's type is found out when the step takes it.
    pub fn report(&self, task: &TaskId, report: TaskReport) -> Result<Reported, ReportError> {
        let report = report.checked()?;
        let queue = &self.0.queue;
        let run = lock(&self.0.run)
            .as_ref()
            .map(|attached| attached.run.upgrade());
        Ok(match run {
            Some(Some(run)) => run.report(queue, task, report),
            _ => Reported::Gone(Gone::Unknown),
        })
    }

    /// Checks that the step with this path can take a report, by what the flow says of it.
    ///
    /// ```
    /// use steps::{External, ReportError, Signals, TaskReport, prelude::*};
    ///
    /// #[step(external)]
    /// async fn scan(cx: &Cx) -> Result<External<u32>, String> {
    ///     println!("POST /scans, report to /tasks/{}", cx.task_id());
    ///     Ok(External::submitted())
    /// }
    ///
    /// #[flow]
    /// async fn publish() -> Result<u32, String> {
    ///     steps! { flaws = scan(cx); }
    ///     Ok(flaws)
    /// }
    ///
    /// assert_eq!(Signals::check_report::<publish>("flaws", &TaskReport::done(1, &3)?), Ok(()));
    /// let error = Signals::check_report::<publish>("flaws", &TaskReport::done(1, &"none")?);
    /// assert!(matches!(error, Err(ReportError::Output { .. })));
    /// # Ok::<_, steps::ReportError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`Engine::report`](crate::Engine::report), but for [`ReportError::Full`].
    pub fn check_report<F: Flow>(path: &str, report: &TaskReport) -> Result<(), ReportError> {
        let report = report.clone().checked()?;
        let names: Vec<_> = path::split(path).collect();
        RunLimits::DEFAULT.check_report(path, F::TABLE.step_at(&names), &report)
    }

    /// Returns the paths of the signals that no step has taken yet, in the order in which they were
    /// sent.
    pub fn untaken(&self) -> Vec<String> {
        self.0.queue.paths()
    }

    fn put(
        &self,
        path: &str,
        value: Result<Json, serde_json::Error>,
        position: Position,
    ) -> Result<(), SignalError> {
        let value = value.map_err(|error| SignalError::unsaved(path, &error))?;
        let queue = &self.0.queue;
        let attached = lock(&self.0.run)
            .as_ref()
            .map(|attached| (attached.run.upgrade(), attached.table));
        if let Some((Some(run), table)) = attached {
            return run.send(queue, table, path, value, position);
        }
        if let Some(status) = queue.ended() {
            return Err(SignalError::TakesNone {
                path: path.to_owned(),
                why: format!("the execution is {status}"),
            });
        }
        RunLimits::DEFAULT.check_signal_size(path, &value)?;
        let target = Target::parse(path);
        queue.put(target, value, &RunLimits::DEFAULT, position)
    }

    /// Lets a run take the signals.
    pub(super) fn attach(&self, run: &Arc<RunCore>, table: &'static Table) {
        self.0.queue.is_of(table);
        let run = Arc::downgrade(run);
        *lock(&self.0.run) = Some(Attached { run, table });
    }

    /// Returns signals with this queue, which only the engine adds to.
    pub(crate) fn of(queue: &Arc<SignalQueue>) -> Self {
        Self(Arc::new(Inbox {
            queue: Arc::clone(queue),
            run: Mutex::default(),
        }))
    }

    pub(super) fn queue(&self) -> Arc<SignalQueue> {
        Arc::clone(&self.0.queue)
    }
}
