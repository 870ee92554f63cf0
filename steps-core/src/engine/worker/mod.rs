//! The engine's own work: claiming due executions, running turns, keeping leases, delivering
//! messages.
//!
//! # The life of a turn
//!
//! A *turn* is the work on one execution from the moment when this engine gets its lease until the
//! lease is released. During a turn the execution makes passes until it has ended or waits for
//! longer than a moment.
//!
//! 1. A turn begins with a claim of a due execution (`dispatcher`), or with a start
//!    (`engine/start.rs`), whose first write creates the execution. Both create a `Turn` and take a
//!    permit for it.
//! 2. `turn_task` inserts it into the table `running` and spawns its task. From then on the
//!    `heartbeat` renews its lease, and messages reach it (`delivery`, `mailbox`).
//! 3. `turn` creates a run from the saved state and makes passes over it. Each batch of the
//!    interpreter's journal becomes one write under the lease (`turn_journal`).
//! 4. The last write says how the turn ended and when the execution is due again, and releases the
//!    lease. If the store took no more records, or the execution does not fit, the lease is
//!    released without a record (`lease`).
//! 5. `turn_task` closes the mailbox, notifies the waiting callers (`engine/news.rs`), and removes
//!    the turn from the table, even if its task panicked or was aborted (`shutdown`).
//!
//! # Order
//!
//! Each file uses only files in the lines below it, or to its right in its own line.
//!
//! | files | know |
//! |---|---|
//! | `dispatcher`, `heartbeat`, `notices`, `shutdown` | all running turns |
//! | `turn_task`, `turn_place`, `own_task` | one turn's task; the tasks that the engine has of its own |
//! | `served` | flows, without their types |
//! | `turn`, `refusal` | one turn, with its flow's type |
//! | `delivery`, `forms`, `lease`, `runtime`, `spans` | the engine |
//! | `engine_core` | `running`, `schedule` |
//! | `log` | what steps log: `turn_journal` |
//! | `running`, `mailbox`, `turn_journal` | one turn's parts |
//! | `of_engine` | `schedule` |
//! | `schedule`, `suspects` | moments |
//! | `children` | what the store is told of children |
//! | `first_write` | what the store answers |
//! | `heard`, `trouble` | nothing |
//! | `waits` | keys of executions, and moments |
//! | `backlog` | moments |

mod backlog;
pub(super) mod children;
mod delivery;
pub(super) mod dispatcher;
pub(super) mod engine_core;
pub(super) mod first_write;
pub(super) mod forms;
mod heard;
pub(super) mod heartbeat;
mod lease;
pub(super) mod log;
mod mailbox;
pub(super) mod notices;
mod of_engine;
pub(super) mod own_task;
mod refusal;
mod running;
pub(super) mod runtime;
mod schedule;
pub(super) mod served;
mod shutdown;
mod spans;
mod suspects;
mod transactions;
pub(super) mod trouble;
pub(super) mod turn;
pub(super) mod turn_journal;
pub(super) mod turn_place;
pub(super) mod turn_task;
mod waits;
mod whole;
