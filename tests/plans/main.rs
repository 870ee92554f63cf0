//! Plans: trees of steps that are made at run time. `make` and `written` are about what is refused when one is made, the others
//! about running them. What a `kill -9` does to them: `tests/plans_killed`.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

mod changed;
mod crash;
mod engine;
mod handlers;
mod large;
mod make;
mod memory;
mod nested;
mod rollback;
mod state;
#[path = "../common/stores.rs"]
mod stores;
mod support;
mod waits;
mod written;
