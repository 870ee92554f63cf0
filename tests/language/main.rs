//! The language through the public API: every form, its values, and what a resume does with it.

mod forms;
mod recorded;
mod support;
