//! Functions that are told of changes of statuses, after these are safe, at least once also across a crash.
//!
//! The store keeps each change for each subscription with the write that makes it. One process at a time
//! tells those of a name, which is said by the duty `changes/NAME`.
//!
//! | file | job |
//! |---|---|
//! | `on_change` | which changes a function is told of, and how |
//! | `function` | what is called, and with what |
//! | `registered` | the functions of an engine: names, and their subscriptions |
//! | `queue` | which change is told next: those of one execution one after the other |
//! | `hold` | the right to tell those of a name |
//! | `teller` | the task that tells those of one function |
//! | `view` | what an operator sees of subscriptions |

mod function;
mod hold;
mod on_change;
mod queue;
pub(in crate::engine) mod registered;
pub(in crate::engine) mod teller;
mod view;

pub use function::{ChangeFunction, NotTold, StatusChange};
pub use on_change::OnChange;
pub use view::Subscribed;

/// What the names of the duties begin with that say who tells.
const PREFIX: &str = "changes/";
