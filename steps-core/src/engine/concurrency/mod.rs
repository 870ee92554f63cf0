//! How many flows run at once.
//!
//! A [`Limiter`] counts what runs and says how much more may: one for the whole engine, with a
//! [`Concurrency`] that may adapt to the load of the processor, and one for each flow that has a
//! bound of its own. It leaves to others what is run, and in which order.
//!
//! | file | job |
//! |---|---|
//! | `setting` | what a user may ask for |
//! | `limiter` | the count, and waiting for room |
//! | `controller` | the rule by which a bound follows the load; no clock, no system |
//! | `load` | the load of the processor |
//! | `adapt` | brings the three together, once a second |

mod adapt;
mod controller;
mod limiter;
mod load;
mod setting;

pub(crate) use limiter::{Limiter, Permit};
pub use setting::Concurrency;
