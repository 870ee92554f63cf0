//! A snapshot as JSON: one field a line, in an order of its own, so that a change is easy to read.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::tree::{Examples, FlowSnapshot, LineSnapshot, WorkSnapshot};
use crate::base::json::Json;

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
    if !flow.input_examples.is_empty() {
        map.serialize_entry("inputExamples", &Each(&flow.input_examples))?;
    }
    map.serialize_entry("output", &flow.output)?;
    examples("outputExamples", &flow.output_examples, map)?;
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

fn examples<M: SerializeMap>(
    field: &'static str,
    examples: &Examples,
    map: &mut M,
) -> Result<(), M::Error> {
    if examples.is_empty() {
        return Ok(());
    }
    map.serialize_entry(field, &OneALine(examples))
}

/// The examples of each field.
struct Each<'a>(&'a BTreeMap<String, Examples>);

impl Serialize for Each<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.iter();
        serializer.collect_map(fields.map(|(name, examples)| (name, OneALine(examples))))
    }
}

/// Each example in a line of its own.
struct OneALine<'a>(&'a Examples);

impl Serialize for OneALine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|example| Json::encode(example).ok()))
    }
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
            WorkSnapshot::Step {
                output,
                kind,
                examples: of_output,
            } => {
                map.serialize_entry("output", output)?;
                examples("examples", of_output, &mut map)?;
                if let Some(kind) = kind.flatten() {
                    map.serialize_entry("step", kind.as_str())?;
                }
            }
            WorkSnapshot::Group(lines)
            | WorkSnapshot::Parallel(lines)
            | WorkSnapshot::Race(lines) => {
                map.serialize_entry("steps", lines)?;
            }
            WorkSnapshot::Match { arms, value } => {
                map.serialize_entry("matches", value)?;
                map.serialize_entry("arms", arms)?;
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
