//! What the store does, as SQL on one connection inside a transaction that somebody else began.

pub(crate) mod claim;
pub(crate) mod delete;
pub(crate) mod find;
pub(crate) mod messages;
pub(crate) mod read;
pub(crate) mod steps;
pub(crate) mod turn;
pub(crate) mod write;

use crate::error::Fail;

pub(crate) type Result<T, E = Fail> = std::result::Result<T, E>;
