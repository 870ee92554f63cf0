//! A node as the columns of a row, and back.

use std::borrow::Cow;

use rusqlite::{
    Row,
    types::{ToSql, ToSqlOutput, Value, ValueRef},
};
use steps_core::{
    Json, State, Status,
    state::{Kind, Until},
    store::ErrorKind,
};

use super::{
    nanos::{exact, time},
    overflow::More,
};
use crate::error::Fail;

/// How many bits of a step's row number are the node's.
const NODE_BITS: u32 = 24;
/// The largest number that a node may have.
pub(crate) const LAST_NODE: u32 = (1 << NODE_BITS) - 1;

/// The numbers that the rows of an execution's steps have.
pub(crate) fn rows_of(key: i64) -> (i64, i64) {
    let first = key << NODE_BITS;
    (first, first | i64::from(LAST_NODE))
}

/// The number of a step's row.
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

/// What a waiting node waits for, as a column: the time's number, or the word `signal`.
pub(crate) struct UntilColumn(pub(crate) Option<Until>);

impl ToSql for UntilColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Some(Until::Time(time)) => {
                ToSqlOutput::Owned(exact(time).map_or(Value::Null, Value::Integer))
            }
            Some(Until::Signal) => ToSqlOutput::Borrowed(ValueRef::Text(b"signal")),
            _ => ToSqlOutput::Owned(Value::Null),
        })
    }
}

/// A value's JSON text, or NULL.
pub(crate) fn text(json: Option<&Json>) -> Option<&str> {
    json.map(Json::get)
}

/// The `more` column of a step's row.
pub(crate) fn more_of(node: &State) -> Result<Option<String>, Fail> {
    if !More::has(node) {
        return Ok(None);
    }
    More::of(node).text().map_err(|e| unwritable(node, &e))
}

/// The `more` column of the root, which is in the row of its execution.
pub(crate) fn more_of_root(node: &State, flow: &str) -> Result<Option<String>, Fail> {
    let mut more = More::of(node);
    more.name = (node.name != flow).then(|| Cow::Borrowed(&*node.name));
    more.kind = (node.kind != Kind::Flow).then(|| Cow::Borrowed(node.kind.as_str()));
    more.input.clone_from(&node.input);
    more.decision = node.decision;
    more.text().map_err(|e| unwritable(node, &e))
}

fn unwritable(node: &State, error: &serde_json::Error) -> Fail {
    Fail::new(
        ErrorKind::Rejected,
        format!("step `{}` can't be written: {error}", node.name),
    )
}

/// Reads columns one after the other.
pub(crate) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    /// From this column on.
    pub(crate) fn from(row: &'a Row<'a>, next: usize) -> Self {
        Self { row, next }
    }

    fn value(&mut self) -> Result<ValueRef<'a>, Fail> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// What can't be read, with the column's name.
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

    /// A column that is never NULL.
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
            other => Err(self.wrong(format!("{other:?} is neither a time nor `signal`"))),
        }
    }

    /// The `more` column: puts what is in it into the node.
    pub(crate) fn more(&mut self, node: &mut State) -> Result<(), Fail> {
        if let Some(text) = self.text()? {
            let more: More = serde_json::from_str(text).map_err(|error| self.wrong(error))?;
            more.restore(node).map_err(|why| self.wrong(why))?;
        }
        Ok(())
    }
}
