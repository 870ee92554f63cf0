//! Executions of the `steps` crate, kept in a SQLite file: an implementation of [`Store`].
//!
//! [`Store`]: steps_core::store::Store
#![forbid(unsafe_code)]

mod connect;
mod error;
mod file;
mod more;
mod node;
mod ops;
mod options;
mod queue;
mod readers;
mod schema;
mod size;
mod store;
mod task;
mod time;
mod url;
mod writer;

pub use options::{SqliteOptions, Synchronous};
pub use store::SqliteStore;
