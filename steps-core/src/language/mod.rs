//! What generated code and users' functions meet: steps, flows and their handlers as traits, the
//! scopes in which values live while a flow runs, and the context that a running step is given.
//!
//! Nothing here decides when something runs: that is the interpreter, which reaches users' code
//! through [`scope::Scope`] only. In the other direction, [`cx::Cx`] reaches the run through a
//! private trait.

pub mod arguments;
pub mod builtin;
pub mod cells;
pub mod codec;
pub mod cx;
pub mod flow;
pub mod flow_handlers;
pub mod frame;
pub mod glue;
pub mod handlers;
pub mod input;
pub mod misuse;
pub mod recorded;
pub mod returns;
pub mod run_op;
pub mod scope;
pub mod slot;
pub mod step;
