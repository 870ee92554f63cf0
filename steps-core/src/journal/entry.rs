//! A batch as a value of its own, with a JSON form, and the rows that such batches leave: for a journal that is a log of
//! entries, such as a file or another engine's journal.

mod child;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use jiff::Timestamp;

use super::{Batch, NodeRow, PassEnd};
use crate::{
    base::json::{Fields, Json},
    model::{
        state::{Kind, NodeData, State, StateError, StepKind, path},
        status::Status,
        task::Task,
    },
    store::{InvalidRanges, RowRanges},
};
pub use child::ChildStart;

/// What a [`Batch`] changes, as a value that outlives it: [`Batch::to_entry`].
///
/// Put one after the other, the entries of an execution are all that is needed to go on with it: see [`Recorded`].
#[derive(Clone, Debug)]
pub struct Entry {
    changes: Vec<NodeRow>,
    removed: RowRanges,
    replaces: bool,
    pass_end: Option<PassEnd>,
    signals: Vec<String>,
    children: Vec<ChildStart>,
}

impl Batch<'_> {
    /// Returns the changes as a value of their own.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use steps::{journal::{Batch, BoxFuture, Entry, Journal, JournalError, Recorded}, prelude::*};
    ///
    /// /// A line of JSON for each batch.
    /// #[derive(Default)]
    /// struct Log(Mutex<Vec<String>>);
    ///
    /// impl Journal for Log {
    ///     fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
    ///         self.0.lock().unwrap().push(batch.to_entry().to_json());
    ///         Box::pin(std::future::ready(Ok(())))
    ///     }
    /// }
    ///
    /// #[step]
    /// async fn double(n: u32) -> Result<u32, String> {
    ///     Ok(2 * n)
    /// }
    ///
    /// #[flow]
    /// async fn quadruple(n: u32) -> Result<u32, String> {
    ///     steps! {
    ///         twice = double(n);
    ///         again = double(twice);
    ///     }
    ///     Ok(again)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let log = Arc::new(Log::default());
    /// quadruple(5).journal(log.clone()).await?;
    ///
    /// // As it was when `again` had begun.
    /// let mut recorded = Recorded::default();
    /// for line in &log.0.lock().unwrap()[..2] {
    ///     recorded.add(Entry::from_json(line)?);
    /// }
    /// assert_eq!(recorded.active(), ["again"]);
    /// let state = recorded.state()?.unwrap();
    /// assert_eq!(quadruple::resume(state)?.await?, 20);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What only an engine keeps, notes such as attributes, is not among them.
    pub fn to_entry(&self) -> Entry {
        let waits = matches!(self.pass_end, Some(PassEnd::Waiting { .. }));
        Entry {
            changes: self.changes.clone(),
            removed: self.removed.clone(),
            replaces: self.replaces,
            pass_end: self.pass_end,
            signals: if waits { self.signals() } else { Vec::new() },
            children: self.children.iter().map(ChildStart::of).collect(),
        }
    }
}

impl Entry {
    /// Returns how the pass ended, if this was its last batch.
    pub fn pass_end(&self) -> Option<PassEnd> {
        self.pass_end
    }

    /// Returns the paths of the steps that wait for a signal, if the pass has ended and the execution waits.
    pub fn signals(&self) -> &[String] {
        &self.signals
    }

    /// Returns the child executions that its lines start. They are to be started once it is safe: see
    /// [`Run::children`](crate::Run::children).
    pub fn children(&self) -> &[ChildStart] {
        &self.children
    }

    /// Returns whether its rows are the whole tree, and what was recorded before is obsolete.
    pub fn replaces(&self) -> bool {
        self.replaces
    }

    /// Returns it as JSON on one line.
    pub fn to_json(&self) -> String {
        let mut text = String::from("{\"rows\":[");
        for (at, row) in self.changes.iter().enumerate() {
            let node = State::from(row.node.clone()).to_json();
            let comma = if at == 0 { "" } else { "," };
            // Writing to memory can't fail.
            let _ = write!(text, "{comma}[{},{},{node}]", row.id, row.parent);
        }
        text.push(']');
        if !self.removed.is_empty() {
            field(&mut text, "removed", &self.removed.to_string());
        }
        if self.replaces {
            field(&mut text, "replaces", &true);
        }
        let (end, until) = match self.pass_end {
            None => (None, None),
            Some(PassEnd::Waiting { until }) => (Some(WAITING), until),
            Some(PassEnd::Ended) => (Some(ENDED), None),
            Some(PassEnd::Stopped) => (Some(STOPPED), None),
            Some(PassEnd::Suspended) => (Some(SUSPENDED), None),
        };
        if let Some(end) = end {
            field(&mut text, "end", &end);
        }
        if let Some(until) = until {
            field(&mut text, "until", &until);
        }
        if !self.signals.is_empty() {
            field(&mut text, "signals", &self.signals);
        }
        if !self.children.is_empty() {
            field(&mut text, "children", &self.children);
        }
        text.push('}');
        text
    }

    /// Reads what [`to_json`](Self::to_json) has written.
    ///
    /// # Errors
    ///
    /// [`StateError::Row`] says of which row's node it is that can't be read, and why; or of row 0 what else is wrong.
    pub fn from_json(text: &str) -> Result<Self, StateError> {
        Self::read(text).map_err(|(row, reason)| StateError::Row { row, reason })
    }

    fn read(text: &str) -> Result<Self, (u32, String)> {
        let bad = |reason: String| (0, format!("this is no entry: {reason}"));
        let json = Json::parse(text).map_err(|error| bad(error.to_string()))?;
        let fields = Fields::of(&json).map_err(bad)?;
        let rows: Vec<(u32, u32, Json)> = fields.get("rows").map_err(bad)?;
        let changes = rows.into_iter().map(|(id, parent, node)| {
            let node = State::from_json(node.get()).map_err(|error| (id, error.to_string()))?;
            Ok(NodeRow::new(id, parent, node))
        });
        let changes = changes.collect::<Result<_, _>>()?;
        let ranges: Option<String> = fields.get("removed").map_err(bad)?;
        let removed = ranges.unwrap_or_default().parse();
        let removed = removed.map_err(|error: InvalidRanges| bad(error.to_string()))?;
        let replaces: Option<bool> = fields.get("replaces").map_err(bad)?;
        let until: Option<Timestamp> = fields.get("until").map_err(bad)?;
        let end: Option<String> = fields.get("end").map_err(bad)?;
        let pass_end = match end.as_deref() {
            None => None,
            Some(WAITING) => Some(PassEnd::Waiting { until }),
            Some(ENDED) => Some(PassEnd::Ended),
            Some(STOPPED) => Some(PassEnd::Stopped),
            Some(SUSPENDED) => Some(PassEnd::Suspended),
            Some(other) => return Err(bad(format!("a pass does not end `{other}`"))),
        };
        let signals: Option<Vec<String>> = fields.get("signals").map_err(bad)?;
        let children: Option<Vec<ChildStart>> = fields.get("children").map_err(bad)?;
        Ok(Self {
            changes,
            removed,
            replaces: replaces.unwrap_or_default(),
            pass_end,
            signals: signals.unwrap_or_default(),
            children: children.unwrap_or_default(),
        })
    }
}

const WAITING: &str = "waiting";
const ENDED: &str = "ended";
const STOPPED: &str = "stopped";
const SUSPENDED: &str = "suspended";

fn field<T: serde::Serialize>(text: &mut String, name: &str, value: &T) {
    // Numbers, times and texts are always JSON.
    let value = serde_json::to_string(value).unwrap_or_default();
    let _ = write!(text, ",\"{name}\":{value}");
}

/// What a log of [entries](Entry) has recorded of an execution.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    rows: BTreeMap<u32, NodeRow>,
    /// The rows of the steps that run, or are being undone.
    active: BTreeSet<u32>,
    /// Those with an external task on which can be reported.
    tasks: BTreeSet<u32>,
    /// Those that wait for the end of a child, or for that of its undo.
    children: BTreeSet<u32>,
}

/// An external task on which can be reported: [`Recorded::tasks`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OpenTask<'a> {
    /// The row of its step.
    pub row: u32,
    /// The task.
    pub task: &'a Task,
}

/// What a line waits for of a child: [`Recorded::children`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChildWait {
    /// Its end: the line joins it.
    End(String),
    /// That it is undone: the line that has started it is being undone.
    TakenBack(String),
}

impl Recorded {
    /// Adds the next entry.
    pub fn add(&mut self, entry: Entry) {
        if entry.replaces {
            *self = Self::default();
        }
        let removed = entry.removed;
        if !removed.is_empty() {
            self.rows.retain(|id, _| !removed.contains(*id));
            for rows in [&mut self.active, &mut self.tasks, &mut self.children] {
                rows.retain(|id| !removed.contains(*id));
            }
        }
        for row in entry.changes {
            let is_one = [
                (&mut self.active, is_active(&row.node)),
                (&mut self.tasks, open_task(&row.node).is_some()),
                (&mut self.children, child_wait(&row.node).is_some()),
            ];
            for (rows, is_one) in is_one {
                if is_one {
                    rows.insert(row.id);
                } else {
                    rows.remove(&row.id);
                }
            }
            self.rows.insert(row.id, row);
        }
    }

    /// Returns the root, which stands for the execution, if anything is recorded.
    pub fn root(&self) -> Option<&NodeData> {
        self.rows.get(&0).map(|root| &root.node)
    }

    /// Returns the [paths](path) of the steps that run, or are being undone, in the order of their rows.
    pub fn active(&self) -> Vec<String> {
        self.active.iter().map(|id| self.path(*id)).collect()
    }

    /// Returns the external tasks on which can be reported, in the order of their rows.
    pub fn tasks(&self) -> impl Iterator<Item = OpenTask<'_>> {
        let rows = self.tasks.iter().filter_map(|id| self.rows.get(id));
        rows.filter_map(|row| {
            let task = open_task(&row.node)?;
            Some(OpenTask { row: row.id, task })
        })
    }

    /// Returns which children are waited for, in the order of the rows of the lines that do.
    pub fn children(&self) -> impl Iterator<Item = ChildWait> {
        let rows = self.children.iter().filter_map(|id| self.rows.get(id));
        rows.filter_map(|row| child_wait(&row.node))
    }

    /// Returns whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the tree, if anything is recorded.
    ///
    /// # Errors
    ///
    /// As of [`State::from_rows`].
    pub fn state(&self) -> Result<Option<State>, StateError> {
        State::from_rows(self.rows.values().cloned())
    }

    /// Returns one entry that has all of it, with which another log may begin.
    pub fn to_entry(&self) -> Entry {
        Entry {
            changes: self.rows.values().cloned().collect(),
            removed: RowRanges::default(),
            replaces: true,
            pass_end: None,
            signals: Vec::new(),
            children: Vec::new(),
        }
    }

    /// Returns the [path](path) of the node with this row; empty if there is none, and for the root.
    pub fn path(&self, id: u32) -> String {
        let mut names = Vec::new();
        let mut at = id;
        while at != 0
            && let Some(row) = self.rows.get(&at)
            // Rows of a tree; others would lead around in a circle.
            && names.len() < self.rows.len()
        {
            names.push(&*row.node.name);
            at = row.parent;
        }
        names.reverse();
        path::join(names)
    }
}

fn is_active(node: &NodeData) -> bool {
    node.kind == Kind::Step && matches!(node.status, Status::Running | Status::Undoing)
}

fn open_task(node: &NodeData) -> Option<&Task> {
    let is_open = matches!(node.status, Status::Running | Status::Waiting);
    let task = node.task.as_deref().filter(|_| is_open)?;
    (!task.status.is_final()).then_some(task)
}

fn child_wait(node: &NodeData) -> Option<ChildWait> {
    match (node.step_kind, node.status) {
        (Some(StepKind::Join), Status::Waiting) => node.child_execution().map(ChildWait::End),
        (Some(StepKind::Start), Status::Undoing) => {
            node.child_execution().map(ChildWait::TakenBack)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
