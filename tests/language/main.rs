//! The language through the public API: every form, its values, and what a resume does with it.

mod forms;
mod handlers;
mod recorded;
mod rollback;
mod support;
