//! The engine: starts executions, keeps each record of them in a [`Store`], and takes up what a
//! crash, a timer or another process left.
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
//! `service` takes an execution's turn, `journal` writes its records, `dispatch` claims what is due
//! and keeps the leases, `start` makes executions, `execution` is the handle on one, `operate`
//! changes one that rests, `hub` tells who waits in this process, `limit` bounds how many run.

mod builder;
mod concurrency;
mod error;
mod handle;
mod news;
mod start;
mod worker;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::AbortHandle;
use jiff::Timestamp;
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    base::{clock::Clock, sync::lock},
    interpreter::RunLimits,
    store::{Message, Store},
};
pub use builder::Builder;
pub use concurrency::Concurrency;
use concurrency::Limiter;
pub use error::EngineError;
pub use handle::{
    execution::{Execution, Handle},
    filter::Filter,
    watch::{Watch, Watched},
};
use news::News;
pub use start::Start;
use worker::turn::{Post, Service};

/// An engine that runs executions and keeps them in a store.
///
/// Clones are the same engine. When the last one is dropped, it stops working as if the process had
/// been killed, which loses nothing; [`shutdown`](Self::shutdown) is the polite way.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
    life: Arc<Life>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("worker", &self.inner.worker)
            .finish_non_exhaustive()
    }
}

/// What all parts of an engine share.
struct Inner {
    store: Arc<dyn Store>,
    worker: String,
    lease: Duration,
    poll: Duration,
    limits: RunLimits,
    clock: Clock,
    /// By each of their names.
    services: HashMap<&'static str, Arc<Service>>,
    limiter: Limiter,
    news: Arc<News>,
    /// What runs here, by the number of its turn.
    running: Mutex<HashMap<u64, Running>>,
    /// Messages for executions that do not run here, while some are being claimed: it may be one of
    /// those.
    strays: Mutex<Option<Vec<(Arc<str>, i64, Message)>>>,
    /// How many turns have begun.
    turns: AtomicU64,
    /// How many turns in a row ended as the store took no more records.
    losses: AtomicU32,
    /// The executions that did not fit, once each.
    refused: Mutex<HashSet<Arc<str>>>,
    /// Tells that an execution has left `running`.
    rested: Notify,
    /// Wakes the dispatcher.
    nudge: Notify,
    /// When something is due, as far as is known here.
    due: Mutex<Option<Timestamp>>,
    /// Whether the bound of a flow left something to others, or for later.
    starved: AtomicBool,
    /// Whether nothing is taken up any more.
    draining: AtomicBool,
}

/// An execution that runs here.
#[derive(Clone)]
struct Running {
    journal: Arc<worker::turn_journal::TurnJournal>,
    post: Arc<Post>,
    abort: AbortHandle,
}

/// Ends the engine's tasks with its last handle.
struct Life {
    inner: Arc<Inner>,
    tasks: Mutex<JoinSet<()>>,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.inner.draining.store(true, Ordering::Relaxed);
        self.inner.at_work().iter().for_each(|it| it.abort.abort());
        lock(&self.tasks).abort_all();
    }
}

impl Inner {
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// What runs here now. Nothing is done to them under the lock, which they take when they end.
    fn at_work(&self) -> Vec<Running> {
        lock(&self.running).values().cloned().collect()
    }

    /// Notes that something will be due then.
    fn alarm(&self, until: Option<Timestamp>) {
        let Some(until) = until else { return };
        let mut due = lock(&self.due);
        if due.is_none_or(|due| until < due) {
            *due = Some(until);
            drop(due);
            self.nudge.notify_one();
        }
    }
}
