//! The interpreter, state and journal beneath the `steps` crate.
#![forbid(unsafe_code)]

pub mod bind;
mod bound;
pub mod builtin;
pub mod cell;
pub mod clock;
pub mod compat;
mod cx;
pub mod error;
pub mod failure;
pub mod flow;
pub mod journal;
pub mod json;
pub mod list;
pub mod observe;
#[doc(hidden)]
pub mod private;
pub mod resume;
pub mod returns;
mod run;
pub mod scope;
pub mod state;
pub mod status;
pub mod step;
pub mod table;
pub mod view;

pub use bound::{Input, With};
pub use cx::Cx;
pub use failure::Failure;
pub use resume::{Advance, Outcome, Run, Signals};
pub use run::RunLimits;
pub use state::State;
pub use status::Status;
