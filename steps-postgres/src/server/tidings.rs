//! What the stores of one schema tell each other, by the server's `NOTIFY`: what it says, and on which channel.
//!
//! The channel has the name of the schema. A transaction with a notification waits at its end for all others that have
//! one, so none is sent where many are ended: not in the writes of steps.

use steps_core::store::Notice;

/// What is in front of the name of a flow of which an execution is due.
pub(crate) const DUE: &str = "due ";
/// What is in front of the id of an execution that is held, and that a message has come for.
pub(crate) const MESSAGE: &str = "message ";

/// Who is told of what a transaction leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tell {
    /// All stores of the schema that listen.
    Listeners,
    /// Nobody, as it is a write of a step, or whoever makes it goes on with what it leaves.
    Nobody,
}

/// Reads a notification; one that nobody here sends is none.
pub(crate) fn read(payload: &str) -> Option<Notice> {
    if let Some(flow) = payload.strip_prefix(DUE) {
        let flow = flow.to_owned();
        return Some(Notice::Due { flow });
    }
    let id = payload.strip_prefix(MESSAGE)?.to_owned();
    Some(Notice::Message { id })
}
