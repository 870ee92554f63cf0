//! What a snapshot holds: of a compiled flow, all that decides what its executions save.

use std::collections::BTreeMap;

use crate::model::table::{Line, Table, Work};

/// A flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlowSnapshot {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    /// The types of its input's fields.
    pub(super) input: BTreeMap<String, String>,
    pub(super) output: String,
    pub(super) lines: Vec<LineSnapshot>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineSnapshot {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) optional: bool,
    pub(super) work: WorkSnapshot,
}

/// What a line does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WorkSnapshot {
    Step {
        output: String,
        volatile: bool,
    },
    Group(Vec<LineSnapshot>),
    Parallel(Vec<LineSnapshot>),
    If {
        then: Vec<LineSnapshot>,
        otherwise: Vec<LineSnapshot>,
    },
    For(Vec<LineSnapshot>),
    Loop(Vec<LineSnapshot>),
    Flow(FlowSnapshot),
}

impl FlowSnapshot {
    pub(super) fn of(table: &Table) -> Self {
        let field = |field: &crate::model::table::InputField| (field.name.into(), field.ty.into());
        Self {
            name: table.name.into(),
            aliases: texts(table.aliases),
            input: table.input.iter().map(field).collect(),
            output: table.output.into(),
            lines: lines(table.nodes),
        }
    }
}

impl LineSnapshot {
    fn of(node: &Line) -> Self {
        let work = match &node.work {
            Work::Step(meta) => WorkSnapshot::Step {
                output: meta.output.into(),
                volatile: meta.volatile,
            },
            Work::Group(below) => WorkSnapshot::Group(lines(below)),
            Work::Parallel(below) => WorkSnapshot::Parallel(lines(below)),
            Work::If { then, otherwise } => WorkSnapshot::If {
                then: lines(then),
                otherwise: lines(otherwise),
            },
            Work::For { body, .. } => WorkSnapshot::For(lines(body)),
            Work::Loop { body, .. } => WorkSnapshot::Loop(lines(body)),
            Work::Flow(table) => WorkSnapshot::Flow(FlowSnapshot::of(table)),
        };
        Self {
            name: node.name.into(),
            aliases: texts(node.aliases),
            optional: node.marks.optional,
            work,
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

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
