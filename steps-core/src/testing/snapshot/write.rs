//! A snapshot as JSON: one field a line, in an order of its own, so that a change is easy to read.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::tree::{FlowSnapshot, LineSnapshot, WorkSnapshot};

/// The form that is written, and the newest that is read.
pub(super) const FORMAT: u64 = 2;

/// The text of the file.
pub(super) fn write(flow: &FlowSnapshot) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&Document(flow))?;
    text.push('\n');
    Ok(text)
}

struct Document<'a>(&'a FlowSnapshot);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", &FORMAT)?;
        flow(self.0, &mut map)?;
        map.end()
    }
}

fn flow<M: SerializeMap>(flow: &FlowSnapshot, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("name", &flow.name)?;
    aliases(&flow.aliases, map)?;
    if !flow.input.is_empty() {
        map.serialize_entry("input", &flow.input)?;
    }
    map.serialize_entry("output", &flow.output)?;
    map.serialize_entry("steps", &flow.lines)
}

impl Serialize for FlowSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        flow(self, &mut map)?;
        map.end()
    }
}

fn aliases<M: SerializeMap>(aliases: &[String], map: &mut M) -> Result<(), M::Error> {
    if aliases.is_empty() {
        return Ok(());
    }
    map.serialize_entry("aliases", aliases)
}

impl Serialize for LineSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        aliases(&self.aliases, &mut map)?;
        map.serialize_entry("kind", self.work.kind().as_str())?;
        if !self.calls.is_empty() {
            map.serialize_entry("calls", &self.calls)?;
        }
        if !self.needs.is_empty() {
            map.serialize_entry("needs", &self.needs)?;
        }
        if self.optional {
            map.serialize_entry("optional", &true)?;
        }
        match &self.work {
            WorkSnapshot::Step { output, kind } => {
                map.serialize_entry("output", output)?;
                if let Some(kind) = kind.flatten() {
                    map.serialize_entry("step", kind.as_str())?;
                }
            }
            WorkSnapshot::Group(lines) | WorkSnapshot::Parallel(lines) => {
                map.serialize_entry("steps", lines)?;
            }
            WorkSnapshot::For { lines, items } => {
                map.serialize_entry("items", items)?;
                map.serialize_entry("steps", lines)?;
            }
            WorkSnapshot::Loop { lines, max } => {
                if let Some(max @ 1..) = max {
                    map.serialize_entry("max", max)?;
                }
                map.serialize_entry("steps", lines)?;
            }
            WorkSnapshot::If {
                then,
                otherwise,
                value,
            } => {
                if value.is_some() {
                    map.serialize_entry("matches", value)?;
                }
                map.serialize_entry("then", then)?;
                if !otherwise.is_empty() {
                    map.serialize_entry("else", otherwise)?;
                }
            }
            WorkSnapshot::Flow(flow) => map.serialize_entry("flow", flow)?,
        }
        map.end()
    }
}
