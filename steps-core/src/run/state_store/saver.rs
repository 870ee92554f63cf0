//! Loads a saved state, and saves what a run records: at each batch, or at the end of each pass.

use std::{future::pending, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use super::{
    error::{NotSaved, SaveError, StateStoreError},
    largest::largest,
    place::{NewState, StateStore},
};
use crate::{
    journal::{Batch, BoxFuture, Journal, JournalError},
    model::state::State,
};

/// Loads the saved state with its version, for a pass of this flow.
pub(super) async fn load<S: StateStore>(
    store: &S,
    flow: Option<&'static str>,
) -> Result<Option<(State, S::Version)>, StateStoreError<S::Error>> {
    let loaded = store.load().await;
    let Some(saved) = loaded.map_err(|error| StateStoreError::Load { flow, error })? else {
        return Ok(None);
    };
    let state = State::from_json(&saved.json)
        .map_err(|error| StateStoreError::Unreadable { flow, error })?;
    Ok(Some((state, saved.version)))
}

/// Saves the states of one run, each over the one before.
pub(super) struct Saver<'s, S: StateStore> {
    store: &'s S,
    /// What is saved, as far as this saver knows.
    version: Option<S::Version>,
    last: Option<State>,
    /// Why it has stopped. Nothing is saved after that.
    failed: Option<StateStoreError<S::Error>>,
}

impl<'s, S: StateStore> Saver<'s, S> {
    pub(super) fn new(
        store: &'s S,
        version: Option<S::Version>,
        last: impl Into<Option<State>>,
    ) -> Self {
        Self {
            store,
            version,
            last: last.into(),
            failed: None,
        }
    }

    /// Saves a state, unless it is the one that is saved.
    pub(super) async fn save(&mut self, state: State) -> Result<(), StateStoreError<S::Error>> {
        if self.last.as_ref() == Some(&state) {
            return Ok(());
        }
        let json = state.to_json();
        let max = self.store.max_bytes();
        let bytes = self.store.bytes_for(&json);
        if bytes > max {
            let (step, step_bytes) = largest(&state);
            return Err(not_saved(
                state,
                NotSaved::TooLarge {
                    bytes,
                    max,
                    step,
                    step_bytes,
                },
            ));
        }
        let new = NewState {
            json: &json,
            state: &state,
        };
        match self.store.save(new, self.version.as_ref()).await {
            Ok(version) => {
                self.version = Some(version);
                self.last = Some(state);
                Ok(())
            }
            Err(SaveError::Conflict) => Err(not_saved(state, NotSaved::Conflict)),
            Err(SaveError::Store(error)) => Err(not_saved(state, NotSaved::Store(error))),
        }
    }

    /// Saves what the run sends, as long as it runs.
    pub(super) async fn serve(&mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        while let Some(Request { state, answer }) = requests.recv().await {
            let saved = match self.failed {
                Some(_) => false,
                None => match self.save(state).await {
                    Ok(()) => true,
                    Err(error) => {
                        self.failed = Some(error);
                        false
                    }
                },
            };
            // Nobody waits any more if the run was dropped.
            let _ = answer.send(saved);
        }
        // The run has let its journal go, and is about to end.
        pending::<()>().await;
    }

    /// Returns why it has stopped, if it has.
    pub(super) fn failed(self) -> Option<StateStoreError<S::Error>> {
        self.failed
    }
}

fn not_saved<E>(state: State, why: NotSaved<E>) -> StateStoreError<E> {
    StateStoreError::NotSaved {
        flow: state.name.to_string(),
        execution: state.id.as_deref().unwrap_or_default().to_owned(),
        why,
        state: Arc::new(state),
    }
}

/// A state to be saved.
pub(super) struct Request {
    state: State,
    /// Whether it is.
    answer: oneshot::Sender<bool>,
}

/// Which batches of a run are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    EachBatch,
    EachPass,
}

/// The run's side: a journal that sends the tree to the [`Saver`], which borrows the store.
pub(super) struct Sender {
    requests: mpsc::UnboundedSender<Request>,
    when: When,
    /// The journal that the run was given, which takes all batches, too.
    given: Option<Arc<dyn Journal>>,
}

impl Sender {
    pub(super) fn new(
        when: When,
        given: Option<Arc<dyn Journal>>,
    ) -> (Self, mpsc::UnboundedReceiver<Request>) {
        let (requests, receiver) = mpsc::unbounded_channel();
        let sender = Self {
            requests,
            when,
            given,
        };
        (sender, receiver)
    }

    async fn save(&self, state: State) -> Result<(), JournalError> {
        let (answer, answered) = oneshot::channel();
        // If nobody takes or answers it, the run is being dropped.
        let _ = self.requests.send(Request { state, answer });
        match answered.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(JournalError::new("its state could not be saved")),
        }
    }
}

impl Journal for Sender {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            if self.when == When::EachBatch || batch.pass_end().is_some() {
                self.save(batch.state()).await?;
            }
            match &self.given {
                Some(given) => given.commit(batch).await,
                None => Ok(()),
            }
        })
    }
}
