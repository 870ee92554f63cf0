//! The foundations of all other modules: JSON text, time, ids, errors, and small helpers for
//! futures and locks. Nothing here knows what a step, a flow or an execution is.

pub(crate) mod chance;
pub mod clock;
pub(crate) mod duration;
pub mod error;
pub(crate) mod future;
pub(crate) mod id;
pub mod json;
mod nulls;
pub(crate) mod read_back;
pub(crate) mod runtime;
mod server_clock;
pub(crate) mod similar;
pub(crate) mod sync;
pub mod telemetry;
pub(crate) mod took;
pub(crate) mod transaction;
