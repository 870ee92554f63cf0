//! The handlers of a step (`step`) and those of a flow (`flow`): functions whose attribute names
//! the step or the flow. What all of them have in common is in `handler`.

pub(crate) mod external;
pub(crate) mod flow;
mod handler;
pub(crate) mod step;
