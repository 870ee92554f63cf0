//! The engine: starts executions, keeps each record of them in a [store](crate::store::Store), and
//! takes up what a crash, a timer or another process left.
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
//! // From here on it is safe: whatever happens to this process, it goes on.
//! run.signal(order::STEPS.approval, &true).await?;
//! assert_eq!(run.outcome().await?, 950);
//! # Ok(())
//! # }
//! ```
//!
//! Executions are made by [`Engine::start`]; [`Execution`] is the handle on one, by which its
//! outcome is waited for, and by which it is watched, signalled, stopped, undone and recovered.
//! Others are found by [`Engine::list`]. Any number of engines, in any number of processes, work on
//! one store; what one of them leaves behind is taken over by the others after its
//! [lease](Builder::lease).
//!
//! An execution that waits for a timer, a poll, a retry or a signal is a row in the store and
//! nothing else: it holds no task and no memory.
//!
//! # Inside
//!
//! | module | job |
//! |---|---|
//! | `builder`, `start` | putting an engine together; making executions |
//! | `handle` | what a user holds of an execution: waiting, watching, signalling, operating on it |
//! | `worker` | the engine's own work: claims, turns, leases, messages; `worker/mod.rs` tells the life of a turn, `worker/engine_core.rs` what is true of the engine's state |
//! | `news` | tells those who wait in this process what happens to an execution |
//! | `concurrency` | bounds how many executions run |
//! | `error` | the errors of an engine |
//!
//! `builder`, `start` and `handle` know `worker`, which knows `news`, `concurrency` and `error`; none
//! knows one above it. All that an engine has in memory is gone after a crash, and nothing is lost
//! by it: what counts is in the store.

mod builder;
mod concurrency;
mod error;
mod handle;
mod news;
mod start;
mod worker;

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::task::JoinSet;

use crate::base::sync::lock;
pub use builder::Builder;
pub use concurrency::Concurrency;
pub use error::EngineError;
pub use handle::{
    execution::{Execution, Handle},
    filter::Filter,
    watch::{Watch, Watched},
};
pub use start::Start;
use worker::{engine_core::EngineCore, served::ServedFlows};

/// An engine that runs executions and keeps them in a store.
///
/// Clones are the same engine. When the last one is dropped, it stops working as if the process had
/// been killed, which loses nothing; [`shutdown`](Self::shutdown) is the polite way.
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

/// The engine's own tasks, which end with its last handle.
struct OwnTasks {
    core: Arc<EngineCore>,
    tasks: Mutex<JoinSet<()>>,
}

impl Drop for OwnTasks {
    fn drop(&mut self) {
        self.core.kill();
        lock(&self.tasks).abort_all();
    }
}

impl Engine {
    /// Takes nothing up any more, and waits until what runs here has ended or waits for something.
    /// What waits, and what is due, is left to other processes, or to the next start.
    ///
    /// The handles still work; starting an execution fails with [`EngineError::Closed`].
    pub async fn drain(&self) {
        self.core.drain().await;
    }

    /// Shuts down: no new step begins, those that run see [`Cx::cancelled`](crate::Cx::cancelled)
    /// and are let finish, for at most `grace`; then their executions are given back, for other
    /// processes or the next start to go on with, and the store is closed. A step that is still at
    /// work after `grace` is cut off, as by a crash: it is verified or runs again when it is taken
    /// up.
    ///
    /// # Errors
    ///
    /// Where the store can't be closed well. What it acknowledged is safe.
    pub async fn shutdown(self, grace: Duration) -> Result<(), EngineError> {
        self.core.suspend(grace).await;
        lock(&self.tasks.tasks).abort_all();
        Ok(self.core.store.close().await?)
    }
}
