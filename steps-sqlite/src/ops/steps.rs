//! The rows of an execution's nodes. The root has none: it is in the execution's row. Nor has a step
//! that has only begun, if it did so when the one before it ended: the row of that end has its name.

use std::borrow::Cow;

use rusqlite::{Connection, params};
use steps_core::{
    Status,
    state::{Kind, NodeData},
    store::{NodeRow, RowRanges, Share, bytes_of},
};

use super::txn::{Kept, Txn};
use crate::{
    error::Result,
    row::{
        begun,
        columns::{
            Columns, LAST_NODE, UntilColumn, node_number, overflow_of, row_number, rows_of, text,
        },
        nanos::{exact, time},
    },
};

/// Writes a row, replacing the one with its number.
const PUT: &str = "INSERT INTO nodes (id, parent, name, kind, status, attempts, \
    started_at, done_at, until, decision, error, input, output, more, next) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
    ON CONFLICT (id) DO UPDATE SET parent = ?2, name = ?3, kind = ?4, status = ?5, attempts = ?6, \
    started_at = ?7, done_at = ?8, until = ?9, decision = ?10, error = ?11, input = ?12, \
    output = ?13, more = ?14, next = ?15";

/// Writes the row of a step that has succeeded at once, as most do, where there is none with its
/// number: half the values to bind, and nothing that would have to be taken back.
const PUT_DONE: &str = "INSERT INTO nodes (id, parent, name, kind, status, attempts, \
    started_at, done_at, output, next) VALUES (?1, ?2, ?3, 'step', 'done', 1, ?4, ?5, ?6, ?7)";

const ALL: &str = "SELECT id, parent, name, kind, status, attempts, started_at, done_at, until, \
    decision, error, input, output, more, next FROM nodes WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

/// The rows with the bytes of their values: those that overflow a page are not read for this.
const SIZES: &str = "SELECT id, ifnull(octet_length(error), 0) + ifnull(octet_length(input), 0) \
    + ifnull(octet_length(output), 0) + ifnull(octet_length(more), 0) \
    FROM nodes WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

/// Gives a step that has only begun its row, if the row that names it is deleted; and takes its name
/// from a row that stays, if it is deleted itself.
const PART: &str =
    "UPDATE nodes SET next = NULL WHERE id BETWEEN ?1 - 1 AND ?2 AND next IS NOT NULL";

const REMOVE: &str = "DELETE FROM nodes WHERE id BETWEEN ?1 AND ?2";

/// The numbers that nodes of an execution have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbers {
    /// The highest one, or 0.
    pub(crate) last: u32,
    /// Whether the node that has it is told of by the row before it, and has no row.
    pub(crate) last_has_no_row: bool,
}

impl Numbers {
    /// Notes a row that is about to be written. Returns whether there is none with its number.
    fn write(&mut self, number: u32) -> bool {
        let is_new = number > self.last || (number == self.last && self.last_has_no_row);
        if is_new {
            *self = Self {
                last: number,
                last_has_no_row: false,
            };
        } else if number + 1 == self.last {
            // A row that names the last step loses the name, and so the step gets its row.
            self.last_has_no_row = false;
        }
        is_new
    }

    /// Notes that rows are about to be deleted, and that a step which one of them names gets its row.
    fn remove(&mut self) {
        self.last_has_no_row = false;
    }
}

/// Writes nodes, each replacing the one with its number. The root must not be among them.
pub(crate) fn put<'a>(
    txn: &Txn<'_>,
    key: i64,
    numbers: &mut Numbers,
    changes: impl Iterator<Item = &'a NodeRow>,
) -> Result<()> {
    let mut changes = changes.peekable();
    while let Some(change) = changes.next() {
        let is_new = numbers.write(change.id);
        let next = changes
            .next_if(|next| next.id > numbers.last && begun::goes_without_saying(change, next));
        put_one(txn, key, change, is_new, next)?;
        if let Some(next) = next {
            row_number(key, next.id)?;
            *numbers = Numbers {
                last: next.id,
                last_has_no_row: true,
            };
        }
    }
    Ok(())
}

fn put_one(
    txn: &Txn<'_>,
    key: i64,
    change: &NodeRow,
    is_new: bool,
    next: Option<&NodeRow>,
) -> Result<()> {
    let node = &change.node;
    let number = row_number(key, change.id)?;
    let started_at = node.started_at.and_then(exact);
    let done_at = node.done_at.and_then(exact);
    let next = next.map(|next| &*next.node.name);
    let more = overflow_of(node)?;
    if is_new && node.status == Status::Done && more.is_none() && is_plain(node) {
        txn.statement(Kept::PutDone, PUT_DONE)?.execute(params![
            number,
            change.parent,
            node.name,
            started_at,
            done_at,
            text(node.output.as_ref()),
            next,
        ])?;
        return Ok(());
    }
    txn.statement(Kept::Put, PUT)?.execute(params![
        number,
        change.parent,
        node.name,
        node.kind.as_str(),
        node.status.as_str(),
        node.attempts,
        started_at,
        done_at,
        UntilColumn(node.until),
        node.decision,
        node.errors.last(),
        text(node.input.as_ref()),
        text(node.output.as_ref()),
        more,
        next,
    ])?;
    Ok(())
}

/// Whether a step is in its first attempt or has succeeded in it, and of the columns that a row has
/// only those say something that each such step needs.
fn is_plain(node: &NodeData) -> bool {
    node.kind == Kind::Step
        && node.attempts == 1
        && node.until.is_none()
        && node.decision.is_none()
        && node.errors.is_empty()
        && node.input.is_none()
}

/// Deletes all rows of an execution.
pub(crate) fn remove(conn: &Connection, key: i64) -> Result<()> {
    let (first, last) = rows_of(key);
    conn.prepare_cached(REMOVE)?.execute([first, last])?;
    Ok(())
}

/// Deletes some rows of an execution.
pub(crate) fn remove_some(
    conn: &Connection,
    key: i64,
    numbers: &mut Numbers,
    rows: &RowRanges,
) -> Result<()> {
    for range in rows.ranges() {
        let range = [
            row_number(key, *range.start())?,
            row_number(key, *range.end())?,
        ];
        numbers.remove();
        conn.prepare_cached(PART)?.execute(range)?;
        conn.prepare_cached(REMOVE)?.execute(range)?;
    }
    Ok(())
}

/// Deletes rows of an execution, the first ones first, as far as the share goes. Returns whether all
/// are deleted.
pub(crate) fn remove_share(conn: &Connection, key: i64, share: &mut Share) -> Result<bool> {
    let (first, last) = rows_of(key);
    let mut fitting = None;
    let mut statement = conn.prepare_cached(SIZES)?;
    let mut rows = statement.query([first, last])?;
    let is_all = loop {
        let Some(row) = rows.next()? else { break true };
        let bytes = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
        // A row that alone has more is deleted by itself.
        let is_alone = fitting.is_none() && *share == Share::default();
        if share.is_used_up() || (!share.take(1, bytes) && !is_alone) {
            break false;
        }
        fitting = Some(row.get(0)?);
    };
    drop(rows);
    if let Some(last) = fitting {
        conn.prepare_cached(REMOVE)?.execute([first, last])?;
    }
    Ok(is_all)
}

/// Adds the rows of an execution to `nodes`, but for some, as far as the share goes. Returns whether all
/// fitted.
pub(crate) fn read(
    conn: &Connection,
    key: i64,
    but: &RowRanges,
    nodes: &mut Vec<NodeRow>,
    share: &mut Share,
) -> Result<bool> {
    for gap in but.gaps() {
        let (first, last) = (*gap.start(), (*gap.end()).min(LAST_NODE));
        if first > last {
            break;
        }
        let range = [row_number(key, first)?, row_number(key, last)?];
        if !read_range(conn, range, nodes, share)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read_range(
    conn: &Connection,
    range: [i64; 2],
    nodes: &mut Vec<NodeRow>,
    share: &mut Share,
) -> Result<bool> {
    let mut statement = conn.prepare_cached(ALL)?;
    let [first, last] = range;
    // The row before the range may name the first step in it.
    let mut rows = statement.query([first - 1, last])?;
    let mut next: Option<NodeRow> = None;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let mut columns = Columns::from(row, 0);
        let change = change(&mut columns)?;
        nodes.extend(next.take().filter(|next| next.id != change.id));
        if number < last
            && let Some(name) = columns.text()?
        {
            let node = begun::node(change.node.done_at, name.to_owned().into());
            next = Some(NodeRow::new(change.id + 1, change.parent, node));
        }
        if number < first {
            continue;
        }
        if !share.take(1, bytes_of(&change.node)) {
            return Ok(false);
        }
        nodes.push(change);
    }
    nodes.extend(next);
    Ok(true)
}

fn change(columns: &mut Columns<'_>) -> Result<NodeRow> {
    let id = columns.number()?;
    let id = node_number(columns.some(id)?);
    let parent = columns.count()?;
    let parent = columns.some(parent)?;
    let mut node = NodeData::default();
    node.name = Cow::Owned(columns.text()?.unwrap_or_default().to_owned());
    node.kind = columns.kind()?;
    node.status = columns.status()?;
    node.attempts = columns.count()?.unwrap_or_default();
    node.started_at = columns.number()?.map(time);
    node.done_at = columns.number()?.map(time);
    node.until = columns.until()?;
    node.decision = columns.number()?.map(|number| number != 0);
    node.errors = columns.text()?.map(str::to_owned).into_iter().collect();
    node.input = columns.json()?;
    node.output = columns.json()?;
    columns.overflow(&mut node)?;
    Ok(NodeRow::new(id, parent, node))
}
