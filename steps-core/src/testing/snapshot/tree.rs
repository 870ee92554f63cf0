//! What a snapshot holds: of a compiled flow, all that decides what its executions save.

use std::collections::BTreeMap;

use super::examples;
use crate::model::{
    state::StepKind,
    table::{InputField, Line, Table, Work},
};

/// What a file in the first form has in the place of a signal's type.
pub(super) const FIRST_SIGNAL: &str = "signal";

/// Values as a type saves them; none, if it has no schema.
pub(super) type Examples = Vec<serde_json::Value>;

/// A flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlowSnapshot {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    /// The types of its input's fields.
    pub(super) input: BTreeMap<String, String>,
    /// Examples of them, of those that have some.
    pub(super) input_examples: BTreeMap<String, Examples>,
    pub(super) output: String,
    pub(super) output_examples: Examples,
    pub(super) lines: Vec<LineSnapshot>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineSnapshot {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) optional: bool,
    /// What it calls.
    pub(super) calls: String,
    /// Of a line of a `parallel`: the lines beside it whose values it uses.
    pub(super) needs: Vec<String>,
    pub(super) work: WorkSnapshot,
}

/// What a line does. What is `None` is not known: the file was written in an older form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WorkSnapshot {
    Step {
        output: String,
        examples: Examples,
        kind: Option<Option<StepKind>>,
    },
    Group(Vec<LineSnapshot>),
    Parallel(Vec<LineSnapshot>),
    Race(Vec<LineSnapshot>),
    Match {
        arms: Vec<LineSnapshot>,
        /// The type of what it matches.
        value: String,
    },
    If {
        then: Vec<LineSnapshot>,
        otherwise: Vec<LineSnapshot>,
        /// The type of what an `if let` matches; of another `if`, nothing.
        value: Option<String>,
    },
    For {
        lines: Vec<LineSnapshot>,
        items: Option<String>,
    },
    Loop {
        lines: Vec<LineSnapshot>,
        max: Option<u32>,
    },
    Flow(FlowSnapshot),
}

impl FlowSnapshot {
    pub(super) fn of(table: &Table) -> Self {
        let field = |field: &InputField| (field.name.into(), field.ty.into());
        let shown = |field: &InputField| {
            let examples = examples::of(field.schema, field.check);
            (!examples.is_empty()).then(|| (field.name.into(), examples))
        };
        Self {
            name: table.name.into(),
            aliases: texts(table.aliases),
            input: table.input.iter().map(field).collect(),
            input_examples: table.input.iter().filter_map(shown).collect(),
            output: table.output.into(),
            output_examples: examples::of(table.schema, table.check),
            lines: lines(table.nodes),
        }
    }
}

impl FlowSnapshot {
    /// Calls this with all examples of the flow, and of those within it, and forgets fields that it
    /// leaves without.
    pub(super) fn each_examples(&mut self, call: &mut impl FnMut(&mut Examples)) {
        self.input_examples.values_mut().for_each(&mut *call);
        call(&mut self.output_examples);
        self.lines
            .iter_mut()
            .for_each(|line| line.each_examples(call));
        self.input_examples
            .retain(|_, examples| !examples.is_empty());
    }

    /// The same, without examples. Returns them, too.
    pub(super) fn without_examples(mut self) -> (Self, Vec<Examples>) {
        let mut all = Vec::new();
        self.each_examples(&mut |examples| all.push(std::mem::take(examples)));
        (self, all)
    }

    /// The same, without what a file in the first form does not have.
    pub(super) fn in_first_form(mut self) -> Self {
        self.lines
            .iter_mut()
            .for_each(LineSnapshot::take_first_form);
        self
    }
}

impl LineSnapshot {
    fn take_first_form(&mut self) {
        self.calls.clear();
        self.needs.clear();
        match &mut self.work {
            WorkSnapshot::Step { output, kind, .. } => match kind {
                Some(Some(StepKind::Volatile)) => {}
                Some(Some(StepKind::Signal)) => output.replace_range(.., FIRST_SIGNAL),
                _ => *kind = None,
            },
            WorkSnapshot::Group(lines)
            | WorkSnapshot::Parallel(lines)
            | WorkSnapshot::Race(lines)
            | WorkSnapshot::Match { arms: lines, .. } => {
                lines.iter_mut().for_each(Self::take_first_form);
            }
            WorkSnapshot::If {
                then,
                otherwise,
                value,
            } => {
                *value = None;
                let lines = then.iter_mut().chain(otherwise);
                lines.for_each(Self::take_first_form);
            }
            WorkSnapshot::For { lines, items } => {
                *items = None;
                lines.iter_mut().for_each(Self::take_first_form);
            }
            WorkSnapshot::Loop { lines, max } => {
                *max = None;
                lines.iter_mut().for_each(Self::take_first_form);
            }
            WorkSnapshot::Flow(flow) => flow.lines.iter_mut().for_each(Self::take_first_form),
        }
    }

    fn of(node: &Line) -> Self {
        let work = match &node.work {
            Work::Step(meta) => WorkSnapshot::Step {
                output: meta.output.into(),
                examples: match meta.kind {
                    // It is not saved.
                    Some(StepKind::Volatile) => Examples::new(),
                    _ => examples::of(meta.schema, meta.check),
                },
                kind: Some(meta.kind),
            },
            Work::Group(below) => WorkSnapshot::Group(lines(below)),
            Work::Parallel(below) => WorkSnapshot::Parallel(at_once(below)),
            Work::Race(below) => WorkSnapshot::Race(lines(below)),
            Work::Match { arms, value } => WorkSnapshot::Match {
                arms: lines(arms),
                value: value.type_name().to_owned(),
            },
            Work::If {
                then,
                otherwise,
                value,
            } => WorkSnapshot::If {
                then: lines(then),
                otherwise: lines(otherwise),
                value: value.map(|value| value.type_name().to_owned()),
            },
            Work::For { body, items, .. } => WorkSnapshot::For {
                lines: lines(body),
                items: Some(items.type_name().to_owned()),
            },
            Work::Loop { body, max, .. } => WorkSnapshot::Loop {
                lines: lines(body),
                max: Some(*max),
            },
            Work::Flow(table) => WorkSnapshot::Flow(FlowSnapshot::of(table)),
        };
        Self {
            name: node.name.into(),
            aliases: texts(node.aliases),
            optional: node.marks.passes_over(),
            calls: node.calls.to_owned(),
            needs: Vec::new(),
            work,
        }
    }

    fn each_examples(&mut self, call: &mut impl FnMut(&mut Examples)) {
        match &mut self.work {
            WorkSnapshot::Step { examples, .. } => call(examples),
            WorkSnapshot::Flow(flow) => flow.each_examples(call),
            WorkSnapshot::If {
                then, otherwise, ..
            } => {
                let lines = then.iter_mut().chain(otherwise);
                lines.for_each(|line| line.each_examples(call));
            }
            WorkSnapshot::Group(lines)
            | WorkSnapshot::Parallel(lines)
            | WorkSnapshot::Race(lines)
            | WorkSnapshot::Match { arms: lines, .. }
            | WorkSnapshot::For { lines, .. }
            | WorkSnapshot::Loop { lines, .. } => {
                for line in lines {
                    line.each_examples(call);
                }
            }
        }
    }

    /// The names it may have been saved under, the newest first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .map(String::as_str)
    }
}

fn lines(nodes: &[Line]) -> Vec<LineSnapshot> {
    nodes.iter().map(LineSnapshot::of).collect()
}

fn at_once(nodes: &[Line]) -> Vec<LineSnapshot> {
    let mut lines = lines(nodes);
    for (line, node) in lines.iter_mut().zip(nodes) {
        line.needs = node.needs(nodes).map(ToOwned::to_owned).collect();
    }
    lines
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
