//! The context of a running step: access to the run that it belongs to.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    children::{NewChild, OwnFlows, RunEngine},
    host::StepHost,
};
use crate::{
    base::{clock::Clock, error::StepError, read_back::record_unread},
    model::{
        state::{Kind, Progress, Until},
        task::Task,
    },
};

/// Why a running step should end early: [`Cx::cancel_reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelReason {
    /// The process is shutting down. The execution goes on in another process, or after the next
    /// start of this one.
    Shutdown,
    /// The execution must [stop](crate::Control::stop). It goes on when it is recovered.
    Stop,
    /// The execution must be [undone](crate::Control::undo).
    Undo,
    /// A step beside this one has failed.
    SiblingFailed,
    /// Another line of the same `race` was done first. What this one does is undone.
    LostRace,
    /// The attempt has taken longer than its `timeout`, and has failed. Only a
    /// `blocking` function sees this, as other functions
    /// are dropped then.
    TimedOut,
}

/// The context of the running step.
///
/// A step that needs it takes a `&Cx` parameter, like any other parameter. In a flow's arguments
/// and conditions the name `cx` stands for it. In a group's conditions and items `cx` is the
/// context of the group.
///
/// ```
/// use steps::prelude::*;
///
/// #[step(retry(times = 1, every = "1ms"))]
/// async fn submit(cx: &Cx, url: &str) -> Result<u32, String> {
///     let key = cx.idempotency_key(); // the same on every attempt
///     println!("POST {url} with Idempotency-Key: {key}");
///     match cx.attempt() {
///         1 => Err("connection reset".to_owned()),
///         attempt => Ok(attempt),
///     }
/// }
///
/// #[flow]
/// async fn order(url: String) -> Result<u32, String> {
///     steps! { attempts = submit(cx, &url); }
///     Ok(attempts)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steps::Failure> {
/// assert_eq!(order("https://shop.example".into()).await?, 2);
/// # Ok(())
/// # }
/// ```
pub struct Cx {
    pub(super) host: Arc<dyn StepHost>,
    pub(crate) id: u32,
    pub(crate) attempt: u32,
    /// Set when the attempt times out; `None` if it can't.
    timed_out: Option<Arc<AtomicBool>>,
    /// Whether this is the context of an `#[undo]`, whose arguments have been evaluated.
    undoing: AtomicBool,
}

impl Clone for Cx {
    fn clone(&self) -> Self {
        Self {
            host: Arc::clone(&self.host),
            id: self.id,
            attempt: self.attempt,
            timed_out: self.timed_out.clone(),
            undoing: AtomicBool::new(self.is_undoing()),
        }
    }
}

impl fmt::Debug for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("path", &self.path())
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl Cx {
    pub(crate) fn new(host: Arc<dyn StepHost>, id: u32, attempt: u32) -> Self {
        Self {
            host,
            id,
            attempt,
            timed_out: None,
            undoing: AtomicBool::new(false),
        }
    }

    /// Notes that an `#[undo]` is called with this context.
    pub(crate) fn undoes(&self) {
        self.undoing.store(true, Ordering::Relaxed);
    }

    /// Returns whether an `#[undo]` is called with this context.
    pub(super) fn is_undoing(&self) -> bool {
        self.undoing.load(Ordering::Relaxed)
    }

    /// Returns the context for a call that can time out.
    pub(crate) fn with_timeout(&self) -> Self {
        Self {
            timed_out: Some(Arc::default()),
            ..self.clone()
        }
    }

    /// Tells the call that it has timed out.
    pub(crate) fn time_out(&self) {
        if let Some(timed_out) = &self.timed_out {
            timed_out.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the number of this attempt, from 1. Asking again after a "not yet" counts as an
    /// attempt, and so does running again after a resume.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the step's path in the tree, such as `create.vm` or `all.host-7.patch`.
    pub fn path(&self) -> String {
        self.host.path(self.id)
    }

    /// Returns the execution's id: the one that it was [started](crate::engine::Start::id) or
    /// [run](crate::Run::id) with, or else one of its own. It is the same in every process.
    pub fn execution(&self) -> &str {
        self.host.execution()
    }

    /// Returns the number of the round in which the step stands, from 1: that of the innermost `loop`
    /// around it, which may be one around its flow. `None` outside of a `loop`.
    pub fn round(&self) -> Option<u32> {
        self.host.around(self.id, Kind::Round)?.parse().ok()
    }

    /// Returns the key of the item in which the step stands: that of the innermost `for` around it,
    /// which may be one around its flow. `None` outside of a `for`.
    ///
    /// ```
    /// use steps::prelude::*;
    ///
    /// #[step]
    /// async fn place(cx: &Cx) -> Result<String, String> {
    ///     Ok(format!("{:?} {:?}", cx.item(), cx.round()))
    /// }
    ///
    /// #[flow]
    /// async fn tour() -> Result<String, String> {
    ///     steps! {
    ///         towns = for town in ["Bergen", "Oslo"] by town {
    ///             days = loop max 2 { it = place(cx); } until cx.round() == Some(2);
    ///         }
    ///     }
    ///     Ok(towns[0].days.it.clone())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), steps::Failure> {
    /// assert_eq!(tour().await?, r#"Some("Bergen") Some(2)"#);
    /// # Ok(())
    /// # }
    /// ```
    pub fn item(&self) -> Option<String> {
        self.host.around(self.id, Kind::Item)
    }

    pub(crate) fn host_engine(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.host.engine().map(RunEngine::as_any)
    }

    /// Returns a key for what is done now, made of the execution's id and the step's path. A service
    /// that is given the key can tell that it has seen a request before.
    ///
    /// * The key is the same for every attempt, even in another process, and after
    ///   [`recover`](crate::State::recover) of a failure that was held.
    /// * It is another for each other step, when the step is done again after a rollback or after a
    ///   [retry from](crate::State::reset) a step, and in another execution of an engine that has
    ///   the id of one that was deleted.
    /// * An `#[undo]` function that takes a `&Cx` gets a key of its own from it, the same for every
    ///   attempt of this undo. To be given the step's key, it takes it as an argument: in the flow,
    ///   `charge(bank, cx, &cx.idempotency_key())` passes the step's key to the step, to its
    ///   `#[verify]`, and to its `#[undo]`.
    pub fn idempotency_key(&self) -> String {
        let mut key = self.host.idempotency_key(self.id);
        if self.is_undoing() {
            key.push_str("~undo");
        }
        key
    }

    /// Returns the step's external task.
    pub(crate) fn task(&self) -> Option<Task> {
        self.host.task(self.id)
    }

    /// Returns the value of one of the execution's labels.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.host.label(name)
    }

    /// Saves working data of this step for its later attempts, in this pass or a later one. It
    /// replaces the data saved before. It is written with the step's next record, as `info` in the
    /// JSON, and read from outside by [`StepState::info`](crate::model::typed::StepState::info).
    ///
    /// ```
    /// use steps::prelude::*;
    ///
    /// /// Asks only those hosts again that did not answer before.
    /// #[step(readonly, poll(every = "1ms"))]
    /// async fn all_answer(cx: &Cx, hosts: &[String]) -> Result<Option<()>, String> {
    ///     let mut silent = cx.saved().unwrap_or_else(|| hosts.to_vec());
    ///     silent.pop(); // that one has answered now
    ///     cx.save(&silent).map_err(|e| e.to_string())?;
    ///     Ok(silent.is_empty().then_some(()))
    /// }
    ///
    /// #[flow]
    /// async fn wake(hosts: Vec<String>) -> Result<(), String> {
    ///     steps! { answers = all_answer(cx, &hosts); }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), steps::Failure> {
    /// let pass = wake(vec!["a".into(), "b".into()]).advance().await?;
    /// assert_eq!(pass.state.answers.info(), Some(vec!["a".to_owned()]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the value can't be saved as JSON, which has no NaN and no infinity, or is
    /// larger than the run's
    /// [`RunLimits`](crate::RunLimits) allow.
    pub fn save<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), serde_json::Error> {
        let json = record_unread(value)?;
        let saved = self.host.save(self.id, json);
        saved.map_err(|error| serde::ser::Error::custom(error.text()))
    }

    /// Returns the data that an earlier attempt saved; `None` if there is none, or if it can't be
    /// decoded as a `T`.
    pub fn saved<T: DeserializeOwned>(&self) -> Option<T> {
        self.host.saved(self.id)?.decode().ok()
    }

    /// Returns whether the step should end early, for any [reason](Self::cancel_reason). A running
    /// step is never interrupted; it may call this method instead.
    pub fn cancelled(&self) -> bool {
        self.cancel_reason().is_some()
    }

    /// Returns why the step should end early, if it should.
    ///
    /// A step that ends early returns an error. After a stop or a shutdown that error is not a
    /// failure: it is not recorded, uses up no retry, and the step runs again when the execution
    /// goes on.
    ///
    /// ```
    /// use steps::{CancelReason, testing::Context};
    ///
    /// let context = Context::new();
    /// assert_eq!(context.cx().cancel_reason(), None);
    /// context.cancel(CancelReason::Shutdown);
    /// assert_eq!(context.cx().cancel_reason(), Some(CancelReason::Shutdown));
    /// ```
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        let is_late = |late: &Arc<AtomicBool>| late.load(Ordering::Relaxed);
        if self.timed_out.as_ref().is_some_and(is_late) {
            return Some(CancelReason::TimedOut);
        }
        self.host.cancel_reason(self.id)
    }

    /// Reports the step's progress to observers and to the saved tree. `total` is 0 if it is not
    /// known.
    pub fn progress(&self, done: u64, total: u64) {
        self.host.progress(self.id, Progress { done, total });
    }

    /// Returns what this step waits for, which is to wait this long. `None` if the wait is over.
    pub(crate) fn wait(&self, wait: Duration) -> Option<Until> {
        self.host.wait(self.id, wait)
    }

    /// Returns that this step waits for a signal, unless this time since its beginning is over.
    pub(crate) fn wait_within(&self, within: Duration) -> Option<Until> {
        self.host.wait_within(self.id, within)
    }

    /// Returns the signal that was sent to this step.
    pub(crate) fn signal<T: DeserializeOwned>(&self) -> Option<Result<T, StepError>> {
        let given = self.host.signal(self.id)?;
        Some(given.decode().map_err(|e| {
            StepError::fatal(format!(
                "the signal that was given to it can't be read: {e}"
            ))
        }))
    }
}

/// What lines that start other executions ask the run for.
impl Cx {
    /// Returns the engine, if one makes the run.
    pub(crate) fn run_engine(&self) -> Option<&dyn RunEngine> {
        self.host.engine()
    }

    /// Returns the flow of this name that the run in memory was given.
    pub(crate) fn own_flow(&self, name: &str) -> Option<&(dyn Any + Send + Sync)> {
        self.own_flows().get(name).map(|flow| &**flow)
    }

    /// Returns the flows that the run in memory was given.
    pub(crate) fn own_flows(&self) -> &OwnFlows {
        self.host.own_flows()
    }

    /// Returns the run's clock.
    pub(crate) fn clock(&self) -> Clock {
        self.host.clock()
    }

    /// Notes the child that this line starts: it is created by the write that records that the line
    /// is done.
    pub(crate) fn starts(&self, child: NewChild) {
        self.host.starts(self.id, child);
    }

    /// Notes that the end of a child is asked for: what is told of it from now on is news.
    pub(crate) fn asks_for(&self, child: &str) {
        self.host.asks_for(self.id, child);
    }

    /// Takes room for the step's output in the tree.
    pub(crate) fn take_room(&self, bytes: usize) -> Result<(), StepError> {
        self.host.take_room(self.id, bytes)
    }

    /// Returns which doing of the line this is; 0 for the first.
    pub(crate) fn generation(&self) -> u32 {
        self.host.generation(self.id)
    }

    /// Returns the end of a pause that begins now.
    pub(crate) fn pause(&self, pause: std::time::Duration) -> Until {
        self.host.pause(self.id, pause)
    }
}
