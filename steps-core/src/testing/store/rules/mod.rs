//! The rules, by what they are about.

pub(super) mod acquire;
pub(super) mod begun;
pub(super) mod bounds;
pub(super) mod changes;
pub(super) mod children;
pub(super) mod claims;
pub(super) mod clock;
pub(super) mod close;
pub(super) mod conditions;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod duties;
pub(super) mod fence;
pub(super) mod find;
pub(super) mod forms;
pub(super) mod heartbeat;
pub(super) mod labels;
pub(super) mod limits;
pub(super) mod log;
pub(super) mod messages;
pub(super) mod nodes;
pub(super) mod notes;
pub(super) mod notices;
pub(super) mod past;
pub(super) mod refuse;
pub(super) mod renew;
pub(super) mod singleton;
pub(super) mod statistics;
pub(super) mod together;
pub(super) mod trace;
pub(super) mod transactions;
pub(super) mod transfer;

/// What all of them use.
mod prelude {
    pub(super) use std::{sync::Arc, time::Duration};

    pub(super) use super::super::{
        builders::{
            Creation, FINGERPRINT, FLOW, HOUR, SHORT, claim, flow_claim, form_of, is_in_an_hour,
            json, query, refuser, root, second, send_message, set_duty, signal, step, text, write,
        },
        check::{Fault, Outcome, fails, holds, joined, same, same_nodes},
        fixture::{Fixture, ids},
    };
    pub(super) use crate::{
        model::{
            state::{NodeData, NodeRow},
            status::Status,
        },
        store::{
            Acquire, Acquired, Claim, Cursor, Due, ErrorKind, ExecutionInfo, ExecutionQuery,
            HeldExecution, Lease, LeaseAfter, Message, MessageReceipt, NoteChange, Notes, Refused,
            Refuser, Renew, Renewal, SendMessage, Store, StoredExecution, TakeOver, Wait, Write,
            Written,
        },
    };
}
