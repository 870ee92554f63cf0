//! The generations of steps: what tells the doings of one step apart, as part of its idempotency key.
//!
//! The root has the generation of the steps that begin from now on. A step takes it over with its
//! first attempt, and keeps it until it is cleared to be done anew.

use super::{Resolved, State};
use crate::model::status::Status;

impl State {
    /// Begins another generation if something was undone, and is about to be cleared. An effect that
    /// an operator let be is met again under its key; so is a failure that was held.
    pub(super) fn begin_generation_after_rollback(&mut self) {
        // What is below a node that is done is not cleared.
        fn was_undone(node: &State) -> bool {
            match node.status {
                Status::Undone => true,
                Status::Done => false,
                _ => node.states.iter().any(was_undone),
            }
        }
        if !was_undone(self) {
            return;
        }
        let held = self.status == Status::Failed;
        self.begin_generation(|node| {
            let resolved = node.undo.as_ref().and_then(|undo| undo.resolved);
            match node.status {
                Status::Undone if resolved == Some(Resolved::Skipped) => node.kept_generation(),
                Status::Failed if held => node.kept_generation(),
                Status::Done | Status::Running | Status::Waiting => node.generation,
                _ => None,
            }
        });
    }

    /// Begins another generation, because a step is about to be cleared to be done anew. A failure
    /// beside it, which may be tried again later, keeps its key.
    pub(super) fn begin_generation_from_a_step(&mut self) {
        self.begin_generation(|node| match node.status {
            Status::Failed => node.kept_generation(),
            _ => node.generation,
        });
    }

    /// Returns the node's generation as one that it keeps when it begins again.
    fn kept_generation(&self) -> Option<u32> {
        self.generation.or(Some(0))
    }

    /// Begins another generation. `keep` returns what becomes of that of a node below the root.
    fn begin_generation(&mut self, keep: impl Fn(&Self) -> Option<u32>) {
        fn each(node: &mut State, keep: &impl Fn(&State) -> Option<u32>) {
            for below in &mut node.states {
                below.generation = keep(below);
                each(below, keep);
            }
        }
        self.generation = Some(self.generation.unwrap_or(0).saturating_add(1));
        each(self, &keep);
    }
}
