//! What stands in the parentheses of an attribute: options as tokens (`args`), the policy options and
//! their rules (`options`), and durations as text (`duration`).

pub(crate) mod args;
mod duration;
pub(crate) mod options;
