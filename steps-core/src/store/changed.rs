//! Which statuses a write changes: written once for all stores. A store looks at what is there before the
//! write, and asks afterwards, when the nodes have their places.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    NodeRow,
    changes::{Change, ChangeKind, ChangedStep, Subscription, error_text},
};
use crate::model::{
    state::{Kind, NodeData, path},
    status::Status,
};

/// Reads an execution's nodes, as they are now.
pub trait NodeReader {
    /// What goes wrong when a store reads.
    type Error;

    /// Returns the status of the execution, whether or not it has begun.
    fn execution_status(&self) -> Result<Status, Self::Error>;

    /// Returns the status of the node with this number, which is not the root's, if it is there.
    fn status(&self, node: u32) -> Result<Option<Status>, Self::Error>;

    /// Returns the number of the node above and the name of the node with this number, if it is there.
    fn place(&self, node: u32) -> Result<Option<(u32, String)>, Self::Error>;

    /// Returns all nodes.
    fn all(&self) -> Result<Vec<NodeRow>, Self::Error>;
}

/// What was there before a write, of what the write may change: for a store.
#[derive(Debug)]
pub struct Before {
    execution: Option<Status>,
    steps: Steps,
}

#[derive(Debug)]
enum Steps {
    /// Nobody asks for them.
    Unasked,
    /// Those that the write brings, by their numbers.
    Numbered(HashMap<u32, Status>),
    /// All of them, by their paths: the write replaces the tree, and may number it anew.
    Replaced(HashMap<String, Status>),
}

/// The subscriptions to changes of executions of a flow, and of their steps.
#[derive(Clone, Copy)]
struct Asked<'s, 'f> {
    subscriptions: &'s [Subscription],
    flow: &'f str,
}

impl<'s> Asked<'s, '_> {
    /// Returns those that are for changes to this status.
    fn of(self, kind: ChangeKind, to: Status) -> impl Iterator<Item = &'s Subscription> {
        let is_of = move |it: &&Subscription| it.is_for(kind, self.flow) && it.is_for_status(to);
        self.subscriptions.iter().filter(is_of)
    }

    fn is_any(self, kind: ChangeKind, to: Status) -> bool {
        self.of(kind, to).next().is_some()
    }

    /// Whether this is a step, and any is for what it is now.
    fn is_for_step(self, row: &NodeRow) -> bool {
        is_step(row) && self.is_any(ChangeKind::Step, row.node.status)
    }
}

impl Before {
    /// Looks at what is there before a write; `None` if no subscription is for what it brings, so that there
    /// is nothing to do.
    ///
    /// # Errors
    ///
    /// What the reader returns.
    pub fn of<R: NodeReader>(
        subscriptions: &[Subscription],
        changed: &Changed<'_>,
        nodes: &R,
    ) -> Result<Option<Self>, R::Error> {
        let asked = Asked {
            subscriptions,
            flow: changed.flow,
        };
        let is_new = changed.how == Rewrite::New;
        let mut all = changed.nodes.iter();
        let root = all.find(|row| row.id == 0).map(|row| row.node.status);
        // What is new is pending, even if its write brings no root.
        let root = root.or(is_new.then_some(Status::Pending));
        let executions = root.is_some_and(|to| asked.is_any(ChangeKind::Execution, to));
        let steps = changed.nodes.iter().any(|row| asked.is_for_step(row));
        if !executions && !steps {
            return Ok(None);
        }
        let execution = (executions && !is_new).then(|| nodes.execution_status());
        let execution = execution.transpose()?;
        let steps = match changed.how {
            _ if !steps => Steps::Unasked,
            Rewrite::New => Steps::Numbered(HashMap::new()),
            Rewrite::Some => {
                let mut found = HashMap::new();
                for row in changed.nodes.iter().filter(|row| asked.is_for_step(row)) {
                    if let Some(status) = nodes.status(row.id)? {
                        found.insert(row.id, status);
                    }
                }
                Steps::Numbered(found)
            }
            Rewrite::All => {
                let all = nodes.all()?;
                let places = Places::of(&all);
                let found = all.iter().filter(|row| is_step(row));
                let found = found.map(|row| (places.path(row.id), row.node.status));
                Steps::Replaced(found.collect())
            }
        };
        Ok(Some(Self { execution, steps }))
    }

    /// Returns what the write has changed, each change with the name of the subscription that it is for, in
    /// order. The numbers of the changes are 0. The reader reads what is there after the write.
    ///
    /// # Errors
    ///
    /// What the reader returns.
    pub fn changes<'s, R: NodeReader>(
        &self,
        subscriptions: &'s [Subscription],
        changed: &Changed<'_>,
        nodes: &R,
    ) -> Result<Vec<(&'s str, Change)>, R::Error> {
        let asked = Asked {
            subscriptions,
            flow: changed.flow,
        };
        let mut found = Vec::new();
        let mut tell = |kind, from, node: &NodeData, step: Option<ChangedStep>| {
            for subscription in asked.of(kind, node.status) {
                let (id, flow) = (changed.id, changed.flow);
                let mut change = Change::new(0, id, flow, from, node.status, changed.at);
                // What has succeeded may have the errors of attempts before.
                let error = node.errors.last().filter(|_| node.status != Status::Done);
                change.error = error_text(error);
                change.step.clone_from(&step);
                found.push((subscription.name.as_str(), change));
            }
        };
        for row in changed.nodes.iter().filter(|row| asked.is_for_step(row)) {
            let node = &row.node;
            let (from, path) = match &self.steps {
                Steps::Unasked => break,
                Steps::Numbered(before) => (before.get(&row.id).copied(), None),
                Steps::Replaced(before) => {
                    let path = path_of(row, nodes)?;
                    (before.get(&path).copied(), Some(path))
                }
            };
            // What has not begun yet has not changed by being written down.
            if from.unwrap_or_default() == node.status {
                continue;
            }
            let path = path.map_or_else(|| path_of(row, nodes), Ok)?;
            let step = ChangedStep::new(node.name.to_string(), path, node.attempts);
            tell(ChangeKind::Step, from, node, Some(step));
        }
        let is_new = changed.how == Rewrite::New;
        let pending = NodeData::default();
        let root = changed.nodes.iter().find(|row| row.id == 0);
        let root = root.map(|row| &row.node);
        if let Some(root) = root.or(is_new.then_some(&pending))
            && (is_new || self.execution.is_some_and(|from| from != root.status))
        {
            tell(ChangeKind::Execution, self.execution, root, None);
        }
        Ok(found)
    }
}

/// An execution that is written to, and the nodes of the write: for a store.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its flow's name.
    pub flow: &'a str,
    /// The time of the store's clock.
    pub at: Timestamp,
    /// The nodes that the write brings.
    pub nodes: &'a [NodeRow],
    /// What they take the place of.
    pub how: Rewrite,
}

/// What the nodes of a write take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// Nothing: the write makes the execution.
    New,
    /// Those of their numbers.
    Some,
    /// All: the write [replaces](super::Write::replace) the tree, and may number it anew.
    All,
}

fn is_step(row: &NodeRow) -> bool {
    row.id != 0 && row.node.kind == Kind::Step
}

fn path_of<R: NodeReader>(row: &NodeRow, nodes: &R) -> Result<String, R::Error> {
    let mut names = vec![row.node.name.to_string()];
    let (mut above, mut below) = (row.parent, row.id);
    // A node comes after the one above it, so this ends even where a row is damaged.
    while above != 0 && above != below {
        let Some((next, name)) = nodes.place(above)? else {
            break;
        };
        names.push(name);
        (below, above) = (above, next);
        if names.len() > DEEPEST {
            break;
        }
    }
    names.reverse();
    Ok(path::join(names))
}

/// No tree is deeper.
const DEEPEST: usize = 10_000;

/// The places of all nodes of a tree.
struct Places<'a>(HashMap<u32, (u32, &'a str)>);

impl<'a> Places<'a> {
    fn of(rows: &'a [NodeRow]) -> Self {
        let places = rows
            .iter()
            .map(|row| (row.id, (row.parent, &*row.node.name)));
        Self(places.collect())
    }

    fn path(&self, node: u32) -> String {
        let mut names = Vec::new();
        let mut at = node;
        while let Some((above, name)) = self.0.get(&at).filter(|_| at != 0)
            && names.len() <= DEEPEST
        {
            names.push(*name);
            at = *above;
        }
        names.reverse();
        path::join(names)
    }
}
