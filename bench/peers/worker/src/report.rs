//! What a measured process has found: left as JSON in the file that its job names.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One measurement's result, after all checks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Executions within `time`, each with the right result.
    pub executions: u64,
    /// Those that the engine itself gave up, which are not among `executions`.
    pub given_up: u64,
    /// From the first execution's start to the last one's end, without the warm-up.
    pub time: Duration,
    /// The processor time that the processes of the database's server have taken meanwhile.
    pub server_time: Option<Duration>,
    /// What the store says of its durability.
    pub settings: Vec<Setting>,
}

/// One setting as the store itself tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// As one would ask the store for it.
    pub name: String,
    /// As the store says it.
    pub value: String,
}

impl Setting {
    /// A setting of that name and value.
    pub fn new(name: impl Into<String>, value: impl ToString) -> Self {
        Self {
            name: name.into(),
            value: value.to_string(),
        }
    }
}
