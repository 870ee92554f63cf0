//! The options in an attribute's parentheses: their syntax (`args`), the options about the policy
//! and their rules (`options`), the values of options (`values`), and the strings for durations (`duration`).

pub(crate) mod args;
pub(crate) mod duration;
mod external;
pub(crate) mod options;
mod transaction;
pub(crate) mod values;
