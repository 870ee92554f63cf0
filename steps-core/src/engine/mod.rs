//! The engine: starts executions, keeps each record of them in a [store](crate::store::Store), and
//! continues them after a crash, after a timer or from another process.
//!
//! ```
//! use steps::{Engine, prelude::*};
//!
//! #[step]
//! async fn charge(card: &str, cents: u32) -> Result<u32, String> {
//!     Ok(cents)
//! }
//!
//! #[undo(charge)]
//! async fn refund(_card: &str, _cents: u32, charged: &u32) -> Result<(), String> {
//!     println!("{charged} cents go back");
//!     Ok(())
//! }
//!
//! #[flow]
//! async fn order(card: String, cents: u32) -> Result<u32, String> {
//!     steps! {
//!         charged  = charge(&card, cents);
//!         approval = steps::signal::<bool>();
//!     }
//!     if approval { Ok(charged) } else { Err("not approved".to_owned()) }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::open("memory:").await?   // or "sqlite:orders.db", which outlives the process
//!     .serve(order::with())
//!     .start().await?;                       // takes up what a crash left behind
//! let run = engine.start(order::input("4111".into(), 950)).id("req-42").await?;
//! // From here on it is safe: whatever happens to this process, the execution continues.
//! run.signal(order::STEPS.approval, &true).await?;
//! assert_eq!(run.outcome().await?, 950);
//! # Ok(())
//! # }
//! ```
//!
//! [`Engine::start`] creates an execution; [`Execution`] is its handle, with methods to wait for
//! its outcome and to watch, signal, stop, undo and recover it. [`Engine::list`] finds other
//! executions. Any number of engines, in any number of processes, can work on one store; if one of
//! them dies, the others take over its executions after its [lease](Builder::lease).
//!
//! An execution that waits for a timer, a poll, a retry or a signal is a row in the store and
//! nothing else: it uses no task and no memory.
//!
//! # Inside
//!
//! | module | job |
//! |---|---|
//! | `builder`, `tasks`, `start` | building an engine, and starting its tasks; creating executions |
//! | `compatibility` | whether the executions that have not ended fit this program |
//! | `retention` | which executions are deleted when they have ended |
//! | `changes` | functions that are told of changes of statuses |
//! | `statistics` | asking for the statistics of a flow |
//! | `of_step` | the engine as the steps that it runs reach it |
//! | `schedules` | executions that are started at times |
//! | `limits` | pausing and limiting flows over all processes |
//! | `handle` | what a user has of an execution: waiting, watching, signalling, operating on it |
//! | `worker` | the engine's own work: claims, turns, leases, messages; `worker/mod.rs` describes the life of a turn, `worker/engine_core.rs` the invariants of the engine's state |
//! | `news` | notifies the callers in this process that wait for an execution |
//! | `concurrency` | limits how many executions run |
//! | `error` | the errors of an engine |
//!
//! `builder`, `tasks`, `changes`, `start`, `children`, `compatibility`, `statistics`, `retention`, `of_step`, `schedules`, `limits` and `handle` use `worker`, which uses `news`,
//! `concurrency` and `error`; none uses a module above it. A crash loses everything that an engine has in memory, and this does no
//! harm: all that matters is in the store.

mod builder;
mod changes;
mod children;
mod compatibility;
mod concurrency;
mod error;
mod handle;
mod limits;
mod news;
mod of_step;
mod retention;
mod schedules;
mod start;
mod statistics;
mod tasks;
mod worker;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::task::JoinSet;

pub use crate::model::{
    act::Operator,
    flow_limits::{FlowLimits, PerLabel, Rate},
    schedule::{Missed, Overlap, ScheduleError},
};
use crate::{base::sync::lock, store::CheckReport};
pub use builder::Builder;
pub use changes::{ChangeFunction, NotTold, OnChange, StatusChange, Subscribed};
pub use compatibility::{FlowCompatibility, UnfitCause};
pub use concurrency::Concurrency;
pub use error::EngineError;
pub use handle::{
    execution::{Execution, Handle},
    filter::{Filter, InvalidFilter},
    log::ReadLog,
    transfer::Exported,
    watch::{Watch, Watched},
};
pub use limits::{FlowHandle, FlowInfo};
pub use retention::{Retention, Swept, SweptRule};
pub use schedules::{NewSchedule, Schedule, ScheduleChange, ScheduleInfo, Scheduled};
pub use start::{IfTaken, Start};
pub use statistics::StatisticsOf;
use worker::{engine_core::EngineCore, served::ServedFlows};

/// An engine that runs executions and keeps them in a store.
///
/// Clones are the same engine. When the last one is dropped, it stops working as if the process had
/// been killed, which loses nothing; [`shutdown`](Self::shutdown) stops it gracefully.
#[derive(Clone)]
pub struct Engine {
    core: Arc<EngineCore>,
    flows: Arc<ServedFlows>,
    tasks: Arc<OwnTasks>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("worker", &self.core.worker)
            .finish_non_exhaustive()
    }
}

/// The engine's own tasks, which end when its last handle is dropped.
struct OwnTasks {
    core: Arc<EngineCore>,
    tasks: Mutex<JoinSet<()>>,
    /// Those that tell changes, which end by themselves when the engine does.
    tellers: Mutex<JoinSet<()>>,
}

impl Drop for OwnTasks {
    fn drop(&mut self) {
        self.core.kill();
        lock(&self.tasks).abort_all();
        lock(&self.tellers).abort_all();
    }
}

impl Engine {
    /// Takes no new work, and waits until each execution that runs here has ended or waits for
    /// something. Waiting and due executions are left to other processes, or to the next start.
    ///
    /// The handles still work; starting an execution fails with [`EngineError::Closed`].
    pub async fn drain(&self) {
        self.core.drain().await;
    }

    /// Makes a copy of the store in a new file, while everything goes on. With SQLite it is one file,
    /// without a log beside it, in which each execution is as it was at one moment.
    ///
    /// An engine that is started on the copy goes on with the executions in it, as the original does:
    /// so use the copy in place of the original, never beside it.
    ///
    /// # Errors
    ///
    /// If there is a file of this name, if it can't be written, or if the store is none in a file.
    /// Nothing is left under the name then.
    pub async fn backup(&self, to: impl Into<PathBuf>) -> Result<(), EngineError> {
        Ok(self.core.store.backup(to.into()).await?)
    }

    /// Makes the store as small as what is in it. A SQLite file shrinks by itself after deletions; this
    /// call is for one that was made by an earlier version, or from which most was deleted at once. It
    /// writes the whole file anew: nobody can write to it meanwhile, so call it while little runs, and
    /// the disk needs room for twice the new file.
    ///
    /// # Errors
    ///
    /// If the disk has too little room, or another process has the file locked for longer than the
    /// store waits. The file is as it was then.
    pub async fn compact(&self) -> Result<(), EngineError> {
        Ok(self.core.store.compact().await?)
    }

    /// Reads the whole store, while everything goes on, and returns what of it is damaged: each row
    /// must be readable, and each tree whole. With SQLite, its own check of the file comes first. It
    /// takes as long as reading the file does, and changes nothing.
    ///
    /// # Errors
    ///
    /// If the check could not be made to its end; a damage is no error, but in the report.
    pub async fn check(&self) -> Result<CheckReport, EngineError> {
        Ok(self.core.store.check().await?)
    }

    /// Shuts down. No new step begins; running steps see [`Cx::cancelled`](crate::Cx::cancelled)
    /// and may finish within `grace`; so may calls of functions that are told of changes. What they have
    /// logged is written. Then the leases of their executions are released, so that
    /// other processes or the next start can continue them, and the store is closed, unless it is
    /// [shared](Self::with_shared_store). A step that still runs after `grace` is aborted, as by a
    /// crash: it is verified or runs again when its execution is continued.
    ///
    /// # Errors
    ///
    /// If closing the store fails. All that it has acknowledged is safe.
    pub async fn shutdown(self, grace: Duration) -> Result<(), EngineError> {
        let begun = tokio::time::Instant::now();
        self.core.suspend(grace).await;
        let tellers = std::mem::take(&mut *lock(&self.tasks.tellers));
        if !tellers.is_empty() {
            // What they have not told by then is told by another process, or at the next start.
            let left = grace.saturating_sub(begun.elapsed());
            drop(tokio::time::timeout(left, tellers.join_all()).await);
        }
        lock(&self.tasks.tasks).abort_all();
        // What steps have logged since; their turns have written the rest.
        let left = grace.saturating_sub(begun.elapsed());
        let written = self.core.logs.write(&*self.core.store);
        drop(tokio::time::timeout(left.max(Duration::from_secs(1)), written).await);
        if self.core.owns_store {
            self.core.store.close().await?;
        }
        Ok(())
    }
}
