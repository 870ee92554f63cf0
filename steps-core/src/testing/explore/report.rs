//! What an exploration found out.

use std::{collections::BTreeSet, fmt};

/// What an [`Explorer`](super::Explorer) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Runs in all.
    pub runs: usize,
    /// Runs that were cut off and taken up again.
    pub cuts: usize,
    /// Runs that came to their end before they came to a cut: there are such only of flows that do
    /// things [at once](super::Explorer::concurrent), which may be recorded at once, too.
    pub missed: usize,
    /// The faults that struck.
    pub faults: BTreeSet<String>,
    /// The statuses in which runs ended.
    pub ends: BTreeSet<&'static str>,
}

/// The flow did not come out as it should.
#[derive(Clone)]
pub struct Violation {
    /// What was done to the run.
    pub trial: String,
    /// What was wrong.
    pub what: String,
    /// What it did to the world.
    pub log: Vec<String>,
    /// The tree it ended with, and that of the run that was left alone.
    pub trees: (String, String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}\nlog: {:#?}\n{}\n\nleft alone:\n{}",
            self.trial, self.what, self.log, self.trees.0, self.trees.1
        )
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violation {}
