//! What the store does, as SQL on one connection inside a transaction that somebody else began.

pub(crate) mod claim;
pub(crate) mod delete;
pub(crate) mod execution;
pub(crate) mod find;
pub(crate) mod inbox;
pub(crate) mod lease;
pub(crate) mod steps;
pub(crate) mod txn;
pub(crate) mod write;
