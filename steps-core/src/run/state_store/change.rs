//! Changes a saved state between two passes.

use std::error::Error;

use super::{
    error::StateStoreError,
    place::StateStore,
    saver::{Saver, load},
};
use crate::model::state::State;

/// How often [`change`] loads again before it gives up.
const TRIES: usize = 8;

/// Changes a saved state between two passes: gives a step its signal, clears what failed, decides on an undo that
/// failed. Nothing of the flow runs; the next pass goes on from the changed state.
///
/// If somebody else saves in between, the state is loaded again, and `change` is called again. A pass that is
/// under way meanwhile stops with a [conflict](super::NotSaved::Conflict), and the pass after it has the change.
///
/// ```
/// use steps::{Outcome, prelude::*, state_store::{self, StateFile}};
///
/// #[flow]
/// async fn publish(page: String) -> Result<String, String> {
///     steps! { approved_by = steps::signal::<String>(); }
///     Ok(format!("{page}, approved by {approved_by}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let file = StateFile::new(folder.path().join("page.json"));
/// let pass = publish("home".into()).stored_in(&file).advance().await?;
/// assert!(matches!(pass.outcome, Outcome::Waiting { .. }));
///
/// state_store::change(&file, |state| {
///     let mut typed = PublishState::from(state.clone());
///     typed.signal(publish::STEPS.approved_by, &"Ada".to_owned())?;
///     *state = typed.into();
///     Ok::<_, steps::SignalError>(())
/// })
/// .await?;
/// assert_eq!(publish("home".into()).stored_in(&file).await?, "home, approved by Ada");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`StateStoreError::Nothing`] if nothing was saved yet, [`StateStoreError::Refused`] if `change` returned an
/// error, and the errors of loading and saving. The saved state is then as it was.
pub async fn change<S: StateStore, T, E>(
    store: &S,
    change: impl Fn(&mut State) -> Result<T, E>,
) -> Result<T, StateStoreError<S::Error>>
where
    E: Error + Send + Sync + 'static,
{
    let mut tries = 1;
    loop {
        let Some((mut state, version)) = load(store, None).await? else {
            return Err(StateStoreError::Nothing);
        };
        let mut saver = Saver::new(store, Some(version), state.clone());
        let changed = change(&mut state).map_err(|why| StateStoreError::Refused(why.into()))?;
        match saver.save(state).await {
            Ok(()) => return Ok(changed),
            Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}
