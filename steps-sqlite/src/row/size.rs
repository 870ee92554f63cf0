//! How many bytes a call holds while it waits, roughly: its values, which are most of it. For
//! bounding the memory that waiting calls take; this module knows no database.

use steps_core::{
    state::NodeData,
    store::{Child, Message, NewLines, NoteChange, SetDuty, Settled, Target, Write, bytes_of},
};

/// Bytes of a write.
pub(crate) fn of_write(write: &Write) -> usize {
    let nodes = write.nodes.iter();
    let nodes: usize = nodes.map(|change| of_node(&change.node)).sum();
    nodes
        + match &write.target {
            Target::New(new) => new.input.get().len() + new.notes.attrs.as_json().len(),
            Target::Held(_) => 0,
        }
        + of_notes(&write.notes)
}

/// Bytes of a change of a duty.
pub(crate) fn of_duty(set: &SetDuty) -> usize {
    let value = set.to.as_ref().map_or(0, |to| to.value.get().len());
    let started = set
        .start
        .iter()
        .map(|Child { new, .. }| new.input.get().len());
    value + started.sum::<usize>()
}

/// Bytes of what became of changes.
pub(crate) fn of_settled(settled: &Settled) -> usize {
    let failed = settled.failed.iter();
    let failed: usize = failed.map(|failed| failed.failure.len()).sum();
    failed + size_of::<i64>() * settled.done.len()
}

/// Bytes of what was logged.
pub(crate) fn of_lines(new: &NewLines) -> usize {
    let lines = new.lines.iter();
    lines.map(|line| line.path.len() + line.message.len()).sum()
}

/// Bytes of what is noted.
pub(crate) fn of_notes(changes: &[NoteChange]) -> usize {
    let bytes = changes.iter().map(|change| match change {
        NoteChange::Attrs(attrs) | NoteChange::Patch(attrs) => attrs.as_json().len(),
        NoteChange::StatusMessage(text) => text.as_ref().map_or(0, String::len),
        NoteChange::Act(act) => act.by.len() + act.reason.as_ref().map_or(0, String::len),
    });
    bytes.sum()
}

/// Bytes of a message.
pub(crate) fn of_message(message: &Message) -> usize {
    match message {
        Message::Signal { path, value } => path.len() + value.get().len(),
        Message::Report { task, report } => task.len() + report.get().len(),
        _ => 0,
    }
}

fn of_node(node: &NodeData) -> usize {
    bytes_of(node) + size_of::<NodeData>()
}
