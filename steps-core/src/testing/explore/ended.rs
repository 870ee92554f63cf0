//! How a run of an exploration ended.

use std::collections::BTreeSet;

use crate::{
    model::state::State,
    testing::{Cut, Lab},
};

/// How a run ended.
pub(super) struct Ended {
    pub(super) state: State,
    pub(super) lab: Lab,
    /// How many commits it made since it was taken up last.
    pub(super) commits: usize,
    /// Those of them before which it can't be cut off.
    pub(super) claims: BTreeSet<usize>,
    /// Whether it came to its end before it came to a cut.
    pub(super) missed: bool,
}

impl Ended {
    pub(super) fn cuts(&self) -> impl Iterator<Item = Cut> {
        (1..=self.commits).flat_map(|commit| {
            let before = (!self.claims.contains(&commit)).then_some(Cut::Before(commit));
            before.into_iter().chain([Cut::After(commit)])
        })
    }
}
