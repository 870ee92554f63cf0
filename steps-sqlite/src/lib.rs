#![doc = include_str!("../README.md")]
//!
//! # How it works inside
//!
//! `store` turns each method into a call, and `threads` has it done: the calls that change
//! something by one thread, which commits those that wait in one transaction, the others by threads
//! that read. What a call does is SQL in `ops`, one file for each kind of operation. `file` opens
//! the connections, creates the tables and notices that the file was deleted or replaced; `row`
//! converts between nodes and rows; `error` says what SQLite's errors mean.
//!
//! A module uses only those before it: `error`, `row`, `file`, `ops`, `threads`, `store`.
#![forbid(unsafe_code)]

mod error;
mod file;
mod ops;
mod row;
mod store;
mod threads;

pub use file::options::{SqliteOptions, Synchronous};
pub use store::SqliteStore;
