//! Stops, suspends or undoes a flow while it runs.

use std::sync::Arc;

use crate::interpreter::{Request, RequestInbox};

/// Stops a flow that runs in memory, or has it undone, from another task.
///
/// All clones control the same runs. A request may be made before the run begins, and one control
/// may be given to several runs.
///
/// * After either request, no new step, attempt, poll, item or round begins. A running step may
///   finish, and its result is recorded; it can check [`Cx::cancelled`](crate::Cx::cancelled).
/// * [`stop`](Self::stop) leaves everything else as it is, and the run ends with
///   [`Cause::Stopped`](crate::model::failure::Cause::Stopped).
/// * [`undo`](Self::undo) rolls back what was done.
///
/// ```
/// use std::time::Duration;
/// use steps::{Cause, Control, Status, prelude::*};
///
/// #[step]
/// async fn rent(car: &str) -> Result<String, String> {
///     Ok(format!("the keys of {car}"))
/// }
///
/// #[undo(rent)]
/// async fn give_back(_car: &str, keys: &String) -> Result<(), String> {
///     println!("{keys} are back");
///     Ok(())
/// }
///
/// #[flow]
/// async fn trip(car: String) -> Result<String, String> {
///     steps! {
///         keys = rent(&car);
///         days = steps::sleep(Duration::from_secs(3 * 86_400));
///     }
///     Ok(keys)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let control = Control::new();
/// let run = tokio::spawn({
///     let control = control.clone();
///     async move { trip("KA 01".into()).control(&control).await }
/// });
/// tokio::time::sleep(Duration::from_millis(10)).await;
/// control.stop();
/// let stopped = run.await?.unwrap_err();
/// assert!(matches!(stopped.cause, Cause::Stopped));
///
/// // It can go on where it was, or be undone.
/// let undone = trip::resume((*stopped.state).clone())?.undo().await.unwrap_err();
/// assert!(matches!(undone.cause, Cause::Undone));
/// assert_eq!(undone.status(), Status::Undone);
///
/// let mut going_on = (*stopped.state).clone();
/// going_on.recover()?;
/// assert_eq!(going_on.status, Status::Running);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Control(pub(super) Arc<RequestInbox>);

impl Control {
    /// Creates a control without a request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run: it ends as soon as no step is running. If the flow ends first, it is done or
    /// has failed as usual. A rollback goes on, but pauses no more: an undo that would be tried
    /// again later has failed, and the run ends as [stuck](crate::Status::Stuck).
    pub fn stop(&self) {
        self.0.send(Request::Stop);
    }

    /// Suspends the run, for a process that has to give it up: nothing new begins, neither a step nor an undo, and what runs
    /// goes on to its end and is recorded. Then the pass ends, as
    /// [`PassEnd::Suspended`](crate::journal::PassEnd::Suspended), and the execution is no further than it was: a
    /// resume of the recorded state goes on from there.
    pub fn suspend(&self) {
        self.0.send(Request::Suspend);
    }

    /// Undoes the run: as soon as no step is running, the steps that are done are undone, last
    /// first, even if the flow has `on_failure = "hold"` or is already done. Steps that wait are
    /// given up, as they are when a sibling fails. An undo takes precedence over a
    /// [`stop`](Self::stop) before it. If a rollback pauses before it tries an undo again, the pause
    /// ends. Once the flow's `#[pivot]` is done, the request has no effect, and the run goes on.
    ///
    /// The run ends with [`Cause::Undone`](crate::model::failure::Cause::Undone), unless a step has
    /// failed in the meantime. `#[on_failed]` is called, unless the flow had ended before.
    pub fn undo(&self) {
        self.0.send(Request::Undo);
    }
}
