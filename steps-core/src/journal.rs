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
//! does not grow with the tree.

use crate::state::State;
pub use crate::{error::JournalError, scope::BoxFuture};

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
}

/// One node that changed: its new content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The node's number in this run: the same as long as the run's state is not read from JSON
    /// anew.
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

impl Batch<'_> {
    /// What changed, in the order in which it did.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The whole tree with this batch in it: what a store that keeps one document writes.
    pub fn state(&self) -> State {
        self.run.state()
    }
}
