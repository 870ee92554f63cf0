//! Gives values to steps that wait for them, while the flow runs.

use std::sync::{Arc, Mutex};

use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Notify;

use crate::{
    base::{json::Json, read_back::record, sync::lock},
    interpreter::RunCore,
    model::typed::AsStepRef,
};

/// Gives signals to a flow that runs in memory, from another task.
///
/// Clones share the same signals. A step is named by its reference, so a value of the wrong type,
/// or a step that does not exist, is a compile error.
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
pub struct Signals(pub(super) Arc<Inbox>);

#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<Vec<(String, Json)>>,
    pub(super) given: Notify,
}

impl Signals {
    /// Creates an empty set of signals.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a value to a step. The value is kept until the step waits for it; a second value
    /// before that replaces the first. For a step in a `for` or a `loop`, name the key:
    /// `STEPS.hosts.approval.at("10.0.0.4")`.
    ///
    /// # Errors
    ///
    /// If the value can't be saved as JSON and read back.
    pub fn send<T: Serialize + DeserializeOwned + 'static>(
        &self,
        step: impl AsStepRef<T>,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        let (path, json) = (step.path(), record(value)?);
        let mut waiting = lock(&self.0.waiting);
        waiting.retain(|(other, _)| *other != path);
        waiting.push((path, json));
        drop(waiting);
        self.0.given.notify_waiters();
        Ok(())
    }

    /// Gives the values to the steps that wait for them. Returns whether any step got one.
    pub(super) fn deliver(&self, run: &RunCore) -> bool {
        // The lock must not be held while the run locks its records: an observer, which is called
        // under that lock, may send a signal.
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
