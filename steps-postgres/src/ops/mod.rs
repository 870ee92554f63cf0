//! What the store does, as SQL: one file for each kind of operation.
//!
//! `put` and `make` are statements for any number of writes; `write` is one write with all that it may bring, of which
//! `watch` finds the changes and `singleton` the key. `execution` reads executions; `claim` and `lease` give them to
//! workers, by the `lanes` that they wait in; `workers` is the heartbeat of one that says what it holds, and `holders`
//! what others have to know of that; `inbox` holds messages; `notes` changes what is noted; `duties` keeps what
//! somebody has to do, and `limits` which flows are paused or limited; `changes` keeps who is told of changes, and what
//! they were not told yet; `find` and `delete` answer queries by `conditions`; `statistics` reads what statistics are
//! made of, `forms` keeps what flows look like, and `log` what steps have logged.

pub(crate) mod changes;
pub(crate) mod claim;
mod conditions;
pub(crate) mod delete;
pub(crate) mod duties;
pub(crate) mod execution;
pub(crate) mod find;
pub(crate) mod forms;
mod holders;
pub(crate) mod inbox;
mod lanes;
pub(crate) mod lease;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod make;
pub(crate) mod notes;
pub(crate) mod put;
mod singleton;
pub(crate) mod statistics;
mod watch;
pub(crate) mod workers;
pub(crate) mod write;
