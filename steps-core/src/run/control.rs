//! Stopping a flow while it runs, or having it undone.

use std::sync::Arc;

use crate::interpreter::{Request, RequestInbox};

/// A way to stop a flow that runs in memory, or to have it undone, from another task.
///
/// Clones are the same. It may be used before the run begins, and for several runs at once.
///
/// * Whatever is asked, no new step begins, no attempt, poll, item or round; one that is running is
///   let finish, and recorded. It may look at [`Cx::cancelled`](crate::Cx::cancelled).
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
/// going_on.recover();
/// assert_eq!(going_on.status, Status::Running);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Control(pub(super) Arc<RequestInbox>);

impl Control {
    /// Nothing is asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run: it ends as soon as no step is running. If the flow comes to its end first, it is
    /// done, or has failed. A rollback is not stopped.
    pub fn stop(&self) {
        self.0.send(Request::Stop);
    }

    /// Has the run undone: when no step is running any more, what was done is undone, last first, also
    /// where the flow has `on_failure = "hold"`, or was done already. What waits is given up, as it is
    /// beside a failure. It goes before [`stop`](Self::stop); a rollback that is under way goes on as
    /// it would.
    ///
    /// The run ends with [`Cause::Undone`](crate::model::failure::Cause::Undone), unless a step failed meanwhile. An
    /// `#[on_failed]` is called, unless the flow had ended before.
    pub fn undo(&self) {
        self.0.send(Request::Undo);
    }
}
