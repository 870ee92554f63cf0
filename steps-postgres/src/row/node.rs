//! A node as columns, and back.
//!
//! Most nodes have nothing but what has a column. Of the others, the column `more` has the whole node as the JSON
//! of the core, but for its input and its output: so this store needs to know of no field that is new.

use std::borrow::Cow;

use steps_core::{
    Json, State, Status,
    state::{Kind, NodeData},
    store::{ErrorKind, NodeRow},
};

use super::{
    begun,
    columns::Columns,
    nanos::{exact, time},
};
use crate::error::{Fail, Result};

/// The columns of many nodes, one list each, as a statement takes them. Each value in a list costs the server time, so
/// what most nodes have is not among them: see [`usual!`].
#[derive(Default)]
pub(crate) struct NodeLists<'a> {
    pub(crate) of: Vec<Option<i64>>,
    pub(crate) node: Vec<Option<i64>>,
    pub(crate) parent: Vec<Option<i64>>,
    pub(crate) kind: Vec<Option<&'static str>>,
    pub(crate) columns: DataLists<'a>,
    pub(crate) input: Vec<Option<&'a str>>,
    pub(crate) decision: Vec<Option<bool>>,
    /// The name of the step that has no row of its own, as it began when this one ended.
    pub(crate) next: Vec<Option<&'a str>>,
}

/// The columns that an execution's row has of its root, too.
#[derive(Default)]
pub(crate) struct DataLists<'a> {
    pub(crate) name: Vec<Option<&'a str>>,
    pub(crate) status: Vec<Option<&'static str>>,
    pub(crate) attempts: Vec<Option<i64>>,
    pub(crate) started_at: Vec<Option<i64>>,
    pub(crate) done_at: Vec<Option<i64>>,
    pub(crate) error: Vec<Option<&'a str>>,
    pub(crate) output: Vec<Option<&'a str>>,
    pub(crate) more: Vec<Option<String>>,
}

impl<'a> NodeLists<'a> {
    /// Adds the nodes of a write but for the root; `of` says whose they are, and `new_from` from which number on they
    /// have no rows yet.
    pub(crate) fn push(
        &mut self,
        of: i64,
        nodes: &'a [NodeRow],
        new_from: Option<u32>,
    ) -> Result<()> {
        let new_from = new_from.unwrap_or(u32::MAX);
        let mut rows = nodes.iter().filter(|row| row.id != 0).peekable();
        while let Some(row) = rows.next() {
            let node = &row.node;
            let next =
                rows.next_if(|next| next.id >= new_from && begun::goes_without_saying(row, next));
            if row.id.max(next.map_or(0, |next| next.id)) > LAST {
                return Err(Fail::new(
                    ErrorKind::Rejected,
                    format!("node {}: this store takes {LAST} nodes at most", row.id),
                ));
            }
            self.of.push(Some(of));
            self.node.push(Some(row.id.into()));
            self.parent
                .push(Some(row.parent.into()).filter(|parent| *parent != 0));
            self.kind.push(
                Some(node.kind)
                    .filter(|kind| *kind != Kind::Step)
                    .map(Kind::as_str),
            );
            self.input.push(text(node.input.as_ref()));
            self.decision.push(node.decision);
            self.next.push(next.map(|next| &*next.node.name));
            let status = Some(node.status).filter(|status| *status != Status::Done);
            let attempts = Some(node.attempts).filter(|attempts| *attempts != 1);
            self.columns.push(node, status, attempts, more(node));
        }
        Ok(())
    }
}

/// The largest number of a node, as of every store.
const LAST: u32 = (1 << 24) - 1;

impl<'a> DataLists<'a> {
    fn push(
        &mut self,
        node: &'a NodeData,
        status: Option<Status>,
        attempts: Option<u32>,
        more: Option<String>,
    ) {
        self.name.push(Some(&node.name));
        self.status.push(status.map(Status::as_str));
        self.attempts.push(attempts.map(i64::from));
        self.started_at.push(node.started_at.and_then(exact));
        self.done_at.push(node.done_at.and_then(exact));
        self.error.push(node.errors.last().map(String::as_str));
        self.output.push(text(node.output.as_ref()));
        self.more.push(more);
    }

    /// Adds the root of an execution.
    pub(crate) fn push_root(&mut self, root: &'a NodeData) {
        self.push(
            root,
            Some(root.status),
            Some(root.attempts),
            more_of_root(root),
        );
    }

    /// Adds an execution that has no root, or a write that changes none.
    pub(crate) fn push_none(&mut self, status: Status) {
        self.name.push(None);
        self.status.push(Some(status.as_str()));
        self.attempts.push(None);
        self.started_at.push(None);
        self.done_at.push(None);
        self.error.push(None);
        self.output.push(None);
        self.more.push(None);
    }
}

/// The columns of a row of a node `n` in [lists](NodeLists), from its parent on.
macro_rules! usual {
    () => {
        "coalesce(n.parent, 0), n.name, coalesce(n.kind, 'step'), coalesce(n.status, 'done'), \
         coalesce(n.attempts, 1), n.started_at, n.done_at, n.decision, n.error, n.input, n.output, n.more"
    };
}
pub(crate) use usual;

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
    n.done_at, n.decision, n.error, n.input, n.output, n.more, n.next";

/// Reads the [`COLUMNS`], and returns with the node the step that its row names, which may have a row of its own.
pub(crate) fn read(columns: &mut Columns<'_>) -> Result<(NodeRow, Option<NodeRow>)> {
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
    let next = columns.owned()?.map(|name| {
        let next = begun::node(node.done_at, Cow::Owned(name));
        NodeRow::new(number.saturating_add(1), parent, next)
    });
    Ok((NodeRow::new(number, parent, node), next))
}
