//! The engine's own work: claiming what is due, taking turns, keeping leases, delivering messages.
//!
//! # The life of a turn
//!
//! A *turn* is the work on one execution from the moment at which this engine gets its lease to the
//! moment at which the lease is given back. In between, the execution makes passes, until it has
//! ended or waits for longer than a moment.
//!
//! 1. It begins with a claim (`dispatcher`), of an execution that is due, or with a start
//!    (`engine/start.rs`), whose first write makes the execution. Either makes a `Turn` and takes a
//!    place among those that may run at once.
//! 2. `turn_task` enters it in the table `running` and spawns its task. From here on the
//!    `heartbeat` renews its lease, and messages reach it (`delivery`, `mailbox`).
//! 3. `turn` makes a run of what is saved, and passes over it. Each batch of the interpreter's
//!    journal becomes one write under the lease (`turn_journal`).
//! 4. The last write says how it ended and when the execution is due again, and gives the lease
//!    back. Where the store took no more records, or the execution does not fit, the lease is given
//!    back without a record (`lease`).
//! 5. `turn_task` closes the mailbox, tells those who wait (`engine/news.rs`), and takes the turn
//!    out of the table, even if its task panicked or was cut off (`shutdown`).
//!
//! # Order
//!
//! Each file uses only files of the lines below it, or to its right in its line.
//!
//! | files | know |
//! |---|---|
//! | `dispatcher`, `heartbeat`, `shutdown` | all running turns |
//! | `turn_task`, `own_task` | one turn's task; the tasks that the engine has of its own |
//! | `served` | flows, without their types |
//! | `turn` | one turn, with its flow's type |
//! | `delivery`, `lease` | the engine |
//! | `engine_core` | `running`, `schedule` |
//! | `running`, `mailbox`, `turn_journal` | one turn's parts |
//! | `schedule` | a time |

mod delivery;
pub(super) mod dispatcher;
pub(super) mod engine_core;
pub(super) mod heartbeat;
mod lease;
mod mailbox;
pub(super) mod own_task;
mod running;
mod schedule;
pub(super) mod served;
mod shutdown;
pub(super) mod turn;
mod turn_journal;
pub(super) mod turn_task;
