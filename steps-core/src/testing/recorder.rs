//! A journal that keeps everything, and at which a run can be interrupted.

use std::{
    collections::BTreeMap,
    fmt,
    future::pending,
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use crate::{
    base::{error::JournalError, future::BoxFuture, sync::lock},
    journal::{Batch, Journal},
    model::state::{Kind, NodeData, NodeRow, State, StateError},
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
/// It keeps the state after each commit, and, apart from that, the state that the
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
    documents: Documents,
    document: Option<State>,
    rows: BTreeMap<u32, (u32, State)>,
}

/// After which commits the whole state is kept: it costs as much as the tree is large.
#[derive(Clone, Copy, Debug, Default)]
enum Documents {
    #[default]
    All,
    /// Only what is there when the run is cut off.
    AtCut,
    None,
}

impl Documents {
    fn keeps(self, cut: Option<Cut>, number: usize) -> bool {
        match (self, cut) {
            (Self::All, _) => true,
            (Self::AtCut, Some(Cut::Before(at))) => number + 1 == at,
            (Self::AtCut, Some(Cut::After(at))) => number == at,
            (Self::AtCut, None) | (Self::None, _) => false,
        }
    }
}

impl Recorder {
    /// Creates a journal that is never cut off.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a journal at which the run hangs at this commit. Drop the run then, as if its process
    /// had died.
    pub fn cut(at: Cut) -> Self {
        let recorder = Self::default();
        lock(&recorder.0.kept).cut = Some(at);
        recorder
    }

    /// Creates a journal that returns an error at this commit.
    pub fn failing(at: Cut) -> Self {
        let recorder = Self::cut(at);
        lock(&recorder.0.kept).fails = true;
        recorder
    }

    /// Returns how many commits were made.
    pub fn commits(&self) -> usize {
        lock(&self.0.kept).commits
    }

    /// Returns whether the run has come to the cut.
    pub fn has_struck(&self) -> bool {
        lock(&self.0.kept).has_struck
    }

    /// Waits until the run has come to the cut.
    pub async fn struck(&self) {
        loop {
            let struck = self.0.struck.notified();
            if self.has_struck() {
                return;
            }
            struck.await;
        }
    }

    /// Returns the state that was saved last, as JSON; `None` if nothing was saved.
    pub fn document(&self) -> Option<String> {
        lock(&self.0.kept).document.as_ref().map(State::to_json)
    }

    /// Returns the state that the recorded changes add up to, each as it is read back from JSON; `None` if
    /// there are none.
    ///
    /// # Errors
    ///
    /// If they do not make up a tree, or one of them can't be read.
    pub fn from_changes(&self) -> Result<Option<State>, StateError> {
        let rows: Result<Vec<NodeRow>, StateError> = lock(&self.0.kept)
            .rows
            .iter()
            .map(|(id, (parent, node))| {
                let node = State::from_json(&node.to_json())?;
                Ok(NodeRow::new(*id, *parent, node))
            })
            .collect();
        State::from_rows(rows?)
    }

    /// Returns how the state that the recorded changes add up to differs from this one, if it does.
    pub(crate) fn differs_from(&self, state: &State) -> Option<String> {
        let rows: Vec<NodeRow> = lock(&self.0.kept)
            .rows
            .iter()
            .map(|(id, (parent, node))| NodeRow::new(*id, *parent, node.clone()))
            .collect();
        let mut sum = match State::from_rows(rows) {
            Ok(Some(sum)) => sum,
            Ok(None) => return Some("there are no changes".to_owned()),
            Err(error) => return Some(format!("its changes are no tree: {error}")),
        };
        let mut state = state.clone();
        // A journal gets no change for a node that has not begun. (Whether each row can be read is
        // checked where a run is resumed from them; here it would take most of the time.)
        prune(&mut sum);
        prune(&mut state);
        let differs = sum.diff(&state);
        let list: Vec<_> = differs.iter().map(ToString::to_string).collect();
        let list = list.join(", ");
        (!list.is_empty()).then(|| format!("its changes add up to something else: {list}"))
    }

    /// The same, cut off here.
    pub(crate) fn cut_at(self, at: Option<Cut>) -> Self {
        lock(&self.0.kept).cut = at;
        self
    }

    /// The same, with the whole state kept only where it is cut off.
    pub(crate) fn document_at_cut(self) -> Self {
        lock(&self.0.kept).documents = Documents::AtCut;
        self
    }

    /// The same, without the whole state.
    pub(crate) fn without_documents(self) -> Self {
        lock(&self.0.kept).documents = Documents::None;
        self
    }

    /// The same, without the rows.
    pub(crate) fn without_rows(self) -> Self {
        lock(&self.0.kept).rows.clear();
        self
    }

    /// Returns a new journal with the same records, without a cut and with no commit counted: what
    /// another process finds.
    #[must_use]
    pub fn reopen(&self) -> Self {
        let kept = lock(&self.0.kept);
        Self(Arc::new(Inner {
            kept: Mutex::new(Kept {
                document: kept.document.clone(),
                rows: kept.rows.clone(),
                ..Kept::default()
            }),
            struck: Notify::default(),
        }))
    }

    fn record(kept: &mut Kept, batch: &Batch<'_>) {
        if kept.documents.keeps(kept.cut, kept.commits) {
            kept.document = Some(batch.state());
        }
        if batch.replaces() {
            kept.rows.clear();
        }
        kept.rows.retain(|row, _| !batch.removed().contains(*row));
        for change in batch.changes() {
            kept.rows
                .insert(change.id, (change.parent, change.node.clone().into()));
        }
    }
}

/// Makes a state comparable: with the attempts as they are read back from JSON, which leaves out the
/// first one of a node that has begun, and without nodes in which nothing is set.
fn prune(state: &mut State) {
    state.attempts = state.attempts.max(u32::from(state.started_at.is_some()));
    state.states.iter_mut().for_each(prune);
    state.states.retain(|node| {
        let blank = NodeData {
            name: node.name.clone(),
            kind: node.kind,
            ..NodeData::default()
        };
        node.node != blank || !node.states.is_empty()
    });
    // Its rows stand in the order in which the lines began, which depends on what they use.
    if matches!(state.kind, Kind::Parallel | Kind::Race) {
        state.states.sort_by(|a, b| a.name.cmp(&b.name));
    }
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
