//! The rules as a sweep follows them.

use std::time::Duration;

use crate::store::ExecutionQuery;

/// How often an engine sweeps, unless it is told otherwise.
pub(in crate::engine) const EVERY: Duration = Duration::from_hours(1);

/// A rule, as a sweep follows it.
#[derive(Debug)]
pub(in crate::engine) struct Rule {
    pub(super) text: String,
    pub(super) query: ExecutionQuery,
    pub(super) newest: Option<usize>,
    pub(super) for_time: Option<Duration>,
}

/// The rules of an engine, and how often it sweeps.
#[derive(Debug)]
pub(in crate::engine) struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) every: Duration,
}

/// No rules.
impl Default for Rules {
    fn default() -> Self {
        Self::new(Vec::new(), EVERY)
    }
}

impl Rules {
    pub(in crate::engine) fn new(rules: Vec<Rule>, every: Duration) -> Self {
        Self { rules, every }
    }

    pub(super) fn every(&self) -> Duration {
        self.every
    }
}
