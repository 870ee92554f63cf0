//! The trait of a place that keeps a saved state, and what it is given and gives back.

use std::{error::Error, future::Future};

use super::error::SaveError;
use crate::model::state::State;

/// The place that keeps the saved state of one execution: a row, a file, an object.
///
/// [`Run::stored_in`](crate::Run::stored_in) takes one: it loads the state, runs the flow on from there, and
/// saves the state. Whoever saves says over which version, and a store refuses to save over any other. So of two
/// processes that have loaded the same version, one goes on, and the other has to load again.
///
/// A store is given text, and gives it back as it was, to the byte. Reading, checking and bounding it is done
/// here, the same for all stores. [`testing::state_store`](https://docs.rs/steps/latest/steps/testing/fn.state_store.html)
/// tries whether a store keeps to this. [`StateFile`](super::StateFile) is one.
///
/// ```
/// use std::{convert::Infallible, sync::Mutex};
/// use steps::{prelude::*, state_store::{NewState, SaveError, Saved, StateStore}};
///
/// /// A row of a table: a column for the state, and one for a counter that each `update … where version = ?`
/// /// compares and raises.
/// #[derive(Default)]
/// struct Row(Mutex<Option<(String, u64)>>);
///
/// impl StateStore for Row {
///     type Version = u64;
///     type Error = Infallible;
///
///     async fn load(&self) -> Result<Option<Saved<u64>>, Infallible> {
///         let row = self.0.lock().unwrap().clone();
///         Ok(row.map(|(json, version)| Saved::new(json, version)))
///     }
///
///     async fn save(&self, new: NewState<'_>, over: Option<&u64>) -> Result<u64, SaveError<Infallible>> {
///         let mut row = self.0.lock().unwrap();
///         if row.as_ref().map(|row| &row.1) != over {
///             return Err(SaveError::Conflict);
///         }
///         let version = over.map_or(1, |version| version + 1);
///         *row = Some((new.json.to_owned(), version));
///         Ok(version)
///     }
/// }
///
/// #[step]
/// async fn pack(order: u32) -> Result<String, String> {
///     Ok(format!("parcel {order}"))
/// }
///
/// /// `None` means "not yet".
/// #[step(readonly, poll(every = "5s"))]
/// async fn arrived(cx: &Cx, _parcel: &str) -> Result<Option<()>, String> {
///     Ok((cx.attempt() > 1).then_some(()))
/// }
///
/// #[flow]
/// async fn send(order: u32) -> Result<String, String> {
///     steps! {
///         parcel = pack(order);
///         arrived(cx, &parcel);
///     }
///     Ok(parcel)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let row = Row::default();
/// let pass = send(7).stored_in(&row).advance().await?;
/// assert!(pass.requeue_after().unwrap().as_secs_f64() > 4.0);
/// // Later, perhaps in another process: `pack` does not run again.
/// let pass = send(7).stored_in(&row).advance().await?;
/// assert!(matches!(pass.outcome, steps::Outcome::Done(parcel) if parcel == "parcel 7"));
/// # Ok(())
/// # }
/// ```
pub trait StateStore: Send + Sync {
    /// What tells one saved text from the next: a counter, the `resourceVersion` of an object, the text itself.
    type Version: Send + Sync;
    /// Why the place can't be read or written.
    type Error: Error + Send + Sync + 'static;

    /// Loads the text and its version. `None` if nothing was saved yet.
    fn load(
        &self,
    ) -> impl Future<Output = Result<Option<Saved<Self::Version>>, Self::Error>> + Send;

    /// Saves the text if the place still has the version `over`; without one, if it has nothing. Comparing and
    /// writing must be one: no other save may come in between. Returns the version of what is saved now.
    ///
    /// When this returns, what was saved must be safe: the next step has an effect on the strength of it. If it
    /// returns an error, or its future is dropped, either text may be there.
    ///
    /// # Errors
    ///
    /// [`SaveError::Conflict`] if the place has another version, [`SaveError::Store`] for anything else.
    fn save(
        &self,
        new: NewState<'_>,
        over: Option<&Self::Version>,
    ) -> impl Future<Output = Result<Self::Version, SaveError<Self::Error>>> + Send;

    /// The most bytes that the place takes. A longer text is refused before it is written, with an error that
    /// names the step which takes most of it: [`NotSaved::TooLarge`](super::NotSaved::TooLarge).
    fn max_bytes(&self) -> usize {
        usize::MAX
    }

    /// How many bytes of the place this text takes, to be compared with [`max_bytes`](Self::max_bytes). For a place
    /// that does not keep it byte for byte, such as a string in JSON, where each quotation mark takes two.
    fn bytes_for(&self, json: &str) -> usize {
        json.len()
    }
}

/// What a [`StateStore`] has loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved<V> {
    /// The text, as it was given to [`save`](StateStore::save).
    pub json: String,
    /// Its version, for saving over it.
    pub version: V,
}

impl<V> Saved<V> {
    /// What was loaded.
    pub fn new(json: impl Into<String>, version: V) -> Self {
        let json = json.into();
        Self { json, version }
    }
}

/// What a [`StateStore`] is to save.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NewState<'a> {
    /// The text to keep. It takes no more than [`max_bytes`](StateStore::max_bytes).
    pub json: &'a str,
    /// What the text says, for fields beside it: a status that queries can find, the step that waits.
    pub state: &'a State,
}

impl<'a> NewState<'a> {
    /// What is to be saved, for a test of a store.
    pub fn new(json: &'a str, state: &'a State) -> Self {
        Self { json, state }
    }
}
