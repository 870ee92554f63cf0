//! Testing steps and flows: a context for one step; a clock that jumps, a world that remembers, and an explorer that cuts a flow off
//! at every point and looks whether it comes out the same; an assertion that no change of a flow
//! strands running executions; and the rules of a store, as tests.
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
