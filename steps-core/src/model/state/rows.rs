//! The tree as rows: a node each, with a number and that of the node above it. This is what a
//! journal is told in [`Batch::changes`](crate::journal::Batch::changes), put together and taken
//! apart again.

use std::collections::HashSet;

use super::{LimitKind, Limits, NodeData, State, StateError, old_form, path};

/// The number of a node's row, in the store from which the tree was put together.
///
/// A run that [resumes](crate::Run::resume) a state with rows tells its journal only of nodes that
/// change, each with the number it has here; new nodes get larger ones. Where nodes have none, as
/// those that were read from JSON, or the root has none, the journal is told of the whole tree first
/// ([`Batch::replaces`](crate::journal::Batch::replaces)). What changes a state, such as
/// [`State::recover`], therefore takes the root's row away; who changes its fields does so too.
///
/// It is no part of a state's JSON, and any two are equal: states that say the same are.
///
/// ```
/// use steps::{State, state::Row};
/// let saved = State::from_json(r#"{"name":"f","states":[{"name":"a"}]}"#)?;
/// let state = State::from_rows(saved.to_rows())?.unwrap();
/// assert_eq!(state.states[0].row.get(), Some(1));
/// assert_eq!(saved.states[0].row.get(), None);
/// assert_eq!(saved, state);
/// # Ok::<_, steps::state::StateError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Row(Option<u32>);

impl Row {
    /// The row with this number; the root's is 0.
    pub const fn new(number: u32) -> Self {
        Self(Some(number))
    }

    /// Above this, numbers are given anew, so that they never end.
    pub(crate) const MOST: u32 = u32::MAX / 2;

    /// Its number, if there is one.
    pub const fn get(self) -> Option<u32> {
        self.0
    }
}

impl PartialEq for Row {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Row {}

/// One node as a row: its number, that of the node above it, and its content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeRow {
    /// The node's number: the same for as long as the execution lives, also in a later run that
    /// resumes what [`State::from_rows`] has put together. The root's is 0.
    pub id: u32,
    /// The number of the node above it; the root's is its own.
    pub parent: u32,
    /// The node.
    pub node: NodeData,
}

impl NodeRow {
    /// A node with its place. A [`State`] gives only its own node, not those below.
    pub fn new(id: u32, parent: u32, node: impl Into<NodeData>) -> Self {
        let node = node.into();
        Self { id, parent, node }
    }
}

/// One row that is being put in its place.
struct Part {
    id: u32,
    parent: u32,
    node: State,
    depth: usize,
    /// The places of the nodes below.
    below: Vec<usize>,
}

impl State {
    /// Puts the tree together whose [rows](Row) these are, within [`Limits::DEFAULT`]. They may
    /// come in any order; of two with one number the later counts, so that all changes that a
    /// journal was ever told can be given as well. The root has number 0. The nodes below one stand
    /// in the order of their numbers. `None` where there are no rows.
    ///
    /// # Errors
    ///
    /// [`StateError::Row`] where the rows are no tree: the one above a row is missing, or it stands
    /// above itself. [`StateError::Limit`] where it is too deep or has too many nodes.
    pub fn from_rows(rows: impl IntoIterator<Item = NodeRow>) -> Result<Option<Self>, StateError> {
        Self::from_rows_with(rows, &Limits::DEFAULT)
    }

    /// The same within other limits.
    ///
    /// # Errors
    ///
    /// Those of [`from_rows`](Self::from_rows).
    pub fn from_rows_with(
        rows: impl IntoIterator<Item = NodeRow>,
        limits: &Limits,
    ) -> Result<Option<Self>, StateError> {
        let mut parts = sorted(rows);
        if parts.len() > limits.nodes {
            return Err(StateError::Limit {
                path: String::new(),
                limit: LimitKind::Nodes,
                max: limits.nodes,
            });
        }
        match parts.first() {
            None => return Ok(None),
            Some(first) if first.id != 0 => {
                let reason = "the root's row, 0, is missing".to_owned();
                return Err(StateError::Row {
                    row: first.id,
                    reason,
                });
            }
            Some(_) => {}
        }
        for at in 0..parts.len() {
            let Part { id, parent, .. } = parts[at];
            if id == 0 {
                continue;
            }
            let Some(above) = place(&parts, parent) else {
                let reason = format!("the row above it, {parent}, is missing");
                return Err(StateError::Row { row: id, reason });
            };
            parts[above].below.push(at);
        }
        let order = from_the_root(&mut parts, limits)?;
        if let Some(part) = parts.iter().find(|part| part.depth == 0) {
            return Err(StateError::Row {
                row: part.id,
                reason: "it stands below itself".to_owned(),
            });
        }
        // Each after all that is below it.
        for at in order.into_iter().rev() {
            let below = std::mem::take(&mut parts[at].below);
            let states = below
                .into_iter()
                .map(|child| std::mem::take(&mut parts[child].node))
                .collect();
            parts[at].node.states = states;
        }
        Ok(parts.into_iter().next().map(|root| root.node))
    }

    /// The rows that the whole tree is kept in, each after the one above it: what replaces all rows
    /// of an execution after a tool has changed its state. A node keeps the [row](Self#structfield.row)
    /// it has, unless another has the same or the order would not be that of the numbers; the others
    /// get new ones.
    pub fn to_rows(&self) -> Vec<NodeRow> {
        let most = largest(self).unwrap_or(0);
        let mut next = if most > Row::MOST { 1 } else { most + 1 };
        let mut used = HashSet::new();
        let mut rows = Vec::new();
        // The nodes to write, each with its row and that of the node above it.
        let mut left = vec![(self, 0, 0)];
        while let Some((node, id, parent)) = left.pop() {
            rows.push(NodeRow::new(id, parent, node.node.clone()));
            let first = left.len();
            let mut before = 0;
            for below in &node.states {
                let kept = below
                    .row
                    .get()
                    .filter(|row| *row > before && most <= Row::MOST);
                before = match kept.filter(|row| used.insert(*row)) {
                    Some(row) => row,
                    None => {
                        next += 1;
                        next - 1
                    }
                };
                left.push((below, before, id));
            }
            left[first..].reverse();
        }
        rows
    }
}

/// The largest number of a row in a tree, if it has any.
pub(crate) fn largest(state: &State) -> Option<u32> {
    let mut largest = None;
    let mut left = vec![state];
    while let Some(node) = left.pop() {
        largest = largest.max(node.row.get());
        left.extend(&node.states);
    }
    largest
}

/// The rows in the order of their numbers, each number once.
fn sorted(rows: impl IntoIterator<Item = NodeRow>) -> Vec<Part> {
    let mut parts: Vec<Part> = rows
        .into_iter()
        .map(|row| {
            let NodeRow { id, parent, node } = row;
            let mut node = node;
            old_form::translate(&mut node);
            let node = State {
                node,
                row: Row::new(id),
                states: Vec::new(),
            };
            Part {
                id,
                parent,
                node,
                depth: 0,
                below: Vec::new(),
            }
        })
        .collect();
    // The sort is stable, so of one number the later row is the last.
    parts.reverse();
    parts.sort_by_key(|part| part.id);
    parts.dedup_by_key(|part| part.id);
    parts
}

fn place(parts: &[Part], id: u32) -> Option<usize> {
    // Where no number is left out, that is the place.
    let at = id as usize;
    if parts.get(at).is_some_and(|part| part.id == id) {
        return Some(at);
    }
    parts.binary_search_by_key(&id, |part| part.id).ok()
}

/// Counts the depth of each row that the root stands above, from 1. Gives their places, each after
/// the one above it.
fn from_the_root(parts: &mut [Part], limits: &Limits) -> Result<Vec<usize>, StateError> {
    let mut order = Vec::with_capacity(parts.len());
    order.push(0);
    parts[0].depth = 1;
    let deepest = limits.depth.min(Limits::MAX_DEPTH);
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        let depth = parts[at].depth;
        if depth > deepest {
            return Err(StateError::Limit {
                path: path_of(parts, at),
                limit: LimitKind::Depth,
                max: deepest,
            });
        }
        let below = std::mem::take(&mut parts[at].below);
        for child in &below {
            parts[*child].depth = depth + 1;
        }
        order.extend(&below);
        parts[at].below = below;
    }
    Ok(order)
}

fn path_of(parts: &[Part], at: usize) -> String {
    let mut names = Vec::new();
    let mut at = at;
    while parts[at].id != 0 {
        names.push(&parts[at].node.name);
        let Some(above) = place(parts, parts[at].parent) else {
            break;
        };
        at = above;
    }
    names.reverse();
    path::join(names)
}

#[cfg(test)]
mod tests;
