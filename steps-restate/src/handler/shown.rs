//! What callers are shown of an execution: the entries up to the end of its last pass, as values that Restate keeps.
//!
//! Each pass adds a value with its entries, and now and then one has all of them anew, so that there are never many. It has
//! a number, as have those that belong to it.

use restate_sdk::{endpoint::ContextInternal, errors::TerminalError};
use steps_core::{
    Json,
    journal::{Entry, Recorded},
};

use super::names;
use crate::text::Text;

/// How many values there are at most.
const VALUES: usize = 32;

/// The entries of a part, as far as they are shown.
pub(super) struct Shown {
    /// What the part began with, and all its entries.
    all: Vec<String>,
    /// How many of them are shown.
    written: usize,
    /// How many values were written.
    values: usize,
}

impl Shown {
    pub(super) fn new(rows: Option<String>) -> Self {
        Self {
            all: rows.into_iter().collect(),
            written: 0,
            values: 0,
        }
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, entry: String) {
        self.all.push(entry);
    }

    /// Shows what was added. Returns how many bytes that were.
    pub(super) fn write(&mut self, ctx: &ContextInternal, most: usize) -> usize {
        let (turn, place) = (self.values / VALUES, self.values % VALUES);
        let entries = if place == 0 {
            &self.all[..]
        } else {
            &self.all[self.written..]
        };
        let mut value = format!("[{turn}");
        for entry in entries {
            value.push(',');
            value += entry;
        }
        value.push(']');
        if value.len() > most {
            value = format!("[{turn},{}]", value.len());
        }
        let bytes = value.len();
        ctx.set(&names::rows(place), Text(value));
        self.written = self.all.len();
        self.values += 1;
        bytes
    }
}

/// Reads what is shown of an execution; `None` if that is nothing yet.
pub(super) async fn read(ctx: &ContextInternal) -> Result<Option<Recorded>, TerminalError> {
    let mut recorded = None;
    let mut turn = None;
    for place in 0..VALUES {
        let Some(Text(value)) = ctx.get::<Text>(&names::rows(place)).await? else {
            break;
        };
        let bad = |why: String| TerminalError::new(format!("what is shown can't be read: {why}"));
        let value: Vec<Json> =
            serde_json::from_str(&value).map_err(|error| bad(error.to_string()))?;
        let mut value = value.into_iter();
        let number = value.next();
        if turn.is_some() && turn != number {
            break;
        }
        turn = number;
        for entry in value {
            if !entry.get().starts_with('{') {
                let why = format!("it is too large to be shown: {entry} bytes");
                return Err(TerminalError::new_with_code(413, why));
            }
            let entry = Entry::from_json(entry.get()).map_err(|error| bad(error.to_string()))?;
            recorded.get_or_insert_with(Recorded::default).add(entry);
        }
    }
    Ok(recorded)
}
