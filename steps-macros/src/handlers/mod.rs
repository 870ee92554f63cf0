//! The handlers: functions that name the step (`step`) or the flow (`flow`) that they belong to.
//! What they have in common is in `handler`.

pub(crate) mod flow;
mod handler;
pub(crate) mod step;
