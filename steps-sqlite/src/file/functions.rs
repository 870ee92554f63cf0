//! The one function that statements call beside SQLite's own: `steps_attrs(condition, attrs)`, whether
//! attributes meet a condition. The condition is written once for all stores, and compares numbers by
//! their digits, which no SQL does.

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};
use steps_core::store::Condition;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Adds the function to a connection.
pub(crate) fn add(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("steps_attrs", 2, flags, meets)
}

fn meets(context: &Context<'_>) -> rusqlite::Result<bool> {
    let read = |text: ValueRef<'_>| -> Result<Condition, Error> { Ok(text.as_str()?.parse()?) };
    let condition = context.get_or_create_aux(0, read)?;
    Ok(match context.get_raw(1) {
        ValueRef::Null => condition.holds_of_attrs("{}"),
        ValueRef::Text(attrs) => {
            str::from_utf8(attrs).is_ok_and(|attrs| condition.holds_of_attrs(attrs))
        }
        _ => false,
    })
}
