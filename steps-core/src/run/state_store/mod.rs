//! Keeps the saved state of a run in one place: a column of a table, a file, the status of an object.
//!
//! [`StateStore`] is the trait of such a place, and [`StateFile`] is one in a file.
//! [`Run::stored_in`](crate::Run::stored_in) makes passes over a run whose state is kept so, and [`change`] changes
//! it between two passes. The guide has a page on it: [reconciling](https://docs.rs/steps/latest/steps/guide/reconciling/index.html).
//!
//! Many executions at once, and finding them, are for an [`Engine`](crate::Engine) and its
//! [`Store`](crate::store::Store).

// `place` has the trait, `stored_run` the run, `saver` writes what it records, `largest` finds what takes the room.
mod change;
mod error;
mod file;
mod largest;
mod place;
mod saver;
mod stored_run;

pub use change::change;
pub use error::{NotSaved, SaveError, StateStoreError};
pub use file::{FileVersion, StateFile, StateFileError};
pub use place::{NewState, Saved, StateStore};
pub use stored_run::StoredRun;
