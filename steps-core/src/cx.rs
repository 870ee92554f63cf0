//! What a running step may ask of the run it belongs to.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::StepError,
    json::Json,
    run::{Shared, tree::Id},
    state::{Progress, Until},
};

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
#[derive(Debug)]
pub struct Cx {
    pub(crate) run: Arc<Shared>,
    pub(crate) id: Id,
    pub(crate) attempt: u32,
}

impl Cx {
    /// Which attempt this is, from 1. Asking again after a "not yet" counts as one, and so does
    /// running again after a resume.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The step's path in the tree, such as `create.vm` or `all.host-7.patch`.
    pub fn path(&self) -> String {
        self.run.tree().path(self.id)
    }

    /// A key that is the same on every attempt of this step of this execution, also in another
    /// process, and different for every other: the execution's id and the path.
    pub fn idempotency_key(&self) -> String {
        format!("{}/{}", self.run.execution(), self.path())
    }

    /// The value of one of the execution's labels.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.run.labels.get(name).map(String::as_str)
    }

    /// Keeps working data of this step for its later attempts, in this pass or another; it
    /// replaces what was kept before. It is saved with the step's next record, as `info` in the
    /// JSON, and read outside by [`StepState::info`](crate::view::StepState::info).
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
        if let Err(error) = self.run.limits.check("working data", Some(&json)) {
            return Err(serde::ser::Error::custom(error.text()));
        }
        self.run.tree()[self.id].rare_mut().info = Some(json);
        self.run.mark(self.id);
        Ok(())
    }

    /// What an earlier attempt kept; `None` if that was nothing, or does not parse as a `T`.
    pub fn saved<T: DeserializeOwned>(&self) -> Option<T> {
        let info = self.run.tree()[self.id].rare().info.clone();
        info.and_then(|info| info.decode().ok())
    }

    /// Whether the step had better end early: a sibling has failed, the execution is to be
    /// [stopped or undone](crate::Control), or its process is shutting down. A running step is never
    /// cut off; it may look here.
    pub fn cancelled(&self) -> bool {
        self.run.had_better_end(self.id)
    }

    /// Says how far the step has come, for observers and the saved tree. `total` is 0 where it is
    /// not known.
    pub fn progress(&self, done: u64, total: u64) {
        let mut tree = self.run.tree();
        tree[self.id].rare_mut().progress = Some(Progress { done, total });
        self.run.mark(self.id);
        self.run.observe(&tree, self.id);
    }

    /// What this step waits for, if an earlier attempt of it said so.
    pub(crate) fn until(&self) -> Option<Until> {
        self.run.waited_for(self.id)
    }

    /// The signal that was given to this step.
    pub(crate) fn signal<T: DeserializeOwned>(&self) -> Option<Result<T, StepError>> {
        let tree = self.run.tree();
        let given = tree[self.id].rare().input.as_ref()?;
        Some(given.decode().map_err(|e| {
            StepError::fatal(format!(
                "the signal that was given to it can't be read: {e}"
            ))
        }))
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.run.clock.now()
    }
}
