//! What a part of an execution begins with, and what it gives to the next.
//!
//! Restate sends the whole journal of an invocation each time it wakes, so that of a long execution must not grow for
//! ever: after [so much](crate::Service::part) it goes on in another invocation of the same workflow, whose key is the id
//! with `~2` behind it, and so on. The first one stays, and looks after the others: it has the promises, to it belongs the
//! outcome, and it passes on what is asked for.

use std::collections::BTreeMap;

use restate_sdk::errors::TerminalError;
use steps_core::{
    Json, TaskReport,
    journal::{Entry, Recorded},
};

use super::{Ask, names};
use crate::text::Text;

/// The one field of a later part's input; no parameter of a flow has such a name.
const FIELD: &str = "steps-part";
/// The one field of a child's input: the id of its parent, and the flow's input.
const CHILD: &str = "steps-child";
/// How many paths the name of an entry has.
const NAMED: usize = 3;
/// The one field of the output of a part that another one follows.
const NEXT: &str = "steps-next";

/// A child of the execution.
#[derive(Clone, Debug)]
pub(super) struct Child {
    /// The name of its flow.
    pub(super) flow: String,
    /// Its invocation; empty until that is known.
    pub(super) invocation: String,
    /// How it has ended, as its `joined` has answered.
    pub(super) end: Option<Json>,
}

/// The id, the flow, the invocation and the end of a child.
type ChildFields = (String, String, String, Option<Json>);
/// How many reports were received on each open task, those that no record shows, and the children.
pub(super) type More = (
    BTreeMap<String, usize>,
    Vec<(String, TaskReport)>,
    Vec<ChildFields>,
);

/// What an invocation of `run` begins with.
#[derive(Debug)]
pub(super) struct Part {
    /// The execution's id, the key of its first part.
    pub(super) id: String,
    /// The id of the execution that has started it, if one has.
    pub(super) parent: Option<String>,
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
    /// How many reports they have received on each open task.
    pub(super) received: BTreeMap<String, usize>,
    /// Those of which no record shows that a step has taken them.
    pub(super) reports: Vec<(String, TaskReport)>,
    /// The children that they have started, by id.
    pub(super) children: BTreeMap<String, Child>,
}

impl Part {
    /// Reads the input of an invocation.
    pub(super) fn read(key: String, input: String) -> Result<Self, TerminalError> {
        Self::of(key, input).map_err(|why| {
            TerminalError::new_with_code(400, format!("this is no input of a flow: {why}"))
        })
    }

    fn of(key: String, input: String) -> Result<Self, String> {
        let text = |error: serde_json::Error| error.to_string();
        let input = Json::parse(input).map_err(|error| error.to_string())?;
        let fields: BTreeMap<String, Json> = input.decode().map_err(text)?;
        let mut read = Self {
            id: key,
            parent: None,
            number: 1,
            input: Json::encode(&()).map_err(text)?,
            recorded: Recorded::default(),
            rows: None,
            asked: Vec::new(),
            given: Vec::new(),
            received: BTreeMap::new(),
            reports: Vec::new(),
            children: BTreeMap::new(),
        };
        if let Some(child) = fields.get(CHILD) {
            let (parent, own) = child.decode().map_err(text)?;
            (read.parent, read.input) = (Some(parent), own);
            return Ok(read);
        }
        let Some(part) = fields.get(FIELD) else {
            read.input = input;
            return Ok(read);
        };
        let part: Vec<Json> = part.decode().map_err(text)?;
        let [id, number, asked, given, rows, more @ ..] = &part[..] else {
            return Err("something of a part is missing".to_owned());
        };
        read.id = id.decode().map_err(text)?;
        read.number = number.decode().map_err(text)?;
        let asked: Vec<String> = asked.decode().map_err(text)?;
        read.asked = asked
            .iter()
            .filter_map(|name| Ask::from_name(name))
            .collect();
        read.given = given.decode().map_err(text)?;
        let entry = Entry::from_json(rows.get()).map_err(|error| error.to_string())?;
        read.recorded.add(entry);
        read.rows = Some(rows.get().to_owned());
        if let [more] = more {
            let (received, reports, children): More = more.decode().map_err(text)?;
            (read.received, read.reports) = (received, reports);
            let children = children.into_iter();
            read.children = children
                .map(|(id, flow, invocation, end)| {
                    let child = Child {
                        flow,
                        invocation,
                        end,
                    };
                    (id, child)
                })
                .collect();
        }
        Ok(read)
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
        let number = self.number + 1;
        written(
            &self.id,
            number,
            &asked,
            &self.given,
            &rows,
            &json(&self.more()),
        )
    }

    /// What a part has besides the rows, of an execution that has ended or goes on in another part.
    pub(super) fn more(&self) -> More {
        let children = self.children.iter().map(|(id, child)| {
            let Child {
                flow,
                invocation,
                end,
            } = child.clone();
            (id.clone(), flow, invocation, end)
        });
        (
            self.received.clone(),
            self.reports.clone(),
            children.collect(),
        )
    }
}

/// Returns the input of a part that takes back what an execution has done that has ended.
pub(super) fn back(id: &str, number: u64, rows: &str, more: &str) -> String {
    written(id, number, &[names::UNDO], &[], rows, more)
}

fn written(
    id: &str,
    number: u64,
    asked: &[&str],
    given: &[(String, Json)],
    rows: &str,
    more: &str,
) -> String {
    let (id, asked, given) = (json(&id), json(&asked), json(&given));
    format!(r#"{{"{FIELD}":[{id},{number},{asked},{given},{rows},{more}]}}"#)
}

/// Returns the input of an execution that another one starts.
pub(super) fn of_child(parent: &str, input: &Json) -> String {
    format!(r#"{{"{CHILD}":[{},{input}]}}"#, json(&parent))
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

pub(super) fn json<T: serde::Serialize>(value: &T) -> String {
    // Texts and numbers are always JSON.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> Part {
        Part::of("key".to_owned(), input.to_owned()).unwrap()
    }

    #[test]
    fn an_input_is_that_of_a_flow_a_child_or_a_part() {
        let own = read(r#"{"n":1}"#);
        assert_eq!(
            (&*own.id, own.number, own.input.get()),
            ("key", 1, r#"{"n":1}"#)
        );
        let child = read(&of_child("parent", &own.input));
        assert_eq!(
            (child.parent.as_deref(), child.input.get()),
            (Some("parent"), r#"{"n":1}"#)
        );
        // As the first version has written it.
        let part =
            read(r#"{"steps-part":["id",2,["stop"],[["a",3]],{"rows":[],"replaces":true}]}"#);
        assert_eq!(
            (&*part.id, part.number, &part.asked[..]),
            ("id", 2, &[Ask::Stop][..])
        );
        assert_eq!(part.given.len(), 1);
        for bad in ["3", r#"{"steps-part":[]}"#, r#"{"steps-child":3}"#] {
            assert!(Part::of("key".to_owned(), bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_part_has_besides_its_rows_comes_to_the_next() {
        let mut part = read(r#"{"steps-part":["id",2,[],[],{"rows":[],"replaces":true}]}"#);
        part.received.insert("task".to_owned(), 4);
        part.reports
            .push(("task".to_owned(), TaskReport::running(2)));
        for (id, end) in [("a", None), ("b", Some(Json::encode(&3).unwrap()))] {
            let child = Child {
                flow: "kid".to_owned(),
                invocation: format!("inv_{id}"),
                end,
            };
            part.children.insert(id.to_owned(), child);
        }
        let next = read(&part.next());
        assert_eq!((&*next.id, next.number), ("id", 3));
        assert_eq!(json(&next.more()), json(&part.more()));
        let back = read(&back(
            "id",
            3,
            r#"{"rows":[],"replaces":true}"#,
            &json(&part.more()),
        ));
        assert_eq!((back.number, &back.asked[..]), (3, &[Ask::Undo][..]));
        assert_eq!(json(&back.more()), json(&part.more()));
    }
}
