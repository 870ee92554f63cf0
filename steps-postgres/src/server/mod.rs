//! The way to the server: `options` say which database, `schema` makes the tables, and `txn` is an open transaction, with the
//! changes that it keeps, in `kept`; `alone` is for single statements, and `plans` says how the server plans them;
//! `tidings` is what stores tell each other, and `time` is the server's clock.

mod alone;
mod kept;
pub(crate) mod options;
mod plans;
pub(crate) mod schema;
pub(crate) mod tidings;
pub(crate) mod time;
pub(crate) mod txn;
