//! How many flows run at once.
//!
//! A [`Limiter`] counts what runs and says how many more may run: one for the whole engine, with a
//! [`Concurrency`] that may adapt to the load of the processor, and one for each flow that has its
//! own bound. It does not decide what runs, or in which order.
//!
//! | file | job |
//! |---|---|
//! | `setting` | the public setting |
//! | `limiter` | the count, and waiting for room |
//! | `controller` | the rule by which a bound follows the load; no clock, no system |
//! | `load` | the load of the processor |
//! | `adapt` | connects the three, once a second |

mod adapt;
mod controller;
mod limiter;
mod load;
mod setting;

pub(crate) use limiter::{Limiter, Permit};
pub use setting::Concurrency;
