//! What a user holds of an execution, or of many: handles, queries, and what an operator does.

pub(in crate::engine) mod execution;
pub(in crate::engine) mod filter;
mod operate;
pub(in crate::engine) mod watch;
