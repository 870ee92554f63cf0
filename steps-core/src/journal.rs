//! The one trait through which the interpreter reaches the outside.
//!
//! The interpreter tells a journal what changed, in batches that belong together: the end of one
//! step and the beginning of the next are one batch. It goes on only after the journal has said
//! that the batch is safe. It holds no lock meanwhile.

use crate::{error::JournalError, scope::BoxFuture, state::State};

/// Keeps what a run did.
pub trait Journal: Send + Sync {
    /// Takes one batch, whole or not at all. After an error the run stops where it is: it records
    /// nothing more, and nothing as a step's failure.
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
    /// The node, without what is below it.
    pub node: State,
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
