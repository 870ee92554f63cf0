//! A journal that keeps everything, and that a run can be cut off at.

use std::{
    collections::BTreeMap,
    fmt,
    future::pending,
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use crate::{
    error::JournalError,
    journal::{Batch, Journal},
    scope::{BoxFuture, lock},
    state::State,
};

/// Where a run is cut off: at its k-th commit, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cut {
    /// Before it is recorded: what had happened is lost.
    Before(usize),
    /// After it is recorded, and before the run hears of it.
    After(usize),
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(commit) => write!(f, "cut off before commit {commit}"),
            Self::After(commit) => write!(f, "cut off after commit {commit}"),
        }
    }
}

/// A journal in memory, for tests. Clones share it.
///
/// It keeps the state after each commit as JSON text, and, apart from that, the state that the
/// commits' changes add up to, which is what a store that keeps one row for each step has.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    kept: Mutex<Kept>,
    struck: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    cut: Option<Cut>,
    /// Whether the journal fails where it would be cut off.
    fails: bool,
    has_struck: bool,
    commits: usize,
    document: Option<String>,
    nodes: BTreeMap<u32, (u32, State)>,
}

impl Recorder {
    /// A journal that is never cut off.
    pub fn new() -> Self {
        Self::default()
    }

    /// A journal at which the run hangs at this commit, to be dropped: as a process that dies.
    pub fn cut(at: Cut) -> Self {
        let recorder = Self::default();
        lock(&recorder.0.kept).cut = Some(at);
        recorder
    }

    /// A journal that fails at this commit.
    pub fn failing(at: Cut) -> Self {
        let recorder = Self::cut(at);
        lock(&recorder.0.kept).fails = true;
        recorder
    }

    /// How many commits were made.
    pub fn commits(&self) -> usize {
        lock(&self.0.kept).commits
    }

    /// Whether the run got as far as the cut.
    pub fn has_struck(&self) -> bool {
        lock(&self.0.kept).has_struck
    }

    /// Ends when the run has got to the cut.
    pub async fn struck(&self) {
        loop {
            let struck = self.0.struck.notified();
            if self.has_struck() {
                return;
            }
            struck.await;
        }
    }

    /// The state that was saved last, as JSON; `None` if nothing was.
    pub fn document(&self) -> Option<String> {
        lock(&self.0.kept).document.clone()
    }

    /// The state that the recorded changes add up to; `None` if there are none.
    pub fn from_changes(&self) -> Option<State> {
        let kept = lock(&self.0.kept);
        build(&kept.nodes, 0)
    }

    fn record(kept: &mut Kept, batch: &Batch<'_>) {
        kept.document = Some(batch.state().to_json());
        for change in batch.changes() {
            kept.nodes
                .insert(change.id, (change.parent, change.node.clone()));
        }
    }
}

fn build(nodes: &BTreeMap<u32, (u32, State)>, id: u32) -> Option<State> {
    let (_, node) = nodes.get(&id)?;
    let mut node = node.clone();
    node.states = nodes
        .iter()
        .filter(|(below, (parent, _))| **below != 0 && *parent == id)
        .filter_map(|(below, _)| build(nodes, *below))
        .collect();
    Some(node)
}

impl Journal for Recorder {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let (strikes, fails) = {
                let mut kept = lock(&self.0.kept);
                kept.commits += 1;
                let number = kept.commits;
                if kept.cut != Some(Cut::Before(number)) {
                    Self::record(&mut kept, &batch);
                }
                let strikes =
                    matches!(kept.cut, Some(Cut::Before(at) | Cut::After(at)) if at == number);
                kept.has_struck |= strikes;
                (strikes, kept.fails)
            };
            if !strikes {
                return Ok(());
            }
            if fails {
                return Err(JournalError::new("the disk is full"));
            }
            self.0.struck.notify_waiters();
            pending().await
        })
    }
}
