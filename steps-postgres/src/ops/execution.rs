//! Reading executions: their rows, and with them those of their nodes.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use steps_core::{
    Json,
    state::{Kind, Labels, NodeData},
    store::{ExecutionInfo, NodeRow, Past, Refused, RowRanges, StoredExecution},
};

use super::{holders, inbox, notes};
use crate::{
    error::{Fail, Result},
    row::{columns::Columns, nanos::time, node, past, refusers},
    server::txn::Txn,
};

/// The columns that [`info`] reads, of a table named `e`.
pub(super) const INFO: &str = concat!(
    "e.id, e.key, e.fence, e.flow, e.created_at, e.priority, ",
    holders::due!(),
    ", e.worker, e.refused, e.refused_why, ",
    "(SELECT json_object_agg(l.name, l.value)::text FROM %.labels l WHERE l.execution = e.key), e.taken, e.form, ",
    "e.parent, e.status, e.started_at, e.done_at, e.error, e.output, e.attrs, e.trigger_name, e.message, e.acts, ",
    "e.updated_at, e.singleton, e.trace, e.name, e.attempts, e.more"
);

/// The columns that [`whole`] reads.
pub(super) fn columns() -> String {
    format!("{INFO}, e.past, e.input")
}

/// One execution's row.
pub(crate) struct Execution {
    pub(crate) key: i64,
    pub(crate) fence: i64,
    pub(crate) info: ExecutionInfo,
    pub(crate) input: Json,
    /// What a claim leaves out.
    pub(crate) past: Option<Past>,
    /// The root, if it has been written.
    pub(crate) root: Option<NodeData>,
}

struct Row {
    fence: i64,
    info: ExecutionInfo,
    root: Option<NodeData>,
}

/// Reads the columns of [`columns`].
pub(super) fn whole(row: &PgRow) -> Result<Execution> {
    let read = |row| {
        let mut columns = Columns::of(row);
        let Row { fence, info, root } = read(&mut columns)?;
        let past = columns.text()?.and_then(past::read);
        let input = columns.json()?;
        Ok(Execution {
            key: info.key,
            fence,
            info,
            input: columns.some(input)?,
            past,
            root,
        })
    };
    read(row).map_err(|fail: Fail| fail.of_execution(id(row)))
}

/// Reads the columns of [`INFO`].
pub(super) fn info(row: &PgRow) -> Result<ExecutionInfo> {
    let read = read(&mut Columns::of(row));
    Ok(read.map_err(|fail| fail.of_execution(id(row)))?.info)
}

/// The id, which is the first column.
pub(super) fn id(row: &PgRow) -> &str {
    let id = Columns::of(row).text().ok().flatten();
    id.unwrap_or("?")
}

fn read(columns: &mut Columns<'_>) -> Result<Row> {
    let id = columns.text()?.unwrap_or_default();
    let key = columns.key()?;
    let fence = columns.key()?;
    let flow = columns.text()?.unwrap_or_default();
    let created_at = time(columns.key()?);
    let mut info = ExecutionInfo::new(id, flow, created_at);
    info.key = key;
    let priority = columns.number()?.unwrap_or_default();
    info.priority = i32::try_from(priority).unwrap_or_default();
    info.due = columns.number()?.map(time);
    info.worker = columns.owned()?;
    let refused = columns.text()?.map(refusers::read);
    let why = columns.owned()?;
    info.refused = refused.map(|by| Refused {
        by,
        why: why.unwrap_or_default(),
    });
    info.labels = labels(columns)?;
    info.messages_taken = columns.number()?.unwrap_or_default().cast_unsigned();
    info.form = columns.number()?;
    info.parent = columns.owned()?;
    info.status = columns.status()?;
    info.started_at = columns.number()?.map(time);
    info.done_at = columns.number()?.map(time);
    info.error = columns.owned()?;
    info.output = columns.json()?;
    info.set_notes(notes::read(columns)?);
    info.updated_at = columns.number()?.map_or(created_at, time);
    info.singleton = columns.owned()?;
    // One that is damaged must not keep its execution from going on.
    info.trace = columns.owned()?.and_then(|trace| trace.parse().ok());
    let mut told = NodeData::default();
    told.kind = Kind::Flow;
    told.status = info.status;
    told.started_at = info.started_at;
    told.done_at = info.done_at;
    told.errors = info.error.clone().into_iter().collect();
    told.output.clone_from(&info.output);
    let root = node::read_root(columns, told)?;
    if let Some(root) = &root {
        info.started_at = root.started_at;
        info.done_at = root.done_at;
    }
    Ok(Row { fence, info, root })
}

fn labels(columns: &mut Columns<'_>) -> Result<Labels> {
    match columns.text()? {
        None => Ok(Labels::new()),
        Some(text) => {
            serde_json::from_str(text).map_err(|error| Fail::Row(format!("its labels: {error}")))
        }
    }
}

/// The rows of the nodes of these executions, each within ranges of numbers, and the row before each range, which may
/// name the first node in it.
const ROWS: &str = "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS r (execution, first, last) \
    CROSS JOIN LATERAL (SELECT * FROM %.node_rows x WHERE x.execution = r.execution \
    AND x.node BETWEEN r.first - 1 AND r.last OFFSET 0) n";

/// Which rows of executions to read.
#[derive(Default)]
pub(super) struct Ranges {
    execution: Vec<i64>,
    first: Vec<i64>,
    last: Vec<i64>,
}

impl Ranges {
    /// Adds the rows of an execution but for those that are past.
    pub(super) fn push(&mut self, execution: i64, past: Option<&Past>) {
        let none = RowRanges::default();
        for gap in past.map_or(&none, |past| &past.rows).gaps() {
            self.execution.push(execution);
            self.first.push((*gap.start()).into());
            self.last.push((*gap.end()).into());
        }
    }

    /// Returns how many rows each execution has, and how many bytes the values in them.
    pub(super) async fn sizes(&self, txn: &mut Txn<'_>) -> Result<HashMap<i64, (usize, usize)>> {
        let sql = format!(
            "SELECT n.execution, count(*), sum(coalesce(octet_length(n.error), 0) + coalesce(octet_length(n.input), 0) \
             + coalesce(octet_length(n.output), 0) + coalesce(octet_length(n.more), 0))::bigint {ROWS} \
             GROUP BY n.execution"
        );
        let statement = self.bind(txn, &sql);
        let rows = txn.rows(statement).await?;
        let size = |row| {
            let mut columns = Columns::of(row);
            let key = columns.key()?;
            let mut number = || Ok::<_, Fail>(columns.number()?.unwrap_or_default());
            let [rows, bytes] =
                [number()?, number()?].map(|size| usize::try_from(size).unwrap_or(usize::MAX));
            Ok((key, (rows, bytes)))
        };
        rows.iter().map(size).collect()
    }

    /// Returns the rows of each execution, in the order of their numbers, or why one can't be read.
    pub(super) async fn nodes(
        &self,
        txn: &mut Txn<'_>,
    ) -> Result<HashMap<i64, Result<Vec<NodeRow>, String>>> {
        let sql = format!(
            "SELECT n.execution, n.node >= r.first, n.node < r.last, {} {ROWS} ORDER BY n.execution, n.node",
            node::COLUMNS
        );
        let statement = self.bind(txn, &sql);
        let mut found: HashMap<i64, Result<Found, String>> = HashMap::new();
        for row in txn.rows(statement).await? {
            let mut columns = Columns::of(&row);
            let execution = columns.key()?;
            let (is_asked_for, is_next) = (columns.is()?, columns.is()?);
            let found = found.entry(execution).or_insert(Ok(Found::default()));
            match (node::read(&mut columns), &mut *found) {
                (Ok((node, next)), Ok(found)) => {
                    found.add(node, is_asked_for, next.filter(|_| is_next));
                }
                (Err(Fail::Row(why)), _) => *found = Err(why),
                (Err(other), _) => return Err(other),
                (Ok(_), Err(_)) => {}
            }
        }
        let nodes = |(key, found): (i64, Result<Found, String>)| (key, found.map(Found::all));
        Ok(found.into_iter().map(nodes).collect())
    }

    fn bind(&self, txn: &Txn<'_>, sql: &str) -> crate::server::txn::Statement {
        let statement = txn.query(sql).bind(self.execution.clone());
        statement.bind(self.first.clone()).bind(self.last.clone())
    }
}

/// The nodes of one execution, as far as its rows are read.
#[derive(Default)]
struct Found {
    nodes: Vec<NodeRow>,
    /// The step that the last row names. It may have a row of its own, which comes next.
    next: Option<NodeRow>,
}

impl Found {
    fn add(&mut self, node: NodeRow, is_asked_for: bool, next: Option<NodeRow>) {
        let before = self.next.take().filter(|before| before.id != node.id);
        self.nodes.extend(before);
        if is_asked_for {
            self.nodes.push(node);
        }
        self.next = next;
    }

    fn all(mut self) -> Vec<NodeRow> {
        self.nodes.extend(self.next);
        self.nodes
    }
}

impl Execution {
    /// Returns the root and the other nodes, but for those that are past.
    pub(super) async fn nodes(&mut self, txn: &mut Txn<'_>) -> Result<Vec<NodeRow>> {
        let mut ranges = Ranges::default();
        ranges.push(self.key, self.past.as_ref());
        let mut nodes: Vec<NodeRow> = self
            .root
            .take()
            .map(|root| NodeRow::new(0, 0, root))
            .into_iter()
            .collect();
        match ranges.nodes(txn).await?.remove(&self.key) {
            None => {}
            Some(Ok(others)) => nodes.extend(others),
            Some(Err(why)) => return Err(Fail::Row(why).of_execution(&self.info.id)),
        }
        Ok(nodes)
    }
}

/// Returns the execution with this id. `rest` is more SQL, such as for a lock.
pub(super) async fn by_id(txn: &mut Txn<'_>, id: &str, rest: &str) -> Result<Option<Execution>> {
    let sql = format!(
        "SELECT {} FROM %.executions e WHERE e.id = $1 {rest}",
        columns()
    );
    let statement = txn.query(&sql).bind(id);
    let row = txn.row(statement).await?;
    row.as_ref().map(whole).transpose()
}

/// Which nodes of an execution to load.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// All.
    All,
    /// Those that are not past.
    Open,
}

/// Returns the execution with this id, with its nodes and messages.
pub(crate) async fn load(
    txn: &mut Txn<'_>,
    id: &str,
    which: Nodes,
) -> Result<Option<StoredExecution>> {
    let Some(mut found) = by_id(txn, id, "").await? else {
        return Ok(None);
    };
    if which == Nodes::All {
        found.past = None;
    }
    let nodes = found.nodes(txn).await?;
    let messages = inbox::of(txn, &[found.key]).await?.remove(&found.key);
    let messages = messages.unwrap_or(Ok(Vec::new()));
    let messages = messages.map_err(|why| Fail::Row(why).of_execution(id))?;
    Ok(Some(StoredExecution {
        info: found.info,
        input: found.input,
        nodes,
        messages,
    }))
}
