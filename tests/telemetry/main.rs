//! What operators' tools are told: metrics, traces, and the log.

#[path = "../engine/between.rs"]
#[expect(dead_code, reason = "the tests of the engine use it all")]
mod between;
mod metrics;
