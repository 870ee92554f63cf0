//! What operators' tools are told: traces; and the example that shows it. The metrics, whose recorder is one for a
//! whole program, are the test program `metrics`, and what is logged is `logged`.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

mod example;
mod traces;
