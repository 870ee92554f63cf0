//! Children of executions, as the store is told of them: those that a write creates, and the message by
//! which one tells its parent that it has ended.

use super::schedule::Schedule;
use crate::{
    base::{
        clock::Clock,
        telemetry::{COUNTS, TraceContext},
    },
    language::children::NewChild,
    model::{notes::Notes, status::Status, trigger::Trigger},
    store::{Child, Due, Message, NewExecution, Queue, SendMessage, Write, root},
};

/// Wakes the dispatcher for children that were created, and are due then.
pub(super) fn take_up(schedule: &Schedule, clock: &Clock, due: &[Due]) {
    for due in due {
        match due {
            Due::Now => schedule.start_left(clock.moment()),
            Due::At(time) => schedule.due_at(clock.read().deadline(*time).moment),
            Due::Never => {}
        }
    }
}

/// Whether the execution may be recovered, and then goes on where it was: what it was told is kept until
/// then.
pub(super) fn is_stopped(status: Status) -> bool {
    matches!(status, Status::Stopped | Status::Stuck)
}

/// Returns the message to an execution that has started another one, which has ended.
pub(crate) fn child_ended(parent: &str, child: &str) -> SendMessage {
    SendMessage {
        id: parent.to_owned(),
        message: Message::ChildEnded {
            child: child.to_owned(),
        },
        if_status: vec![
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Undoing,
            Status::Stopped,
        ],
        if_taken: None,
        queue: Queue::Replace,
    }
}

/// Returns what a write says of a child. Where the line that starts it is part of no trace, it continues
/// that of its parent.
pub(super) fn row_of(parent: &str, of_parent: Option<&TraceContext>, child: NewChild) -> Child {
    let flow = child.flow;
    let begins = child.begins;
    let nodes = begins.map(|time| root::pending_until(flow, time));
    Child {
        nodes: nodes.into_iter().collect(),
        due: begins.map_or(Due::Now, Due::At),
        new: NewExecution {
            id: child.id,
            flow: flow.to_owned(),
            input: child.input,
            labels: child.labels,
            notes: Notes {
                trigger: Trigger::Parent,
                ..Notes::default()
            },
            priority: child.priority,
            form: child.form,
            parent: Some(parent.to_owned()),
            singleton: None,
            trace: child.trace.or_else(|| of_parent.cloned()),
            created_at: None,
            held: None,
        },
    }
}

/// Returns the flows of the children that a write creates, for metrics.
pub(super) fn started_flows(write: &Write) -> Vec<String> {
    let children = write.children.iter().filter(|_| COUNTS);
    children.map(|child| child.new.flow.clone()).collect()
}
