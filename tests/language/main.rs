//! The language through the public API: every form, its values, and what a resume does with it.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

mod asked;
mod bad_input;
mod commits;
mod compat;
mod cx;
mod forms;
mod handlers;
mod old_form;
mod panics;
mod policies;
mod recorded;
mod recover;
mod rollback;
mod rows;
mod signals;
mod snapshot;
mod support;
