//! What a store has in a column that has no type of its own in a database: times, who has refused an execution,
//! which of its rows are past, and a step that has only begun. For stores: those of this project keep them alike.
//!
//! ```
//! use steps::store::{Refuser, column::{nanos, refusers}};
//!
//! let now = jiff::Timestamp::now();
//! assert_eq!(nanos::time(nanos::clamped(now)), now);
//! let all = [Refuser { fingerprint: 1, build: 2 }, Refuser { fingerprint: 3, build: 4 }];
//! let column = refusers::column(&all).expect("there are two");
//! assert_eq!(refusers::read(&column), all);
//! assert!(column.contains(&refusers::one(all[1])));
//! ```

pub mod begun;
pub mod nanos;
pub mod past;
pub mod refusers;
