//! The engine's own work: claiming what is due, keeping leases, taking turns, delivering messages.

pub(in crate::engine) mod dispatcher;
mod shutdown;
pub(in crate::engine) mod turn;
pub(in crate::engine) mod turn_journal;
