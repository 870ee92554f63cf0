//! What a running step may ask of the run it belongs to.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    base::{error::StepError, json::Json},
    model::state::{Progress, Until},
};

/// What a [`Cx`] asks of the run that its step belongs to. Steps are numbered as the run numbers
/// its nodes.
pub(crate) trait StepHost: Send + Sync {
    /// The path of a node.
    fn path(&self, id: u32) -> String;
    /// The execution's id.
    fn execution(&self) -> &str;
    /// The value of one of the execution's labels.
    fn label(&self, name: &str) -> Option<&str>;
    /// Keeps a node's working data, unless it is over the limit.
    fn save(&self, id: u32, data: Json) -> Result<(), StepError>;
    /// A node's working data.
    fn saved(&self, id: u32) -> Option<Json>;
    /// Whether a running step should end early.
    fn should_end(&self, id: u32) -> bool;
    /// Records how far a step has come.
    fn progress(&self, id: u32, progress: Progress);
    /// What a node waits for, if an earlier attempt said so.
    fn until(&self, id: u32) -> Option<Until>;
    /// The value of the signal that was sent to a node.
    fn signal(&self, id: u32) -> Option<Json>;
    /// The time, by the run's clock.
    fn now(&self) -> Timestamp;
}

/// The running step's own context.
///
/// A step that wants it takes it as a `&Cx` parameter, like any other; in a flow's arguments and
/// conditions the name `cx` stands for it. A group's conditions and items have the group's own.
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
    host: Arc<dyn StepHost>,
    pub(crate) id: u32,
    pub(crate) attempt: u32,
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
        Self { host, id, attempt }
    }

    /// Which attempt this is, from 1. Asking again after a "not yet" counts as one, and so does
    /// running again after a resume.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The step's path in the tree, such as `create.vm` or `all.host-7.patch`.
    pub fn path(&self) -> String {
        self.host.path(self.id)
    }

    /// A key that is the same on every attempt of this step of this execution, also in another
    /// process, and different for every other: the execution's id and the path.
    pub fn idempotency_key(&self) -> String {
        format!("{}/{}", self.host.execution(), self.path())
    }

    /// The value of one of the execution's labels.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.host.label(name)
    }

    /// Keeps working data of this step for its later attempts, in this pass or another; it
    /// replaces what was kept before. It is saved with the step's next record, as `info` in the
    /// JSON, and read outside by [`StepState::info`](crate::model::typed::StepState::info).
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
    /// Where the value can't be saved as JSON, or is larger than the run's
    /// [`RunLimits`](crate::RunLimits) allow.
    pub fn save<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), serde_json::Error> {
        let json = Json::encode(value)?;
        let saved = self.host.save(self.id, json);
        saved.map_err(|error| serde::ser::Error::custom(error.text()))
    }

    /// What an earlier attempt kept; `None` if that was nothing, or does not parse as a `T`.
    pub fn saved<T: DeserializeOwned>(&self) -> Option<T> {
        self.host.saved(self.id)?.decode().ok()
    }

    /// Whether the step had better end early: a sibling has failed, the execution is to be
    /// [stopped or undone](crate::Control), or its process is shutting down. A running step is never
    /// cut off; it may look here.
    pub fn cancelled(&self) -> bool {
        self.host.should_end(self.id)
    }

    /// Says how far the step has come, for observers and the saved tree. `total` is 0 where it is
    /// not known.
    pub fn progress(&self, done: u64, total: u64) {
        self.host.progress(self.id, Progress { done, total });
    }

    /// What this step waits for, if an earlier attempt of it said so.
    pub(crate) fn until(&self) -> Option<Until> {
        self.host.until(self.id)
    }

    /// The signal that was given to this step.
    pub(crate) fn signal<T: DeserializeOwned>(&self) -> Option<Result<T, StepError>> {
        let given = self.host.signal(self.id)?;
        Some(given.decode().map_err(|e| {
            StepError::fatal(format!(
                "the signal that was given to it can't be read: {e}"
            ))
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.host.now()
    }
}
