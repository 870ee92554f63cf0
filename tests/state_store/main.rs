//! The state of a run in a place of the user's: `Run::stored_in`, `StateStore`, `state_store::change`.

mod changed;
mod crashes;
mod file;
mod place;
mod refused;
mod rules;
mod saves;
