//! One pass of a flow, and its result.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use super::Run;
use crate::{
    base::clock::{Clock, Moment},
    interpreter::execution::PassOutcome,
    language::flow::Flow,
    model::{failure::Failure, typed::FlowState},
};

impl<F: Flow> Run<'_, F> {
    /// Lets [`advance`](Self::advance) ask a step that polls only when its pause is over: for a loop that also makes
    /// passes when nothing is due, such as a Kubernetes controller, which is woken by its own writes. Such a pass
    /// changes nothing.
    pub fn keep_pauses(mut self) -> Self {
        self.options.keeps_pauses = true;
        self
    }

    /// Makes one pass: runs what can run now, and returns what the flow waits for. A step makes at
    /// most one attempt in a pass.
    ///
    /// A step that polls is asked even if its pause is not over, because the caller decides when to
    /// make a pass, unless it [keeps pauses](Self::keep_pauses). The pause after an error and the time
    /// of a `sleep` are kept.
    ///
    /// # Errors
    ///
    /// If the pass could not be made, because the saved state does not fit or the journal failed. A
    /// failed step is no error here, but [`Outcome::Failed`].
    pub async fn advance(mut self) -> Result<Advance<F>, Failure> {
        self.options.signals = None;
        let eager = !self.options.keeps_pauses;
        let mut ready = self.ready(eager)?;
        let passed = ready.pass().await?;
        let state = ready.run.state();
        let mut next = None;
        let outcome = match passed {
            PassOutcome::Waiting(deadline) => {
                let clock = &ready.run.options.clock;
                next = deadline.map(|deadline| (deadline.moment, clock.clone()));
                Outcome::Waiting {
                    until: deadline.map(|deadline| deadline.until),
                    signals: ready.run.awaited_signals(),
                }
            }
            PassOutcome::Misfit { path, why } => return Err(ready.misfit(path, why)),
            // Nobody but an engine suspends a run.
            PassOutcome::Ended | PassOutcome::Stopped | PassOutcome::Suspended => match ready.end()
            {
                Ok(output) => Outcome::Done(output),
                Err(failure) => Outcome::Failed(failure),
            },
        };
        Ok(Advance {
            state: FlowState::from(state),
            outcome,
            next,
        })
    }
}

/// The result of one pass: see [`Run::advance`](crate::Run::advance).
///
/// A reconcile loop saves [`state`](Self::state), and calls the flow again after
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
/// /// Returns the text to save, and how long to wait before the next call.
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
    /// When the next pass is due, by the run's clock.
    next: Option<(Moment, Clock)>,
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
    /// The flow is done; this is its output.
    Done(T),
    /// The flow has failed, and its rollback is complete or [stuck](crate::Status::Stuck); or the
    /// flow is held; or a [`Control`](crate::Control) stopped it, or had it undone.
    Failed(Failure),
    /// There is nothing to do before a time or a signal.
    Waiting {
        /// The time; `None` if the flow waits only for signals.
        until: Option<Timestamp>,
        /// The [paths](crate::model::state::path) of the steps that wait for a signal.
        signals: Vec<String>,
    },
}

impl<F: Flow> Advance<F> {
    /// Returns how long to wait before the next pass: what a reconcile loop returns as `requeue
    /// after`. `None` if the flow has ended or waits only for signals; zero if the time has come.
    pub fn requeue_after(&self) -> Option<Duration> {
        let (due, clock) = self.next.as_ref()?;
        Some(due.since(clock.moment()))
    }
}
