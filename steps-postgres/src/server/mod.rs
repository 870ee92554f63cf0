//! The way to the server: `options` say which database, `schema` makes the tables, and `txn` is an open transaction, with
//! the changes that it keeps, in `kept`; `lists` are the columns that a statement takes for many rows; `alone` is for single
//! statements; `pool` makes the store's own connections, and `plans` says how the server plans what changes something;
//! `tidings` is what stores tell each other, and `time` is the server's clock.

mod alone;
mod kept;
pub(crate) mod lists;
pub(crate) mod options;
mod plans;
mod pool;
pub(crate) mod schema;
pub(crate) mod tidings;
pub(crate) mod time;
pub(crate) mod txn;
