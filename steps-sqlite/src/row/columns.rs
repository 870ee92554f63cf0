//! A node as the columns of a row, and back. The SQL that names the columns is left to `ops`.

use rusqlite::{
    Row,
    types::{ToSql, ToSqlOutput, Value, ValueRef},
};
use steps_core::{
    Json, Status,
    state::{Kind, NodeData, Until},
    store::ErrorKind,
};

use super::{
    nanos::{exact, time},
    overflow::Overflow,
};
use crate::error::Fail;

/// How many bits of a step's row number are the node's number; those before are the execution's
/// key.
const NODE_BITS: u32 = 24;
/// The largest number that a node can have.
pub(crate) const LAST_NODE: u32 = (1 << NODE_BITS) - 1;

/// The first and the last row number that an execution's steps can have.
pub(crate) fn rows_of(key: i64) -> (i64, i64) {
    let first = key << NODE_BITS;
    (first, first | i64::from(LAST_NODE))
}

/// The row number of a step.
pub(crate) fn row_number(key: i64, node: u32) -> Result<i64, Fail> {
    if node > LAST_NODE {
        return Err(Fail::new(
            ErrorKind::Rejected,
            format!("node {node}: this store takes {LAST_NODE} nodes of an execution at most"),
        ));
    }
    Ok(key << NODE_BITS | i64::from(node))
}

/// The node's number in a step's row number.
pub(crate) fn node_number(row: i64) -> u32 {
    u32::try_from(row & i64::from(LAST_NODE)).unwrap_or(LAST_NODE)
}

/// What a waiting node waits for, as a column: a time's number, or the word `signal` or
/// `child`.
pub(crate) struct UntilColumn(pub(crate) Option<Until>);

impl ToSql for UntilColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Some(Until::Time(time)) => {
                ToSqlOutput::Owned(exact(time).map_or(Value::Null, Value::Integer))
            }
            Some(Until::Signal) => ToSqlOutput::Borrowed(ValueRef::Text(b"signal")),
            Some(Until::Child) => ToSqlOutput::Borrowed(ValueRef::Text(b"child")),
            Some(Until::Report) => ToSqlOutput::Borrowed(ValueRef::Text(b"report")),
            _ => ToSqlOutput::Owned(Value::Null),
        })
    }
}

/// A value's JSON text, or NULL.
pub(crate) fn text(json: Option<&Json>) -> Option<&str> {
    json.map(Json::get)
}

/// The `more` column of a step's row.
pub(crate) fn overflow_of(node: &NodeData) -> Result<Option<String>, Fail> {
    Overflow::text_of(node).map_err(|error| unwritable(node, &error))
}

/// The `more` column of an execution's row, which is also its root's.
pub(crate) fn overflow_of_root(node: &NodeData, flow: &str) -> Result<Option<String>, Fail> {
    Overflow::text_of_root(node, flow).map_err(|error| unwritable(node, &error))
}

fn unwritable(node: &NodeData, error: &serde_json::Error) -> Fail {
    Fail::new(
        ErrorKind::Rejected,
        format!("step `{}` can't be written: {error}", node.name),
    )
}

/// Reads the columns of a row, one after the other.
pub(crate) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    /// Starts at this column.
    pub(crate) fn from(row: &'a Row<'a>, next: usize) -> Self {
        Self { row, next }
    }

    fn value(&mut self) -> Result<ValueRef<'a>, Fail> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The error for the column that was read last, with its name.
    fn wrong(&self, why: impl std::fmt::Display) -> Fail {
        let row = self.row.as_ref();
        let name = row.column_name(self.next.saturating_sub(1));
        Fail::Row(format!("column `{}`: {why}", name.unwrap_or("?")))
    }

    pub(crate) fn number(&mut self) -> Result<Option<i64>, Fail> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            other => Err(self.wrong(format!("{other:?} is no whole number"))),
        }
    }

    pub(crate) fn text(&mut self) -> Result<Option<&'a str>, Fail> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(error) => Err(self.wrong(error)),
            },
            other => Err(self.wrong(format!("{other:?} is no text"))),
        }
    }

    /// Returns the value of a column that is never NULL, or an error if it is.
    pub(crate) fn some<T>(&self, value: Option<T>) -> Result<T, Fail> {
        value.ok_or_else(|| self.wrong("there is no value"))
    }

    pub(crate) fn json(&mut self) -> Result<Option<Json>, Fail> {
        match self.text()? {
            None => Ok(None),
            Some(text) => Json::parse(text)
                .map(Some)
                .map_err(|error| self.wrong(format!("no JSON: {error}"))),
        }
    }

    pub(crate) fn count(&mut self) -> Result<Option<u32>, Fail> {
        match self.number()? {
            None => Ok(None),
            Some(number) => u32::try_from(number)
                .map(Some)
                .map_err(|error| self.wrong(error)),
        }
    }

    pub(crate) fn status(&mut self) -> Result<Status, Fail> {
        let name = self.text()?.unwrap_or_default();
        Status::from_name(name).ok_or_else(|| self.wrong(format!("{name:?} is no status")))
    }

    pub(crate) fn kind(&mut self) -> Result<Kind, Fail> {
        let name = self.text()?.unwrap_or_default();
        Kind::from_name(name).ok_or_else(|| self.wrong(format!("{name:?} is no kind of node")))
    }

    pub(crate) fn until(&mut self) -> Result<Option<Until>, Fail> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(Until::Time(time(number)))),
            ValueRef::Text(b"signal") => Ok(Some(Until::Signal)),
            ValueRef::Text(b"child") => Ok(Some(Until::Child)),
            ValueRef::Text(b"report") => Ok(Some(Until::Report)),
            other => Err(self.wrong(format!("{other:?} is neither a time, `signal` nor `child`"))),
        }
    }

    /// Reads the `more` column, and sets what is in it in the node.
    pub(crate) fn overflow(&mut self, node: &mut NodeData) -> Result<(), Fail> {
        match self.text()? {
            None => Ok(()),
            Some(text) => Overflow::restore(text, node).map_err(|why| self.wrong(why)),
        }
    }
}
