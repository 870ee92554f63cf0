//! What a measured process is to do: given to it as JSON, as its only argument.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// One measurement of one engine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// Where the engine keeps its state: a file's path or a database's URL; fresh and empty.
    pub store: String,
    /// Which of the engine's settings are used.
    pub tuning: Tuning,
    /// How many executions run at once, each followed by another.
    pub concurrency: u64,
    /// For how long executions are begun and not counted, before the measurement.
    pub warm_up: Duration,
    /// For how long executions are begun; those begun are run to their end.
    pub time: Duration,
    /// When given, so many executions are run, in place of as many as `time` allows.
    pub executions: Option<u64>,
    /// The process of the database's server, if there is one: its processor time is measured.
    pub server: Option<u32>,
    /// Where the report goes, as JSON.
    pub report: PathBuf,
}

/// Which of an engine's settings are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tuning {
    /// What the engine does when nothing is said.
    Defaults,
    /// What is faster and as durable, where there is something. Else the same.
    Tuned,
}
