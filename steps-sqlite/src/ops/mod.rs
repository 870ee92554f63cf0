//! What the store does, as SQL: one file for each kind of operation.
//!
//! `write` is a worker's write, with the execution's own row in `root`, its key in `singleton` and the nodes' rows in `steps`; `execution` reads an execution;
//! `claim` and `lease` give executions to workers, and `unreadable` sets aside what can't be read; `known` remembers the leases written under;
//! `subscriptions` keeps who is told of changes, and `changes` what they were not told yet;
//! `inbox` holds messages; `notes` changes what is noted; `duties` keeps what somebody has to do, and `limits` which flows are paused or limited; `log` has what steps have logged; `transactions` keeps what is known of those of steps;
//! `find` and `delete` answer queries by a `walk` of an index with `conditions`, `counts` counts steps, and `check` reads everything; `forms` keeps what flows look like; `statistics` reads what statistics are made of.
//! `txn` is the open transaction that they work in: beginning, committing and
//! rolling back are left to `threads`.

pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod claim;
pub(crate) mod conditions;
pub(crate) mod counts;
pub(crate) mod delete;
pub(crate) mod duties;
pub(crate) mod execution;
pub(crate) mod find;
pub(crate) mod forms;
pub(crate) mod inbox;
pub(crate) mod known;
pub(crate) mod labels;
pub(crate) mod lease;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod notes;
mod root;
mod singleton;
pub(crate) mod statistics;
pub(crate) mod steps;
pub(crate) mod subscriptions;
pub(crate) mod transactions;
pub(crate) mod txn;
pub(crate) mod unreadable;
pub(crate) mod walk;
pub(crate) mod write;

#[cfg(test)]
mod plans;
