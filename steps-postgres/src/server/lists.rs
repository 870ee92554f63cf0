//! Lists of values, one for each column, with which one statement has many rows.

use sqlx::{Encode, Postgres, Type};

use super::txn::Statement;

/// How a statement takes its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// As lists.
    Many,
    /// The only one as values: lists of one value would take the server longer.
    One,
}

impl Rows {
    /// Adds a column. Of a list, what is `None` at its end is left out, as each value costs the server time: `unnest`
    /// puts NULL in its place.
    pub(crate) fn bind<'t, T>(self, statement: Statement, mut list: Vec<Option<T>>) -> Statement
    where
        Option<T>: Encode<'t, Postgres> + Type<Postgres>,
        Vec<Option<T>>: Encode<'t, Postgres> + Type<Postgres>,
    {
        match self {
            Self::One => statement.bind(list.pop().flatten()),
            Self::Many => {
                while let Some(None) = list.last() {
                    list.pop();
                }
                statement.bind(list)
            }
        }
    }
}

/// Columns, each of a list that `$open` and `$close` are around, or of one value: the rows of [`Rows::Many`] are
/// `values!("unnest(", "[])", …)`, and the one of [`Rows::One`] is `values!("", "", …)`.
macro_rules! values {
    ($open:literal, $close:literal, $first:literal $first_name:literal $(, $value:literal $name:literal)*) => {
        concat!(
            $open, $first, $close, " AS ", $first_name $(, ", ", $open, $value, $close, " AS ", $name)*
        )
    };
}
pub(crate) use values;
