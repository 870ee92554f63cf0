//! The tree as rows: one for each node, with its number and its parent's number. A journal receives
//! these rows in [`Batch::changes`](crate::journal::Batch::changes); this module builds a tree from
//! rows, and rows from a tree.

use std::collections::HashSet;

use super::{LimitKind, Limits, NodeData, State, StateError, old_form, path};

/// The number of a node's row, in the store that the tree was read from.
///
/// A run that [resumes](crate::Run::resume) a state with rows passes only changed nodes to its
/// journal, each with the number it has here; new nodes get larger numbers. If the root or another
/// node of the state has no number, as in a state read from JSON, the run first passes the whole
/// tree ([`Batch::replaces`](crate::journal::Batch::replaces)). Methods that change a state, such
/// as [`State::recover`], therefore remove the root's row. Code that changes the fields of a state
/// itself must do the same.
///
/// The row is not part of a state's JSON. Any two rows are equal, so that states with the same
/// content are equal.
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
    /// Returns the row with this number. The root has number 0.
    pub const fn new(number: u32) -> Self {
        Self(Some(number))
    }

    /// Above this number, rows are renumbered, so that the numbers never run out: half of those that a
    /// store has to take.
    pub(crate) const MOST: u32 = 1 << 23;

    /// Returns the row's number, if it has one.
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

/// One node as a row: its number, its parent's number, and its content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeRow {
    /// The node's number. It stays the same for as long as the execution exists, even in a later
    /// run that resumes a state built by [`State::from_rows`]. The root has number 0.
    pub id: u32,
    /// The number of the node's parent; for the root, its own number.
    pub parent: u32,
    /// The node.
    pub node: NodeData,
}

impl NodeRow {
    /// Returns a node with its numbers. Only the node itself is taken from a [`State`], not its
    /// children.
    pub fn new(id: u32, parent: u32, node: impl Into<NodeData>) -> Self {
        let node = node.into();
        Self { id, parent, node }
    }
}

/// A row while the tree is built.
struct Part {
    id: u32,
    parent: u32,
    node: State,
    depth: usize,
    /// The positions of the children.
    below: Vec<usize>,
}

impl State {
    /// Builds the tree from its [rows](Row), within [`Limits::DEFAULT`]. The rows may come in any
    /// order. Of several rows with one number the last counts, so the input may be all changes that
    /// a journal ever received. The root has number 0. Children are sorted by their numbers.
    /// Returns `None` if there are no rows.
    ///
    /// # Errors
    ///
    /// Returns [`StateError::Row`] if the rows do not form a tree: the parent of a row is missing,
    /// or a row is above itself. Returns [`StateError::Limit`] if the tree is too deep or has too
    /// many nodes.
    pub fn from_rows(rows: impl IntoIterator<Item = NodeRow>) -> Result<Option<Self>, StateError> {
        Self::from_rows_with(rows, &Limits::DEFAULT)
    }

    /// Builds the tree like [`from_rows`](Self::from_rows), within other limits.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`from_rows`](Self::from_rows).
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
        // Each node comes after everything below it.
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

    /// Returns the rows of the whole tree, each after its parent's row. They replace all rows of an
    /// execution after a tool has changed its state. A node keeps its [row](Self#structfield.row),
    /// unless another node has the same number or the number does not fit the order; then it gets a
    /// new one.
    pub fn to_rows(&self) -> Vec<NodeRow> {
        let most = largest(self).unwrap_or(0);
        let mut next = if most > Row::MOST { 1 } else { most + 1 };
        let mut used = HashSet::new();
        let mut rows = Vec::new();
        // The nodes to write, each with its own number and its parent's.
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

/// Returns the largest row number in a tree, if there is any.
pub(crate) fn largest(state: &State) -> Option<u32> {
    let mut largest = None;
    let mut left = vec![state];
    while let Some(node) = left.pop() {
        largest = largest.max(node.row.get());
        left.extend(&node.states);
    }
    largest
}

/// Sorts the rows by number, each number once.
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
    // The sort is stable, so after the reversal the latest row of a number comes first.
    parts.reverse();
    parts.sort_by_key(|part| part.id);
    parts.dedup_by_key(|part| part.id);
    parts
}

fn place(parts: &[Part], id: u32) -> Option<usize> {
    // If no number is missing, the number is the position.
    let at = id as usize;
    if parts.get(at).is_some_and(|part| part.id == id) {
        return Some(at);
    }
    parts.binary_search_by_key(&id, |part| part.id).ok()
}

/// Computes the depth of each row that the root is above; the root has depth 1. Returns their
/// positions, each after its parent's.
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
