//! The columns of a row, read one after the other.

use std::fmt::Display;

use sqlx::{Column as _, Row as _, postgres::PgRow};
use steps_core::{Json, Status, state::Kind};

use crate::error::{Fail, Result};

/// Reads the columns of a row, one after the other.
pub(crate) struct Columns<'a> {
    row: &'a PgRow,
    next: usize,
}

impl<'a> Columns<'a> {
    /// Starts at the first column.
    pub(crate) fn of(row: &'a PgRow) -> Self {
        Self { row, next: 0 }
    }

    fn value<T>(&mut self) -> Result<T>
    where
        T: sqlx::Decode<'a, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let value = self.row.try_get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The error for the column that was read last, with its name.
    fn wrong(&self, why: impl Display) -> Fail {
        let columns = self.row.columns();
        let column = columns.get(self.next.saturating_sub(1));
        let name = column.map_or("?", |column| column.name());
        Fail::Row(format!("column `{name}`: {why}"))
    }

    pub(crate) fn number(&mut self) -> Result<Option<i64>> {
        self.value()
    }

    pub(crate) fn text(&mut self) -> Result<Option<&'a str>> {
        self.value()
    }

    pub(crate) fn owned(&mut self) -> Result<Option<String>> {
        self.value()
    }

    /// Returns a condition; none is `false`.
    pub(crate) fn is(&mut self) -> Result<bool> {
        Ok(self.flag()?.unwrap_or_default())
    }

    pub(crate) fn flag(&mut self) -> Result<Option<bool>> {
        self.value()
    }

    /// Returns the value of a column that is never NULL, or an error if it is.
    pub(crate) fn some<T>(&self, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.wrong("there is no value"))
    }

    pub(crate) fn key(&mut self) -> Result<i64> {
        let key = self.number()?;
        self.some(key)
    }

    pub(crate) fn json(&mut self) -> Result<Option<Json>> {
        match self.text()? {
            None => Ok(None),
            Some(text) => Json::parse(text)
                .map(Some)
                .map_err(|error| self.wrong(format!("no JSON: {error}"))),
        }
    }

    pub(crate) fn count(&mut self) -> Result<Option<u32>> {
        match self.number()? {
            None => Ok(None),
            Some(number) => u32::try_from(number)
                .map(Some)
                .map_err(|error| self.wrong(error)),
        }
    }

    pub(crate) fn status(&mut self) -> Result<Status> {
        let name = self.text()?.unwrap_or_default();
        Status::from_name(name).ok_or_else(|| self.wrong(format!("{name:?} is no status")))
    }

    pub(crate) fn kind(&mut self) -> Result<Kind> {
        let name = self.text()?.unwrap_or_default();
        Kind::from_name(name).ok_or_else(|| self.wrong(format!("{name:?} is no kind of node")))
    }
}
