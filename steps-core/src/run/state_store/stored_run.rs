//! A run whose state is loaded from a [`StateStore`] and saved there.

use std::{future::IntoFuture, pin::pin, sync::Arc};

use futures_util::future::{Either, select};

use super::{
    error::StateStoreError,
    place::StateStore,
    saver::{Saver, Sender, When, load},
};
use crate::{
    base::future::BoxFuture,
    language::flow::Flow,
    model::{failure::Failure, state::State},
    run::{Advance, Options, Run},
};

impl<'a, F: Flow> Run<'a, F> {
    /// Keeps the state of the run in `store`: loads it, goes on from there, and saves what is recorded. For a
    /// program that keeps the state in a column, a file or an object of its own, and needs no
    /// [`Engine`](crate::Engine). See [`StateStore`].
    ///
    /// ```
    /// use steps::{Outcome, prelude::*, state_store::StateFile};
    ///
    /// #[step]
    /// async fn rent(car: &str) -> Result<String, String> {
    ///     Ok(format!("the keys of {car}"))
    /// }
    ///
    /// #[flow]
    /// async fn trip(car: String) -> Result<String, String> {
    ///     steps! {
    ///         keys = rent(&car);
    ///         steps::sleep("3d");
    ///     }
    ///     Ok(keys)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let file = StateFile::new(folder.path().join("trip.json"));
    /// let pass = trip("KA 01".into()).stored_in(&file).advance().await?;
    /// assert!(matches!(pass.outcome, Outcome::Waiting { until: Some(_), .. }));
    ///
    /// // Plans have changed. The input is that of the saved state, whatever is given here.
    /// let pass = trip(String::new()).undo().stored_in(&file).with_saved_input().advance().await?;
    /// let Outcome::Failed(undone) = pass.outcome else { panic!() };
    /// assert_eq!(undone.status(), steps::Status::Undone);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stored_in<S: StateStore>(self, store: &'a S) -> StoredRun<'a, F, S> {
        StoredRun {
            run: self,
            store,
            when: When::EachBatch,
            with_saved_input: false,
        }
    }
}

/// A run whose state is kept in a [`StateStore`]: see [`Run::stored_in`].
///
/// | call | does |
/// |---|---|
/// | `….stored_in(&store).advance().await` | one pass: for a reconcile loop, which comes back |
/// | `….stored_in(&store).await` | runs to the end, sleeping where there is nothing else to do |
///
/// By default the state is saved whenever a [`Journal`](crate::journal::Journal) would be given a batch: before
/// each effect, and at the end of the pass. [`once_a_pass`](Self::once_a_pass) saves less often, and loses more
/// with a process that dies. What has not changed is not saved again.
#[must_use = "a flow does nothing until it is awaited"]
#[allow(missing_debug_implementations)]
pub struct StoredRun<'a, F: Flow, S: StateStore> {
    run: Run<'a, F>,
    store: &'a S,
    when: When,
    with_saved_input: bool,
}

impl<'a, F: Flow, S: StateStore> StoredRun<'a, F, S> {
    /// Saves only at the end of a pass: one write, whatever the pass has done.
    ///
    /// **If the process dies during a pass, or its save fails or meets a conflict, all of that pass is forgotten.**
    /// The next one runs its steps again, with the same [idempotency keys](crate::Cx::idempotency_key) if the run has
    /// an [`id`](Run::id) of its own, and asks no `#[verify]` first, as nothing says that they had begun. Two
    /// processes that make the same pass at once both do all of it, and then one of them can't save. So this is for
    /// steps that may run twice, such as those that only bring something into the state that it should be in.
    pub fn once_a_pass(mut self) -> Self {
        self.when = When::EachPass;
        self
    }

    /// Uses the saved input, if there is a saved state, and not the one given to the function. Without this, the two
    /// must be the same, and the run is refused if they are not.
    pub fn with_saved_input(mut self) -> Self {
        self.with_saved_input = true;
        self
    }

    /// Loads the state, makes one [pass](Run::advance) and saves the state.
    ///
    /// # Errors
    ///
    /// If the state could not be loaded or saved, or the pass could not be made. A failed step is no error here, but
    /// [`Outcome::Failed`](crate::Outcome::Failed).
    pub async fn advance(self) -> Result<Advance<F>, StateStoreError<S::Error>> {
        let (run, saver, when) = self.loaded().await?;
        saved(run, saver, when, |run| Box::pin(run.advance())).await
    }

    /// Loads the state, and hands it to the run.
    async fn loaded(self) -> Result<(Run<'a, F>, Saver<'a, S>, When), StateStoreError<S::Error>> {
        let Self {
            run,
            store,
            when,
            with_saved_input,
        } = self;
        let Some((state, version)) = load(store, Some(F::TABLE.name)).await? else {
            return Ok((run, Saver::new(store, None, None), when));
        };
        let saver = Saver::new(store, Some(version), state.clone());
        let run = if with_saved_input {
            let read = read_input(run, state);
            read.map_err(StateStoreError::Run)?
        } else {
            run.resume(state)
        };
        Ok((run, saver, when))
    }
}

/// Gives the run the input of its saved state.
#[allow(clippy::result_large_err)]
fn read_input<F: Flow>(run: Run<'_, F>, state: State) -> Result<Run<'_, F>, Failure> {
    let Run { lent, options, .. } = run;
    let mut read = Run::<F>::from_saved(lent, state)?;
    read.options = Options {
        read_from: read.options.read_from,
        ..options
    };
    Ok(read)
}

/// Runs on, and saves what is recorded.
async fn saved<'a, F: Flow, S: StateStore, T>(
    run: Run<'a, F>,
    mut saver: Saver<'a, S>,
    when: When,
    goes_on: impl FnOnce(Run<'a, F>) -> BoxFuture<'a, Result<T, Failure>>,
) -> Result<T, StateStoreError<S::Error>> {
    let mut run = run;
    let (sender, requests) = Sender::new(when, run.options.journal.take());
    let going = goes_on(run.journal(Arc::new(sender)));
    let ended = {
        let serving = pin!(saver.serve(requests));
        match select(going, serving).await {
            Either::Left((ended, _)) => ended,
            Either::Right(((), going)) => going.await,
        }
    };
    match saver.failed() {
        Some(error) => Err(error),
        None => ended.map_err(StateStoreError::Run),
    }
}

impl<'a, F: Flow, S: StateStore> IntoFuture for StoredRun<'a, F, S> {
    type Output = Result<F::Output, StateStoreError<S::Error>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (run, saver, when) = self.loaded().await?;
            saved(run, saver, when, IntoFuture::into_future).await
        })
    }
}
