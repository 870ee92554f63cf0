//! Finding the step of a table that a node of a tree belongs to.

use super::{Line, StepMeta, Table, Work};

impl Table {
    /// Returns what the table says of the step at this path of a tree, if it has one there.
    pub(crate) fn step_at(&self, names: &[impl AsRef<str>]) -> Option<&StepMeta> {
        in_lines(self.nodes, names)
    }
}

fn in_lines<'t>(lines: &'t [Line], names: &[impl AsRef<str>]) -> Option<&'t StepMeta> {
    let (name, rest) = names.split_first()?;
    let line = lines.iter().find(|line| line.answers_to(name.as_ref()))?;
    match &line.work {
        Work::Step(meta) => rest.is_empty().then_some(meta),
        Work::Group(lines)
        | Work::Parallel(lines)
        | Work::Race(lines)
        | Work::Match { arms: lines, .. } => in_lines(lines, rest),
        Work::If {
            then, otherwise, ..
        } => in_lines(then, rest).or_else(|| in_lines(otherwise, rest)),
        // The key of the item, or the number of the round.
        Work::For { body, .. } | Work::Loop { body, .. } => in_lines(body, rest.split_first()?.1),
        Work::Flow(table) => in_lines(table.nodes, rest),
    }
}
