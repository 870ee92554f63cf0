//! The root of an execution's tree, in the form that a store keeps.
//!
//! The input, id and labels of an execution are kept with the execution itself, not in the row of
//! its tree's root ([`Write::nodes`](super::Write::nodes)). Only the functions in this file remove
//! them from a tree and put them back.

use jiff::Timestamp;

use super::{Due, NodeRow, StoredExecution};
use crate::model::state::{Kind, Limits, NodeData, State, StateError, Until};

/// The limits on reading what a run wrote. The rows are in memory already, and that run limited their
/// number. With other limits today, the execution can still be looked at and undone.
const WRITTEN: Limits = Limits::DEFAULT.nodes(usize::MAX).depth(Limits::MAX_DEPTH);

impl StoredExecution {
    /// Returns whether the execution has begun. Before that it has no tree.
    pub(crate) fn has_begun(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Returns the whole tree. If the execution has not begun, this is a pending root.
    pub(crate) fn into_state(self) -> Result<State, StateError> {
        let tree = State::from_rows_with(self.nodes, &WRITTEN)?;
        let mut state = tree.unwrap_or_else(|| {
            State::from(NodeData {
                name: self.info.flow.into(),
                kind: Kind::Flow,
                ..NodeData::default()
            })
        });
        state.input = Some(self.input);
        state.id = Some(self.info.id.into());
        state.labels = self.info.labels;
        Ok(state)
    }
}

/// Returns the root of an execution that must not begin before this time.
pub(crate) fn pending_until(flow: &str, time: Timestamp) -> NodeRow {
    let root = NodeData {
        name: flow.to_owned().into(),
        kind: Kind::Flow,
        until: Some(Until::Time(time)),
        ..NodeData::default()
    };
    NodeRow::new(0, 0, root)
}

/// Returns when an execution is due that goes on with this tree.
pub(crate) fn due(state: &State) -> Due {
    match state.time_to_begin() {
        Some(time) => Due::At(time),
        None => Due::Now,
    }
}

/// Returns the rows of a whole tree, for a [`Write`](super::Write).
pub(crate) fn rows_of(mut state: State) -> Vec<NodeRow> {
    strip(&mut state);
    state.to_rows()
}

/// Converts the nodes that a journal received to the rows of a [`Write`](super::Write).
pub(crate) fn into_rows(mut nodes: Vec<NodeRow>) -> Vec<NodeRow> {
    let root = nodes.iter_mut().find(|row| row.id == 0);
    if let Some(root) = root {
        strip(&mut root.node);
    }
    nodes
}

fn strip(root: &mut NodeData) {
    root.input = None;
    root.id = None;
    root.labels.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::json::Json, model::status::Status, store::ExecutionInfo};

    fn saved(nodes: Vec<NodeRow>) -> StoredExecution {
        let mut info = ExecutionInfo::new("req-42", "order", jiff::Timestamp::UNIX_EPOCH);
        info.labels.insert("project".into(), "atlas".into());
        StoredExecution {
            info,
            input: Json::encode(&7).unwrap(),
            nodes,
            messages: Vec::new(),
        }
    }

    fn tree() -> State {
        let text = r#"{"name":"order","id":"req-42","labels":{"project":"atlas"},
            "input":7,"states":[{"name":"a","input":1}]}"#;
        State::from_json(text).unwrap()
    }

    #[test]
    fn what_is_written_comes_back_as_the_same_tree() {
        let rows = rows_of(tree());
        assert_eq!(saved(rows).into_state().unwrap(), tree());
    }

    #[test]
    fn only_the_root_is_without_its_input() {
        let rows = into_rows(tree().to_rows());
        let (root, below) = (&rows[0].node, &rows[1].node);
        assert_eq!((&root.input, &root.id), (&None, &None));
        assert!(root.labels.is_empty());
        assert!(below.input.is_some());
    }

    #[test]
    fn an_execution_that_has_not_begun_is_a_pending_root() {
        let saved = saved(Vec::new());
        assert!(!saved.has_begun());
        let state = saved.into_state().unwrap();
        assert_eq!((&*state.name, state.status), ("order", Status::Pending));
        assert_eq!(state.id.as_deref(), Some("req-42"));
        assert_eq!(state.input, Some(Json::encode(&7).unwrap()));
    }

    /// More than a document from outside may have by default. A million nodes take too long here.
    #[test]
    fn claim_nodes_limit_does_not_keep_an_execution_from_being_looked_at() {
        assert_eq!(WRITTEN.nodes, usize::MAX);
        let node = |id: u32| {
            let node = NodeData {
                name: "n".into(),
                ..NodeData::default()
            };
            NodeRow::new(id, id.saturating_sub(1), node)
        };
        let levels = u32::try_from(Limits::MAX_DEPTH).unwrap();
        let state = saved((0..levels).map(node).collect()).into_state().unwrap();
        assert_eq!(state.walk().count(), Limits::MAX_DEPTH);
    }
}
