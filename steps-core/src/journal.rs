//! The journal: the trait through which the interpreter records what it does.
//!
//! The interpreter passes changes to a journal in batches. Changes that belong together, such as
//! the end of one step and the beginning of the next, are one batch. The interpreter continues only
//! after the journal has confirmed that the batch is safe, and holds no lock while it waits.
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
//! does not grow with the tree. It rebuilds the tree with [`State::from_rows`]:
//!
//! ```
//! use std::{collections::BTreeMap, sync::{Arc, Mutex}};
//! use steps::{State, journal::{Batch, BoxFuture, Journal, JournalError, NodeRow}, prelude::*};
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
//!             rows.retain(|id, _| !batch.removed().contains(*id));
//!             for change in batch.changes() {
//!                 rows.insert(change.id, (change.parent, State::from(change.node.clone()).to_json()));
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
//!             NodeRow::new(*id, *parent, State::from_json(json).unwrap())
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
//! saved.recover().unwrap();
//! thrice(&left).resume(saved).journal(rows.clone()).await?;
//! let saved = rows.state().unwrap();
//! assert!(saved.succeeded("c") && saved.get("b").unwrap().row.get() == row);
//! # Ok(())
//! # }
//! ```

mod entry;

use std::fmt;

use jiff::Timestamp;

pub use entry::{ChildStart, ChildWait, Entry, OpenTask, Recorded};

use crate::{
    base::json::Json,
    language::children::NewChild,
    model::{notes::NoteChange, state::State, status::Status},
    store::RowRanges,
};
pub use crate::{
    base::{
        error::JournalError,
        future::BoxFuture,
        transaction::{Abandoned, InTransaction, NoTransaction, Transacted},
    },
    model::state::NodeRow,
};

/// Records what a run does.
pub trait Journal: Send + Sync {
    /// Stores one batch, completely or not at all. After an error the run stops where it is: it
    /// records nothing more, and does not count the error as the failure of a step.
    ///
    /// The batches of one run are committed one after the other. Dropping the run may drop this
    /// future.
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>>;

    /// Has work done in a transaction of the database that the run is recorded in, and keeps with it, under this
    /// name, what the work returns: both or nothing. Dropping the run may drop this future. By default there are no
    /// transactions.
    fn transact<'a>(
        &'a self,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, NoTransaction>> {
        drop((name, work));
        let why = "what records this run has no transactions for steps";
        let error = NoTransaction::Unsupported(why.to_owned());
        Box::pin(std::future::ready(Err(error)))
    }

    /// Returns what is kept of the transaction of this name, if it was committed, and no batch that
    /// [ends](Batch::transactions) it. From then on it can't be committed any more unless it is made again. By default
    /// there is none.
    fn transacted(
        &self,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, NoTransaction>> {
        drop(name);
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// The source of the whole tree for a [`Batch`]: a run, or a [`State`].
pub trait BatchSource: Sync {
    /// Returns the status of the execution.
    fn status(&self) -> Status;
    /// Returns the whole tree.
    fn state(&self) -> State;
    /// Returns the paths of the steps that wait for a signal.
    fn signals(&self) -> Vec<String>;
    /// Returns whether an undo was requested that is not carried out, because the execution is past
    /// its pivot.
    fn refuses_undo(&self) -> bool {
        false
    }
}

impl BatchSource for State {
    fn status(&self) -> Status {
        self.status
    }

    fn state(&self) -> State {
        self.clone()
    }

    fn signals(&self) -> Vec<String> {
        let waiting = self.walk().filter(|(_, node)| node.waits_for_signal());
        waiting.map(|(path, _)| path).collect()
    }
}

/// Changes that are committed together.
pub struct Batch<'a> {
    pub(crate) source: &'a dyn BatchSource,
    pub(crate) changes: Vec<NodeRow>,
    /// The number from which on no row was in a batch before.
    pub(crate) new_from: Option<u32>,
    /// The child executions that are created with the changes.
    pub(crate) children: Vec<NewChild>,
    /// The numbers of the signals whose values are among the changes.
    pub(crate) signals: Vec<i64>,
    /// The names of transactions whose ends are among the changes.
    pub(crate) transactions: Vec<String>,
    /// Changes of what is noted of the execution.
    pub(crate) notes: Vec<NoteChange>,
    pub(crate) removed: RowRanges,
    pub(crate) replaces: bool,
    pub(crate) alone: bool,
    /// The rows that need not be read to go on forward, if they are others than before.
    pub(crate) past: Option<RowRanges>,
    pub(crate) pass_end: Option<PassEnd>,
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("changes", &self.changes)
            .field("removed", &self.removed)
            .field("replaces", &self.replaces)
            .field("alone", &self.alone)
            .field("pass_end", &self.pass_end)
            .finish_non_exhaustive()
    }
}

/// How a pass ended, which also says when the execution continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassEnd {
    /// There is nothing to do until a time or a signal.
    Waiting {
        /// The time; `None` if only [signals](Batch::signals) can continue the execution.
        until: Option<Timestamp>,
    },
    /// The execution has ended, successfully or not, and nothing is left to do.
    Ended,
    /// The execution was stopped on request.
    Stopped,
    /// The process is shutting down; the execution continues in another one.
    Suspended,
}

impl<'a> Batch<'a> {
    /// Creates a batch as a run would, for a test of a journal. It has these changes, and `source`
    /// gives the state of the execution after them. It does not replace what the journal has, does
    /// not end a pass, and was made while nothing else of the run was under way.
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use steps::{State, journal::{Batch, BoxFuture, Journal, JournalError, NodeRow}};
    ///
    /// #[derive(Default)]
    /// struct Count(Mutex<usize>);
    ///
    /// impl Journal for Count {
    ///     fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
    ///         *self.0.lock().unwrap() += batch.changes().len();
    ///         Box::pin(std::future::ready(Ok(())))
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let journal = Count::default();
    /// let state = State::from_json(r#"{"name":"order","startedAt":"2026-01-01T00:00:00Z"}"#)?;
    /// let root = NodeRow::new(0, 0, state.clone());
    /// journal.commit(Batch::new(&state, vec![root])).await?;
    /// assert_eq!(*journal.0.lock().unwrap(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(source: &'a dyn BatchSource, changes: Vec<NodeRow>) -> Self {
        Self {
            source,
            changes,
            new_from: None,
            children: Vec::new(),
            signals: Vec::new(),
            transactions: Vec::new(),
            notes: Vec::new(),
            removed: RowRanges::default(),
            replaces: false,
            alone: true,
            past: None,
            pass_end: None,
        }
    }

    /// Returns the same batch, which now replaces everything that the journal has of the execution:
    /// see [`replaces`](Self::replaces).
    #[must_use]
    pub fn replacing(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// Returns the same batch, which now deletes these rows: see [`removed`](Self::removed).
    #[must_use]
    pub fn removing(mut self, rows: RowRanges) -> Self {
        self.removed = rows;
        self
    }

    /// Returns the same batch, as if made while other branches of the run are under way: see
    /// [`is_alone`](Self::is_alone).
    #[must_use]
    pub fn beside_others(mut self) -> Self {
        self.alone = false;
        self
    }

    /// Returns the same batch, as the last one of a pass that ended in this way: see
    /// [`pass_end`](Self::pass_end).
    #[must_use]
    pub fn at_end(mut self, end: PassEnd) -> Self {
        self.pass_end = Some(end);
        self
    }

    /// Returns the changes: each node once, in the order of their last change.
    pub fn changes(&self) -> &[NodeRow] {
        &self.changes
    }

    /// Returns whether the changes are the whole tree, and all other rows of the execution must be
    /// deleted. This is so in the first batch of a run that resumes a state without rows, or one
    /// with nodes that the flow no longer has.
    pub fn replaces(&self) -> bool {
        self.replaces
    }

    /// Returns the rows to delete, none of which is among the changes: those of rounds that a `loop keep n`
    /// has let go.
    pub fn removed(&self) -> &RowRanges {
        &self.removed
    }

    /// Returns the names of [transactions](Journal::transact) whose steps, or whose undos, have ended by these
    /// changes: what is kept of them is not needed any more.
    pub fn transactions(&self) -> &[String] {
        &self.transactions
    }

    /// Returns whether nothing else of the run, such as another branch of a `parallel`, is under
    /// way. Then the journal may block the thread without delaying the run.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Returns how the pass ended, if this is the pass's last batch. The run commits nothing more
    /// until the next pass. The last batch is committed even if nothing has changed.
    pub fn pass_end(&self) -> Option<PassEnd> {
        self.pass_end
    }

    /// Returns the paths of the steps that wait for a signal.
    pub fn signals(&self) -> Vec<String> {
        self.source.signals()
    }

    /// Returns the status of the execution after this batch.
    pub fn status(&self) -> Status {
        self.source.status()
    }

    /// Returns the whole tree after this batch. A store that keeps one document writes this.
    pub fn state(&self) -> State {
        self.source.state()
    }
}
