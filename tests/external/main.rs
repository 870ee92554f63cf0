//! External tasks: steps that somebody else runs and reports on, with an engine and without. What a `kill -9` does to
//! them: `tests/external_killed`.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

mod flows;
mod in_memory;
mod reported;
mod stopped;
#[path = "../common/stores.rs"]
mod stores;
#[path = "../engine/support.rs"]
#[allow(dead_code)]
mod support;
