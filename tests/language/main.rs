//! The language through the public API: every form, its values, and what a resume does with it.

mod cx;
mod forms;
mod handlers;
mod panics;
mod policies;
mod recorded;
mod rollback;
mod signals;
mod support;
