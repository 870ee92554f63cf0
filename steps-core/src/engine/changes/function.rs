//! What is called with a change.

use std::{fmt, ops::Deref, time::Duration};

use crate::{
    base::{error::BoxError, future::BoxFuture},
    engine::{Engine, handle::execution::Handle},
    store::Change,
};

/// A change of the status of an execution or of a step, as a function is told of it. It is told after it is
/// safe in the store, **at least once**: after a crash, or where a call failed after its effect, it comes
/// again, with the same [`key`](Change::key). All that is known of it is in the [`Change`] that it derefs to.
#[derive(Clone)]
pub struct StatusChange {
    change: Change,
    engine: Engine,
}

impl StatusChange {
    pub(super) const fn new(change: Change, engine: Engine) -> Self {
        Self { change, engine }
    }

    /// Returns a handle on the execution. It may have changed further, or be deleted, since.
    pub fn handle(&self) -> Handle {
        let served = self.engine.flows.get(&self.change.flow);
        let table = served.map(|(_, served)| served.flow.table());
        let id = self.change.execution.as_str().into();
        Handle::new(self.engine.clone(), id, table)
    }

    /// Returns the engine, to start other executions on it. Don't keep it for longer than the call takes.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Deref for StatusChange {
    type Target = Change;

    fn deref(&self) -> &Change {
        &self.change
    }
}

impl fmt::Debug for StatusChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.change.fmt(f)
    }
}

/// What is called with changes: a function or closure `async fn(StatusChange) -> Result<(), E>`, with any error,
/// or a type that implements this.
///
/// It is async, and must not block its thread; what does goes to `tokio::task::spawn_blocking`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be told of changes",
    label = "no function of a change",
    note = "write a closure such as `async |change: StatusChange| -> Result<(), String> {{ … }}`, whose future is `Send`"
)]
pub trait ChangeFunction: Send + Sync + 'static {
    /// Tells one change. An error, a panic or the end of its time lets it be told again later, but for what a
    /// [`NotTold`] says.
    fn call(&self, change: StatusChange) -> BoxFuture<'static, Result<(), BoxError>>;
}

impl<F, Told, E> ChangeFunction for F
where
    F: Fn(StatusChange) -> Told + Send + Sync + 'static,
    Told: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    fn call(&self, change: StatusChange) -> BoxFuture<'static, Result<(), BoxError>> {
        let told = self(change);
        Box::pin(async move { told.await.map_err(Into::into) })
    }
}

/// An error of a [`ChangeFunction`] that says when a change is told again, or that it is not.
///
/// ```
/// use steps::engine::NotTold;
///
/// let error = NotTold::drop("the customer is gone");
/// assert_eq!(error.to_string(), "the customer is gone");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct NotTold {
    why: String,
    pub(super) then: Then,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Pause(Duration),
    GiveUp,
    End,
}

impl NotTold {
    /// This change is told again after this pause, if that is longer than the one that it would have; the
    /// [longest](super::OnChange::pauses) is the bound.
    pub fn later(why: impl Into<String>, pause: Duration) -> Self {
        Self {
            why: why.into(),
            then: Then::Pause(pause),
        }
    }

    /// This change is given up, which is an error in the log; the others are told.
    pub fn drop(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            then: Then::GiveUp,
        }
    }

    /// The function is told of nothing more, in no process, also after a restart, until its subscription is
    /// [forgotten](Engine::forget_changes). What it was not told yet is deleted.
    pub fn end(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            then: Then::End,
        }
    }
}
