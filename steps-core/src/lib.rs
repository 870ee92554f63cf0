//! The interpreter, the saved state and the journal beneath the [`steps`] crate.
//!
//! Programs use [`steps`], which re-exports what is meant for them and is documented there. What
//! is public here and not shown is for generated code, and changes without notice.
//!
//! [`steps`]: https://docs.rs/steps
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod bind;
mod bound;
#[doc(hidden)]
pub mod builtin;
#[doc(hidden)]
pub mod callee;
#[doc(hidden)]
pub mod cell;
pub mod clock;
pub mod compat;
mod cx;
pub mod engine;
pub mod error;
pub mod failure;
#[doc(hidden)]
pub mod flow;
mod id;
pub mod journal;
pub mod json;
#[doc(hidden)]
pub mod list;
pub mod observe;
pub mod policy;
#[doc(hidden)]
pub mod private;
pub mod resume;
#[doc(hidden)]
pub mod returns;
mod run;
#[doc(hidden)]
pub mod scope;
pub mod state;
pub mod status;
#[doc(hidden)]
pub mod step;
pub mod store;
#[doc(hidden)]
pub mod table;
pub mod testing;
pub mod view;

pub use bound::{Input, With};
#[doc(inline)]
pub use builtin::{signal, sleep};
#[doc(inline)]
pub use cell::Branch;
pub use cx::Cx;
#[doc(inline)]
pub use engine::Engine;
pub use failure::Failure;
#[doc(inline)]
pub use flow::Flow;
pub use json::Json;
pub use resume::{Advance, Control, Outcome, Run, Signals};
pub use run::RunLimits;
pub use state::State;
pub use status::Status;
