//! Pausing and limiting flows over all processes. What a claim does about it is the store's business.
//!
//! | file | job |
//! |---|---|
//! | `flow` | the user's handle on a flow: pause, resume, limit |
//! | `served` | what the builder says of the limits of the flows that it serves |
//! | `saved` | what is kept with a flow |

mod flow;
mod saved;
pub(super) mod served;

pub use flow::{FlowHandle, FlowInfo};
