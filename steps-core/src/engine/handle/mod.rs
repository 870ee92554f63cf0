//! What a user holds: the handle on an execution, and what can be done by it.
//!
//! | file | holds |
//! |---|---|
//! | `execution` | the handles, and what is recorded of an execution |
//! | `messages` | what is asked of an execution that may be running: stop, undo, signals |
//! | `reports` | what is reported on external tasks |
//! | `outcome` | waiting for the end |
//! | `watch` | following the states as a stream |
//! | `operate` | changes to an execution that no worker is at |
//! | `notes` | attributes, the status message, and who has done what |
//! | `log` | reading what its steps have logged |
//! | `transfer` | taking an execution out of one store and into another |
//! | `report` | what it did, and where its time went |
//! | `force` | ending an execution without its code, whoever holds it |
//! | `filter` | which executions to find, in code and as text |
//! | `bulk` | listing, counting, deleting, stopping those that a filter finds |

mod bulk;
pub(super) mod execution;
pub(super) mod filter;
mod force;
pub(super) mod log;
pub(super) mod messages;
pub(super) mod notes;
mod operate;
pub(super) mod outcome;
mod report;
mod reports;
pub(super) mod transfer;
pub(super) mod watch;
