//! The data types: the saved form of an execution, and the description of a compiled flow.
//!
//! Nothing here runs anything or calls a user's function. The state machine is in [`status`], the
//! saved tree in [`state`], the compiled flow in [`table`], and the comparison of the two in
//! [`compat`].

pub(crate) mod act;
pub(crate) mod attrs;
pub mod compat;
pub mod event;
pub mod failure;
pub(crate) mod flow_limits;
pub(crate) mod form;
pub(crate) mod log;
pub(crate) mod notes;
pub mod policy;
pub mod report;
pub(crate) mod schedule;
pub(crate) mod signal;
pub mod state;
pub(crate) mod statistics;
pub mod status;
mod step_failure;
#[doc(hidden)]
pub(crate) mod table;
pub(crate) mod task;
pub(crate) mod trigger;
pub mod typed;
