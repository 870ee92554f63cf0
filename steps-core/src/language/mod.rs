//! The interface of generated code and users' functions: traits for steps, flows and their
//! handlers, the scopes that hold values while a flow runs, and the context of a running step.
//!
//! Nothing here decides when something runs. The interpreter does, and it calls users' code only
//! through [`scope::Scope`]. In the other direction, [`cx::Cx`] reaches the run through a private
//! trait.

pub mod arguments;
pub mod builtin;
pub mod cells;
pub mod children;
pub mod codec;
pub mod cx;
pub mod editor;
pub mod external;
pub mod flow;
pub mod flow_handlers;
pub mod frame;
pub mod glue;
pub mod handlers;
pub(crate) mod host;
pub mod input;
pub mod keep;
pub mod let_line;
pub mod log;
pub mod misuse;
mod notes;
pub mod outcome;
pub mod plan;
pub mod recorded;
pub mod returns;
pub mod run_op;
pub mod schema;
pub mod scope;
pub mod slot;
pub mod step;
pub mod threads;
pub(crate) mod ticks;
pub mod transaction;
pub mod within;
