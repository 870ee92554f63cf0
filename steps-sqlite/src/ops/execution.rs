//! Reading an execution: its row, and with it those of its nodes.

use std::borrow::Cow;

use rusqlite::Connection;
use steps_core::{
    Json,
    state::NodeData,
    state::{Kind, Labels},
    store::{ExecutionInfo, NodeRow, Past, Refused, RowRanges, Share, StoredExecution},
};

use super::{inbox, notes, steps};
use crate::{
    error::{Fail, Result},
    file::clock::{Now, Turn},
    row::{columns::Columns, nanos::time, past, refusers},
};

/// The columns that [`read`] reads, of a table named `e`.
macro_rules! columns {
    () => {
        concat!(
            "e.key, e.fence, e.id, e.flow, e.created_at, e.priority, e.due_at, e.free_at, e.worker, ",
            "CAST(e.refused AS TEXT), e.refused_why, (SELECT json_group_object(l.name, l.value) ",
            "FROM labels l WHERE l.execution = e.key), e.taken, e.form, e.parent, e.status, ",
            "e.started_at, e.done_at, e.error, e.output, e.attrs, e.trigger_name, e.message, ",
            "e.acts, e.updated_at, e.singleton, e.trace, e.attempts, e.until, e.more"
        )
    };
}
pub(crate) use columns;

/// A query for what [`execution`] reads.
macro_rules! select_execution {
    ($rest:literal) => {
        concat!(
            "SELECT e.input, e.past, ",
            $crate::ops::execution::columns!(),
            " FROM executions e ",
            $rest
        )
    };
}
pub(crate) use select_execution;

/// A query for what [`info`] reads: without the input, which may be large.
macro_rules! select_info {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            $crate::ops::execution::columns!(),
            " FROM executions e ",
            $rest
        )
    };
}
pub(crate) use select_info;

/// One execution's row.
pub(crate) struct Execution {
    pub(crate) key: i64,
    pub(crate) fence: i64,
    pub(crate) info: ExecutionInfo,
    pub(crate) turn: Turn,
    pub(crate) input: Json,
    /// What a claim leaves out.
    pub(crate) past: Option<Past>,
    /// The root, if it has been written.
    root: Option<NodeData>,
}

/// The same without the input.
struct Row {
    key: i64,
    fence: i64,
    info: ExecutionInfo,
    turn: Turn,
    root: Option<NodeData>,
}

impl Execution {
    /// Returns it with all of its nodes.
    pub(crate) fn whole(mut self, conn: &Connection) -> Result<StoredExecution> {
        self.past = None;
        self.open(conn)
    }

    /// Returns it without what is past.
    pub(crate) fn open(mut self, conn: &Connection) -> Result<StoredExecution> {
        let mut all = Share::UNBOUNDED;
        let nodes = self.nodes(conn, &mut all)?;
        let messages =
            inbox::since(conn, self.key, 0).map_err(|fail| of_execution(fail, &self.info.id))?;
        Ok(StoredExecution {
            info: self.info,
            input: self.input,
            nodes: nodes.unwrap_or_default(),
            messages,
        })
    }

    /// Returns the root and all other nodes but those that are past; `None` if they are more than the
    /// share.
    pub(crate) fn nodes(
        &mut self,
        conn: &Connection,
        share: &mut Share,
    ) -> Result<Option<Vec<NodeRow>>> {
        let mut nodes = Vec::new();
        if let Some(root) = self.root.take() {
            nodes.push(NodeRow::new(0, 0, root));
        }
        let none = RowRanges::default();
        let but = self.past.as_ref().map_or(&none, |past| &past.rows);
        let fits = steps::read(conn, self.key, but, &mut nodes, share)
            .map_err(|fail| of_execution(fail, &self.info.id))?;
        Ok(fits.then_some(nodes))
    }
}

/// Adds to the error that a row can't be read which execution it belongs to.
pub(crate) fn of_execution(fail: Fail, id: &str) -> Fail {
    match fail {
        Fail::Row(why) => Fail::Row(format!("execution {id:?}: {why}")),
        other => other,
    }
}

/// Reads a row of a [`select_execution`] query.
pub(crate) fn execution(row: &rusqlite::Row<'_>, now: Now) -> Result<Execution> {
    let whole = |columns: &mut Columns<'_>| {
        let input = columns.json()?;
        let input = columns.some(input)?;
        let past = columns.text()?.and_then(past::read);
        let Row {
            key,
            fence,
            info,
            turn,
            root,
        } = read(columns, now)?;
        Ok(Execution {
            key,
            fence,
            info,
            turn,
            input,
            past,
            root,
        })
    };
    whole(&mut Columns::from(row, 0)).map_err(|fail| of_execution(fail, id(row)))
}

/// Reads a row of a [`select_info`] query.
pub(crate) fn info(row: &rusqlite::Row<'_>, now: Now) -> Result<ExecutionInfo> {
    let read = read(&mut Columns::from(row, 0), now);
    let read = read.map_err(|fail| of_execution(fail, id(row)))?;
    Ok(read.info)
}

fn id<'a>(row: &'a rusqlite::Row<'_>) -> &'a str {
    let id = row.get_ref("id").ok();
    id.and_then(|id| id.as_str().ok()).unwrap_or("?")
}

fn read(columns: &mut Columns<'_>, now: Now) -> Result<Row> {
    let key = columns.number()?;
    let key = columns.some(key)?;
    let fence = columns.number()?;
    let fence = columns.some(fence)?;
    let id = columns.text()?.unwrap_or_default();
    let flow = columns.text()?.unwrap_or_default();
    let created_at = time(columns.number()?.unwrap_or_default());
    let mut info = ExecutionInfo::new(id, flow, created_at);
    info.key = key;
    let priority = columns.number()?.unwrap_or_default();
    info.priority = i32::try_from(priority).unwrap_or_default();
    let turn = Turn {
        due_at: columns.number()?,
        free_at: columns.number()?,
    };
    info.due = turn.time(now).map(time);
    info.worker = columns.text()?.map(str::to_owned);
    let refused = columns.text()?.map(refusers::read);
    let why = columns.text()?;
    info.refused = refused.map(|by| Refused {
        by,
        why: why.unwrap_or_default().to_owned(),
    });
    info.labels = labels(columns)?;
    info.messages_taken = columns.number()?.unwrap_or_default().cast_unsigned();
    info.form = columns.number()?;
    info.parent = columns.text()?.map(str::to_owned);
    info.status = columns.status()?;
    info.started_at = columns.number()?.map(time);
    info.done_at = columns.number()?.map(time);
    info.error = columns.text()?.map(str::to_owned);
    info.output = columns.json()?;
    info.set_notes(notes::read(columns)?);
    info.updated_at = columns.number()?.map_or(created_at, time);
    info.singleton = columns.text()?.map(str::to_owned);
    // One that is damaged must not keep its execution from going on.
    info.trace = columns.text()?.and_then(|trace| trace.parse().ok());
    let attempts = columns.count()?;
    let root = match attempts {
        None => None,
        Some(attempts) => {
            let mut root = NodeData::default();
            root.name = Cow::Owned(info.flow.clone());
            root.kind = Kind::Flow;
            root.status = info.status;
            root.attempts = attempts;
            root.started_at = info.started_at;
            root.done_at = info.done_at;
            root.errors = info.error.clone().into_iter().collect();
            root.output.clone_from(&info.output);
            root.until = columns.until()?;
            columns.overflow(&mut root)?;
            info.started_at = root.started_at;
            info.done_at = root.done_at;
            Some(root)
        }
    };
    Ok(Row {
        key,
        fence,
        info,
        turn,
        root,
    })
}

fn labels(columns: &mut Columns<'_>) -> Result<Labels> {
    match columns.text()? {
        None | Some("{}") => Ok(Labels::new()),
        Some(text) => {
            serde_json::from_str(text).map_err(|error| Fail::Row(format!("its labels: {error}")))
        }
    }
}

/// Returns the execution with this id.
pub(crate) fn by_id(conn: &Connection, id: &str, now: Now) -> Result<Option<Execution>> {
    let mut statement = conn.prepare_cached(select_execution!("WHERE e.id = ?1"))?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(|row| execution(row, now)).transpose()
}

/// Returns the execution with this key.
pub(crate) fn by_key(conn: &Connection, key: i64, now: Now) -> Result<Option<Execution>> {
    let mut statement = conn.prepare_cached(select_execution!("WHERE e.key = ?1"))?;
    let mut rows = statement.query([key])?;
    rows.next()?.map(|row| execution(row, now)).transpose()
}

/// Returns the execution with this id, with all of its nodes.
pub(crate) fn load(conn: &Connection, id: &str, now: Now) -> Result<Option<StoredExecution>> {
    let found = by_id(conn, id, now)?;
    found.map(|execution| execution.whole(conn)).transpose()
}

/// The same without what is past.
pub(crate) fn load_open(conn: &Connection, id: &str, now: Now) -> Result<Option<StoredExecution>> {
    let found = by_id(conn, id, now)?;
    found.map(|execution| execution.open(conn)).transpose()
}
