//! The engine: runs the executions that a [store](crate::store) keeps.

// The dispatcher that uses it all is not written yet.
#[expect(unused_imports)]
#[cfg_attr(not(test), expect(dead_code))]
mod limit;

pub use limit::Concurrency;
