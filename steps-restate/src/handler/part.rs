//! What a part of an execution begins with, and what it gives to the next.
//!
//! Restate sends the whole journal of an invocation each time it wakes, so that of a long execution must not grow for
//! ever: after [so much](crate::Service::part) it goes on in another invocation of the same workflow, whose key is the id
//! with `~2` behind it, and so on. The first one stays, and looks after the others: it has the promises, to it belongs the
//! outcome, and it passes on what is asked for.

use std::collections::BTreeMap;

use restate_sdk::errors::TerminalError;
use steps_core::{
    Json,
    journal::{Entry, Recorded},
};

use super::Ask;
use crate::text::Text;

/// The one field of a later part's input; no parameter of a flow has such a name.
const FIELD: &str = "steps-part";
/// How many paths the name of an entry has.
const NAMED: usize = 3;
/// The one field of the output of a part that another one follows.
const NEXT: &str = "steps-next";

/// The id, the number, what was asked for, the signals, and the rows.
type Fields = (String, u64, Vec<String>, Vec<(String, Json)>, Json);

/// What an invocation of `run` begins with.
#[derive(Debug)]
pub(super) struct Part {
    /// The execution's id, the key of its first part.
    pub(super) id: String,
    /// Which part this is, from 1.
    pub(super) number: u64,
    /// The flow's input, of the first part.
    pub(super) input: Json,
    /// What the parts before have recorded.
    pub(super) recorded: Recorded,
    /// The same, as it was received.
    pub(super) rows: Option<String>,
    /// What they were asked for.
    pub(super) asked: Vec<Ask>,
    /// The signals that they have received, and that no step has taken.
    pub(super) given: Vec<(String, Json)>,
}

impl Part {
    /// Reads the input of an invocation.
    pub(super) fn read(key: String, input: String) -> Result<Self, TerminalError> {
        let bad = |why: &str| {
            TerminalError::new_with_code(400, format!("this is no input of a flow: {why}"))
        };
        let input = Json::parse(input).map_err(|error| bad(&error.to_string()))?;
        let fields: BTreeMap<String, Json> =
            input.decode().map_err(|error| bad(&error.to_string()))?;
        let Some(part) = fields.get(FIELD) else {
            return Ok(Self {
                id: key,
                number: 1,
                input,
                recorded: Recorded::default(),
                rows: None,
                asked: Vec::new(),
                given: Vec::new(),
            });
        };
        let (id, number, asked, given, rows): Fields =
            part.decode().map_err(|error| bad(&error.to_string()))?;
        let entry = Entry::from_json(rows.get()).map_err(|error| bad(&error.to_string()))?;
        let mut recorded = Recorded::default();
        recorded.add(entry);
        Ok(Self {
            id,
            number,
            input: Json::encode(&()).map_err(|error| bad(&error.to_string()))?,
            recorded,
            rows: Some(rows.get().to_owned()),
            asked: asked
                .iter()
                .filter_map(|name| Ask::from_name(name))
                .collect(),
            given,
        })
    }

    /// The name of the next entry: the paths of the steps that run.
    pub(super) fn name(&self, flow: &str) -> String {
        let active = self.recorded.active();
        match active.len() {
            0 => flow.to_owned(),
            1..=NAMED => active.join(", "),
            more => format!("{} and {} more", active[..NAMED].join(", "), more - NAMED),
        }
    }

    /// Returns the input of the next part.
    pub(super) fn next(&self) -> String {
        let asked: Vec<_> = self.asked.iter().map(|ask| ask.name()).collect();
        let rows = self.recorded.to_entry().to_json();
        format!(
            r#"{{"{FIELD}":[{},{},{},{},{rows}]}}"#,
            json(&self.id),
            self.number + 1,
            json(&asked),
            json(&self.given),
        )
    }
}

/// The output of a part that another one follows: its invocation, and how often this one was cancelled.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) invocation: String,
    pub(super) number: u64,
    pub(super) cancelled: u64,
}

impl Next {
    /// Reads an output, if it is none of the flow's own.
    pub(super) fn read(output: &str) -> Option<Self> {
        let fields: BTreeMap<String, Json> = serde_json::from_str(output).ok()?;
        let (invocation, number, cancelled) = fields.get(NEXT)?.decode().ok()?;
        Some(Self {
            invocation,
            number,
            cancelled,
        })
    }

    pub(super) fn write(&self) -> Text {
        let next = json(&(&self.invocation, self.number, self.cancelled));
        Text(format!(r#"{{"{NEXT}":{next}}}"#))
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    // Texts and numbers are always JSON.
    serde_json::to_string(value).unwrap_or_default()
}
