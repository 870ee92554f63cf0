//! How a call gets to a thread with a connection, and its answer back.
//!
//! A `call` is a closure and the place where its answer goes. `queue` hands it to the thread of
//! `writer`, which commits what waits as one `group_commit` and asks `pacing` whether to wait for
//! more, or to one of the threads of `readers`. What a call does is left to `ops`.

pub(crate) mod call;
mod group_commit;
mod pacing;
mod queue;
pub(crate) mod readers;
pub(crate) mod writer;
