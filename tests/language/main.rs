//! The language through the public API: every form, its values, and what a resume does with it.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

mod arms;
mod arms_marked;
mod attributes;
mod bad_input;
mod blocking;
mod caught;
mod commits;
mod compat;
mod cx;
mod data_flow;
mod depth;
mod for_items;
mod forms;
mod handlers;
mod inputs;
mod keep;
mod labels;
mod let_lines;
mod limits;
mod many_parameters;
mod nested;
mod nested_handlers;
mod old_form;
mod panics;
mod policies;
mod race;
mod race_again;
mod recorded;
mod recover;
mod renamed_input;
mod requests;
mod retry_from;
mod rollback;
mod rows;
mod saved_json;
mod side_by_side;
mod signals;
mod snapshot;
mod support;
mod told;
mod tracing;
mod unkept;
mod values;
mod volatile;
