//! What operators' tools are told: traces, and the log; and the example that shows it. The metrics, whose
//! recorder is one for a whole program, are the test program `metrics`.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

#[path = "../engine/between.rs"]
#[expect(dead_code, reason = "the tests of the engine use it all")]
mod between;
#[path = "../common/mod.rs"]
mod common;
mod example;
mod log;
mod traces;
