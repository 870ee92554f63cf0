//! What a snapshot holds: of a compiled flow, all that decides what its executions save.

use std::collections::BTreeMap;

use crate::model::table::{Node, Table, Work};

/// A flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlowShot {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    /// The types of its input's fields.
    pub(super) input: BTreeMap<String, String>,
    pub(super) output: String,
    pub(super) lines: Vec<LineShot>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineShot {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) optional: bool,
    pub(super) work: WorkShot,
}

/// What a line does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WorkShot {
    Step {
        output: String,
        volatile: bool,
    },
    Group(Vec<LineShot>),
    Parallel(Vec<LineShot>),
    If {
        then: Vec<LineShot>,
        otherwise: Vec<LineShot>,
    },
    For(Vec<LineShot>),
    Loop(Vec<LineShot>),
    Flow(FlowShot),
}

impl FlowShot {
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

impl LineShot {
    fn of(node: &Node) -> Self {
        let work = match &node.work {
            Work::Step(meta) => WorkShot::Step {
                output: meta.output.into(),
                volatile: meta.volatile,
            },
            Work::Group(below) => WorkShot::Group(lines(below)),
            Work::Parallel(below) => WorkShot::Parallel(lines(below)),
            Work::If { then, otherwise } => WorkShot::If {
                then: lines(then),
                otherwise: lines(otherwise),
            },
            Work::For { body, .. } => WorkShot::For(lines(body)),
            Work::Loop { body, .. } => WorkShot::Loop(lines(body)),
            Work::Flow(table) => WorkShot::Flow(FlowShot::of(table)),
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

fn lines(nodes: &[Node]) -> Vec<LineShot> {
    nodes.iter().map(LineShot::of).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
