//! How many bytes a call holds while it waits, roughly: its values, which are most of it. For
//! bounding the memory that waiting calls take; this module knows no database.

use steps_core::{
    Json,
    state::NodeData,
    store::{Message, Target, Write},
};

/// Bytes of a write.
pub(crate) fn of_write(write: &Write) -> usize {
    let nodes = write.nodes.iter();
    let nodes: usize = nodes.map(|change| of_node(&change.node)).sum();
    nodes
        + match &write.target {
            Target::New(new) => new.input.get().len(),
            Target::Held(_) => 0,
        }
}

/// Bytes of a message.
pub(crate) fn of_message(message: &Message) -> usize {
    match message {
        Message::Signal { path, value } => path.len() + value.get().len(),
        _ => 0,
    }
}

fn of_node(node: &NodeData) -> usize {
    let errors: usize = node.errors.iter().map(String::len).sum();
    let values = [
        &node.info,
        &node.input,
        &node.output,
        &node.before,
        &node.after,
    ];
    let values: usize = values.into_iter().map(|json| of(json.as_ref())).sum();
    errors + values + size_of::<NodeData>()
}

fn of(json: Option<&Json>) -> usize {
    json.map_or(0, |json| json.get().len())
}
