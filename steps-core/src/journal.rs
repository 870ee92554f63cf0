//! The one trait through which the interpreter reaches the outside.
//!
//! The interpreter tells a journal what changed, in batches that belong together: the end of one
//! step and the beginning of the next are one batch. It goes on only after the journal has said
//! that the batch is safe. It holds no lock meanwhile.
//!
//! A journal that keeps the whole tree as one JSON document:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use steps::{journal::{Batch, BoxFuture, Journal, JournalError}, prelude::*};
//!
//! #[derive(Default)]
//! struct Latest(Mutex<String>);
//!
//! impl Journal for Latest {
//!     fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
//!         Box::pin(async move {
//!             *self.0.lock().map_err(|e| JournalError::new(e.to_string()))? = batch.state().to_json();
//!             Ok(())
//!         })
//!     }
//! }
//!
//! #[step]
//! async fn double(n: u32) -> Result<u32, String> {
//!     Ok(2 * n)
//! }
//!
//! #[flow]
//! async fn quadruple(n: u32) -> Result<u32, String> {
//!     steps! {
//!         twice = double(n);
//!         again = double(twice);
//!     }
//!     Ok(again)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let latest = Arc::new(Latest::default());
//! assert_eq!(quadruple(5).journal(latest.clone()).await?, 20);
//!
//! let saved = steps::State::from_json(&latest.0.lock().unwrap())?;
//! assert!(saved.succeeded("twice") && saved.succeeded("again"));
//! # Ok(())
//! # }
//! ```
//!
//! A store with a row for each node writes [`Batch::changes`] instead, so that the cost of a step
//! does not grow with the tree, and puts the tree together again with [`State::from_rows`]:
//!
//! ```
//! use std::{collections::BTreeMap, sync::{Arc, Mutex}};
//! use steps::{State, journal::{Batch, BoxFuture, Change, Journal, JournalError}, prelude::*};
//!
//! /// By the node's number: that of the node above it, and its JSON.
//! #[derive(Default)]
//! struct Rows(Mutex<BTreeMap<u32, (u32, String)>>);
//!
//! impl Journal for Rows {
//!     fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
//!         Box::pin(async move {
//!             let mut rows = self.0.lock().map_err(|e| JournalError::new(e.to_string()))?;
//!             if batch.replaces() {
//!                 rows.clear();
//!             }
//!             for change in batch.changes() {
//!                 rows.insert(change.id, (change.parent, change.node.to_json()));
//!             }
//!             Ok(())
//!         })
//!     }
//! }
//!
//! impl Rows {
//!     fn state(&self) -> Option<State> {
//!         let rows = self.0.lock().unwrap();
//!         let read = |(id, (parent, json)): (&u32, &(u32, String))| {
//!             Change::new(*id, *parent, State::from_json(json).unwrap())
//!         };
//!         State::from_rows(rows.iter().map(read)).unwrap()
//!     }
//! }
//!
//! #[step]
//! async fn try_hard(left: &Mutex<u32>) -> Result<(), String> {
//!     let mut left = left.lock().unwrap();
//!     *left = left.checked_sub(1).ok_or("no luck")?;
//!     Ok(())
//! }
//!
//! #[flow]
//! async fn thrice(left: &Mutex<u32>) -> Result<(), String> {
//!     steps! {
//!         a = try_hard(left);
//!         b = try_hard(left);
//!         c = try_hard(left);
//!     }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), steps::Failure> {
//! let (rows, left) = (Arc::new(Rows::default()), Mutex::new(2));
//! thrice(&left).journal(rows.clone()).await.unwrap_err();
//!
//! // The node for `b` has the same row in both runs.
//! *left.lock().unwrap() = 3;
//! let mut saved = rows.state().unwrap();
//! let row = saved.get("b").unwrap().row.get();
//! saved.recover();
//! thrice(&left).resume(saved).journal(rows.clone()).await?;
//! let saved = rows.state().unwrap();
//! assert!(saved.succeeded("c") && saved.get("b").unwrap().row.get() == row);
//! # Ok(())
//! # }
//! ```

use jiff::Timestamp;

pub use crate::{error::JournalError, scope::BoxFuture};
use crate::{run::tree::ROOT, state::State, status::Status};

/// Keeps what a run did.
pub trait Journal: Send + Sync {
    /// Takes one batch, whole or not at all. After an error the run stops where it is: it records
    /// nothing more, and nothing as a step's failure.
    ///
    /// Batches of one run come one after the other. Dropping the run may drop this future.
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>>;
}

/// The nodes that changed together.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(crate) run: &'a crate::run::Shared,
    pub(crate) changes: Vec<Change>,
    pub(crate) replaces: bool,
    pub(crate) alone: bool,
    pub(crate) rest: Option<Rest>,
}

/// One node that changed: its new content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The node's number: the same for as long as the execution lives, also in a later run that
    /// resumes what [`State::from_rows`] has put together. The root's is 0.
    pub id: u32,
    /// The number of the node above it; the root's is its own.
    pub parent: u32,
    /// The node, with no [`states`](State#structfield.states) below it.
    pub node: State,
}

impl Change {
    /// A node as a store read it.
    pub fn new(id: u32, parent: u32, node: State) -> Self {
        Self { id, parent, node }
    }
}

/// How a pass ended: what the execution does until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rest {
    /// There is nothing to do before a time or a signal.
    Waiting {
        /// The time; none if only [signals](Batch::signals) are waited for.
        until: Option<Timestamp>,
    },
    /// It has ended, well or not, and nothing is left to do.
    Ended,
    /// It was stopped on request.
    Stopped,
    /// The process is shutting down: it goes on in another.
    Suspended,
}

impl Batch<'_> {
    /// What changed: each node once, in the order of their last change.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether the changes are all there is, and any other rows of the execution are to be deleted:
    /// so in the first batch of a run that resumes a state which has no rows, or of which the flow
    /// has less than it had.
    pub fn replaces(&self) -> bool {
        self.replaces
    }

    /// Whether nothing else of the run is under way, such as another branch of a `parallel`: then
    /// nothing of it stands still if the journal blocks the thread.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Of a pass's last batch: how the pass ended. The run commits nothing more until the next pass.
    /// This batch comes also where nothing has changed.
    pub fn rest(&self) -> Option<Rest> {
        self.rest
    }

    /// The paths of the steps that wait for a signal.
    pub fn signals(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.run.tree().signals(ROOT, &mut paths);
        paths
    }

    /// What the execution is doing, with this batch in it.
    pub fn status(&self) -> Status {
        self.run.tree()[ROOT].status
    }

    /// The whole tree with this batch in it: what a store that keeps one document writes.
    pub fn state(&self) -> State {
        self.run.state()
    }
}
