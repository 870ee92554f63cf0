//! A run that its caller drives from pass to pass.

use std::fmt;

use super::{Outcome, Run, driver::Ready};
use crate::{
    interpreter::execution::PassOutcome,
    language::flow::Flow,
    model::{failure::Failure, state::State},
};

/// A run whose passes are made one by one, by whoever waits for it: [`Run::passes`].
///
/// Other than with [`Run::advance`], which begins with a saved state each time, the values of the steps stay in memory
/// between the passes, and the [signals](Run::signals) and the [control](Run::control) that the run was given count.
///
/// ```
/// use steps::{Outcome, Signals, prelude::*};
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
/// let mut run = invoice(100).signals(&signals).passes()?;
/// match run.pass().await? {
///     Outcome::Waiting { signals, .. } => assert_eq!(signals, ["approval"]),
///     other => panic!("{other:?}"),
/// }
/// signals.send(invoice::STEPS.approval, &"the boss".to_owned())?;
/// assert!(matches!(run.pass().await?, Outcome::Done(paid) if paid == "100, approved by the boss"));
/// # Ok(())
/// # }
/// ```
pub struct Passes<'a, F: Flow> {
    ready: Ready<'a, F>,
}

impl<F: Flow> fmt::Debug for Passes<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passes")
            .field("flow", &F::TABLE.name)
            .field("execution", self.ready.run.execution())
            .finish()
    }
}

impl<'a, F: Flow> Run<'a, F> {
    /// Checks the saved state, if there is one, and returns the run, for its caller to make the passes. Nothing has run yet.
    ///
    /// # Errors
    ///
    /// [`Cause::Misfit`](crate::failure::Cause::Misfit) if the saved state does not fit.
    #[allow(clippy::result_large_err)]
    pub fn passes(self) -> Result<Passes<'a, F>, Failure> {
        let ready = self.ready(false)?;
        Ok(Passes { ready })
    }
}

impl<F: Flow> Passes<'_, F> {
    /// Makes a pass: runs what can run now. What waits for a time that has not come goes on waiting, and so does what
    /// polls. The last batch that the journal gets says how the pass ended.
    ///
    /// # Errors
    ///
    /// If the pass could not be made, because the saved state or a signal does not fit or the journal failed. A failed step
    /// is no error here, but [`Outcome::Failed`].
    pub async fn pass(&mut self) -> Result<Outcome<F::Output>, Failure> {
        let run = &self.ready.run;
        run.deliver();
        // What it was given counts for this pass.
        run.was_given();
        self.readable()?;
        let passed = self.ready.pass().await?;
        self.readable()?;
        match passed {
            PassOutcome::Waiting(until) => Ok(Outcome::Waiting {
                until: until.map(|until| until.until),
                signals: self.ready.run.awaited_signals(),
            }),
            PassOutcome::Misfit { path, why } => Err(self.ready.misfit(path, why)),
            PassOutcome::Ended | PassOutcome::Stopped | PassOutcome::Suspended => {
                match self.ready.end() {
                    Ok(output) => Ok(Outcome::Done(output)),
                    Err(failure) => Ok(Outcome::Failed(failure)),
                }
            }
        }
    }

    #[allow(clippy::result_large_err)]
    fn readable(&self) -> Result<(), Failure> {
        self.ready.unreadable().map_or(Ok(()), Err)
    }

    /// Returns the tree as it is now.
    pub fn state(&self) -> State {
        self.ready.run.state()
    }
}
