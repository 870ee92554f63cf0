//! What became of the first write of a new execution.

use crate::{
    engine::error::EngineError,
    store::{Existing, NewExecution},
};

/// The result of the first write of a new execution.
pub(crate) type Started = Result<FirstWrite, EngineError>;

/// What became of the first write of a new execution.
pub(crate) enum FirstWrite {
    /// It has created the execution.
    Made,
    /// There is an execution with this id.
    Exists(Box<Existing>),
    /// Nobody may hold the execution from the start, as its flow is paused or limited.
    Limited(Box<NewExecution>),
    /// Its key is that of the execution with this id.
    Taken(String, Box<NewExecution>),
}
