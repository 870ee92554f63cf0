//! The way to the server: `options` say which database, `schema` makes the tables, and `txn` is an open transaction, with the
//! changes that it keeps, in `kept`; `tidings` is what stores tell each other, and `time` is the server's clock.

mod kept;
pub(crate) mod options;
pub(crate) mod schema;
pub(crate) mod tidings;
pub(crate) mod time;
pub(crate) mod txn;
