//! The values of a plan's steps while it runs. They are all in one place, as each step may use those of any
//! step before it.

use std::sync::OnceLock;

use super::{registered::AnyOutput, tree::Tree};
use crate::{
    base::json::Json,
    language::{
        frame::Slots,
        scope::{LoadError, Saved},
        slot::Slot,
    },
};

/// The slots of a plan: one for each of its steps.
#[derive(Debug, Default)]
pub struct PlanSlots(OnceLock<Box<[PlanSlot]>>);

/// The slot of one step.
#[derive(Debug, Default)]
pub struct PlanSlot {
    /// The output, for the undo.
    output: OnceLock<AnyOutput>,
    /// Its JSON, for the steps that use it; `None` stands for `null`.
    json: OnceLock<Option<Json>>,
}

impl PlanSlots {
    pub(super) fn at(&self, tree: &Tree, node: usize) -> &PlanSlot {
        let make = || tree.nodes.iter().map(|_| PlanSlot::default()).collect();
        &self.0.get_or_init(make)[node]
    }
}

impl PlanSlot {
    /// Keeps the JSON of the output; `None` if there is none, as the step has failed and was passed over.
    pub(super) fn keep(&self, json: Option<Json>) {
        let _ = self.json.set(json);
    }

    /// Keeps a saved output that was read.
    pub(super) fn load(&self, output: AnyOutput, json: Option<Json>) {
        let _ = self.output.set(output);
        self.keep(json);
    }

    /// Returns the JSON of the output, once the step has ended.
    pub(super) fn json(&self) -> Option<Option<&Json>> {
        self.json.get().map(Option::as_ref)
    }
}

impl<T: Send + Sync + 'static> Slot<T> for PlanSlot {
    fn put(&self, value: T) {
        let _ = self.output.set(Box::new(value));
    }
    fn value(&self) -> Option<&T> {
        self.output.get()?.downcast_ref()
    }
}

impl Slots for PlanSlots {
    type Value = ();
    fn load(&self, _: usize, _: Saved<'_>) -> Result<(), LoadError> {
        Ok(())
    }
    fn close(self) -> Option<()> {
        Some(())
    }
}
