//! Helpers for tests: [`Context`] for one step; [`FakeClock`], a clock that jumps; [`Lab`], which
//! records what steps do; [`Explorer`], which interrupts a flow at every point and compares how it
//! ends; [`assert_compatible!`], which fails when a change of a flow would strand running
//! executions; [`store`], the rules of a store as tests, and [`state_store()`], those of a place for one saved state.
//!
//! This module is behind the feature `testing`, to be switched on for tests only:
//!
//! ```toml
//! [dev-dependencies]
//! steps = { version = "0.1", features = ["testing"] }
//! ```
//!
//! ```
//! use steps::testing::Lab;
//! let lab = Lab::new();
//! lab.act("create vm")?;
//! assert_eq!(lab.texts(), ["create vm"]);
//! # Ok::<_, steps::testing::Injected>(())
//! ```

mod clock;
mod context;
mod cut_store;
mod effects;
mod explore;
mod recorder;
mod snapshot;
mod state_store;
pub mod store;

#[doc(inline)]
pub use crate::{assert_compatible, store_conformance};
pub use clock::FakeClock;
pub use context::Context;
pub use cut_store::CutStore;
pub use effects::{Effect, Fault, Injected, Lab};
pub use explore::{Explorer, Report, Violation};
pub use recorder::{Cut, Recorder};
#[doc(hidden)]
pub use snapshot::assert as __assert_compatible;
pub use state_store::state_store;
