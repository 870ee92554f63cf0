//! The interpreter, state and journal beneath the `steps` crate.
#![forbid(unsafe_code)]

pub mod json;
pub mod state;
pub mod status;
