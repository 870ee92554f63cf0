//! A node as columns, and back.
//!
//! Most nodes have nothing but what has a column. Of the others, the column `more` has the whole node as the JSON
//! of the core, but for its input and its output: so this store needs to know of no field that is new.

use std::borrow::Cow;

use steps_core::{
    Json, State,
    state::{Kind, NodeData},
    store::{ErrorKind, NodeRow},
};

use super::{
    columns::Columns,
    nanos::{exact, time},
};
use crate::error::{Fail, Result};

/// The columns of many nodes, one list each, as a statement takes them.
#[derive(Default)]
pub(crate) struct NodeLists<'a> {
    pub(crate) of: Vec<i64>,
    pub(crate) node: Vec<i64>,
    pub(crate) parent: Vec<i64>,
    pub(crate) kind: Vec<&'static str>,
    pub(crate) columns: DataLists<'a>,
    pub(crate) input: Vec<Option<&'a str>>,
    pub(crate) decision: Vec<Option<bool>>,
}

/// The columns that an execution's row has of its root, too.
#[derive(Default)]
pub(crate) struct DataLists<'a> {
    pub(crate) name: Vec<Option<&'a str>>,
    pub(crate) status: Vec<&'static str>,
    pub(crate) attempts: Vec<Option<i64>>,
    pub(crate) started_at: Vec<Option<i64>>,
    pub(crate) done_at: Vec<Option<i64>>,
    pub(crate) error: Vec<Option<&'a str>>,
    pub(crate) output: Vec<Option<&'a str>>,
    pub(crate) more: Vec<Option<String>>,
}

impl<'a> NodeLists<'a> {
    /// Adds the nodes of a write but for the root; `of` says whose they are.
    pub(crate) fn push(&mut self, of: i64, nodes: &'a [NodeRow]) -> Result<()> {
        for row in nodes.iter().filter(|row| row.id != 0) {
            let node = &row.node;
            if row.id > LAST {
                return Err(Fail::new(
                    ErrorKind::Rejected,
                    format!("node {}: this store takes {LAST} nodes at most", row.id),
                ));
            }
            self.of.push(of);
            self.node.push(row.id.into());
            self.parent.push(row.parent.into());
            self.kind.push(node.kind.as_str());
            self.input.push(text(node.input.as_ref()));
            self.decision.push(node.decision);
            self.columns.push(node, more(node));
        }
        Ok(())
    }
}

/// The largest number of a node, as of every store.
const LAST: u32 = (1 << 24) - 1;

impl<'a> DataLists<'a> {
    fn push(&mut self, node: &'a NodeData, more: Option<String>) {
        self.name.push(Some(&node.name));
        self.status.push(node.status.as_str());
        self.attempts.push(Some(node.attempts.into()));
        self.started_at.push(node.started_at.and_then(exact));
        self.done_at.push(node.done_at.and_then(exact));
        self.error.push(node.errors.last().map(String::as_str));
        self.output.push(text(node.output.as_ref()));
        self.more.push(more);
    }

    /// Adds the root of an execution.
    pub(crate) fn push_root(&mut self, root: &'a NodeData) {
        self.push(root, more_of_root(root));
    }

    /// Adds an execution that has no root, or a write that changes none.
    pub(crate) fn push_none(&mut self, status: &'static str) {
        self.name.push(None);
        self.status.push(status);
        self.attempts.push(None);
        self.started_at.push(None);
        self.done_at.push(None);
        self.error.push(None);
        self.output.push(None);
        self.more.push(None);
    }
}

fn text(json: Option<&Json>) -> Option<&str> {
    json.map(Json::get)
}

/// Returns a node as its columns tell of it, without its input and its output.
fn told(node: &NodeData) -> NodeData {
    let mut told = NodeData::default();
    told.name.clone_from(&node.name);
    told.kind = node.kind;
    told.status = node.status;
    told.attempts = node.attempts;
    told.started_at = node.started_at.filter(|time| exact(*time).is_some());
    told.done_at = node.done_at.filter(|time| exact(*time).is_some());
    told.errors = node.errors.last().cloned().into_iter().collect();
    told.decision = node.decision;
    told
}

fn more(node: &NodeData) -> Option<String> {
    let mut rest = node.clone();
    rest.input = None;
    rest.output = None;
    (rest != told(node)).then(|| State::from(rest).to_json())
}

fn more_of_root(root: &NodeData) -> Option<String> {
    let mut rest = root.clone();
    // The column `input` of an execution is its own.
    rest.output = None;
    let is_plain = root.kind == Kind::Flow && root.decision.is_none();
    (!is_plain || rest != told(root)).then(|| State::from(rest).to_json())
}

/// Reads the column `more`.
fn read_more(text: &str, input: Option<Json>, output: Option<Json>) -> Result<NodeData> {
    let state = State::from_json(text);
    let state = state.map_err(|error| Fail::Row(format!("column `more`: {error}")))?;
    let mut node = NodeData::from(state);
    node.input = input.or(node.input);
    node.output = output;
    Ok(node)
}

/// Reads an execution's root: it has what it shares with the execution, and the columns its name, the number of
/// attempts, and `more`.
pub(crate) fn read_root(columns: &mut Columns<'_>, mut told: NodeData) -> Result<Option<NodeData>> {
    let name = columns.owned()?;
    let attempts = columns.count()?;
    let more = columns.text()?;
    let Some(attempts) = attempts else {
        return Ok(None);
    };
    told.name = Cow::Owned(name.unwrap_or_default());
    let Some(more) = more else {
        told.attempts = attempts;
        return Ok(Some(told));
    };
    read_more(more, None, told.output).map(Some)
}

/// The columns that [`read`] reads, of a table named `n`.
pub(crate) const COLUMNS: &str = "n.node, n.parent, n.name, n.kind, n.status, n.attempts, n.started_at, \
    n.done_at, n.decision, n.error, n.input, n.output, n.more";

/// Reads the [`COLUMNS`].
pub(crate) fn read(columns: &mut Columns<'_>) -> Result<NodeRow> {
    let number = columns.count()?;
    let number = columns.some(number)?;
    let parent = columns.count()?;
    let parent = columns.some(parent)?;
    let mut node = NodeData::default();
    node.name = Cow::Owned(columns.owned()?.unwrap_or_default());
    node.kind = columns.kind()?;
    node.status = columns.status()?;
    node.attempts = columns.count()?.unwrap_or_default();
    node.started_at = columns.number()?.map(time);
    node.done_at = columns.number()?.map(time);
    node.decision = columns.flag()?;
    node.errors = columns.owned()?.into_iter().collect();
    let input = columns.json()?;
    let output = columns.json()?;
    let node = match columns.text()? {
        Some(more) => read_more(more, input, output)?,
        None => {
            node.input = input;
            node.output = output;
            node
        }
    };
    Ok(NodeRow::new(number, parent, node))
}
