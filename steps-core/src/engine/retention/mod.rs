//! Retention: which executions are deleted when they have ended, and the sweeps that do it.
//!
//! | file | job |
//! |---|---|
//! | `rule` | what is kept: the newest of what a filter finds, or all for a time |
//! | `rules` | the rules as a sweep follows them |
//! | `sweep` | one sweep: which process makes it, batch by batch |
//! | `preview` | how many a sweep would delete |
//! | `task` | the engine's own task, which sweeps from time to time |

mod preview;
mod rule;
pub(in crate::engine) mod rules;
mod sweep;
pub(in crate::engine) mod task;

pub use rule::Retention;
pub use sweep::{Swept, SweptRule};
