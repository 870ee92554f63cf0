//! The cell of a nested flow, and of an execution's own: its input and slots between passes, and its
//! output once it is done.

use std::{
    any::Any,
    sync::{Mutex, OnceLock},
};

use crate::{
    base::sync::lock,
    language::{
        flow::Flow,
        outcome::{Outcome, Required},
        scope::{LoadError, Saved},
    },
};

/// The cell of a flow, whatever its failure means.
pub(crate) trait FlowHome<F: Flow>: Sync {
    fn take(&self) -> KeptFlow;
    fn keep(&self, open: KeptFlow);
    fn put(&self, output: F::Output);
    fn output(&self) -> Option<&F::Output>;
}

/// A flow's input and slots, without their type: see `cells`.
pub(crate) type KeptFlow = Option<Box<dyn Any + Send>>;

/// Where a flow's input and slots are kept between passes, and its output after the flow is done.
#[allow(missing_debug_implementations)]
pub struct FlowCell<F: Flow, O: Outcome<F::Output> = Required> {
    // Boxed, because a flow may have many slots: so they are not moved around.
    open: Mutex<KeptFlow>,
    output: OnceLock<O::Value>,
}

impl<F: Flow, O: Outcome<F::Output>> Default for FlowCell<F, O> {
    fn default() -> Self {
        Self {
            open: Mutex::new(None),
            output: OnceLock::new(),
        }
    }
}

impl<F: Flow, O: Outcome<F::Output>> FlowCell<F, O> {
    /// Returns the output, once the flow has ended.
    pub fn get(&self) -> Option<&O::Value> {
        self.output.get()
    }
    /// Takes the output out.
    pub fn into_inner(self) -> Option<O::Value> {
        self.output.into_inner()
    }
    /// Loads the output, or the failure that was passed over.
    pub fn load(&self, saved: Saved<'_>) -> Result<(), LoadError> {
        let value = match O::missed(saved) {
            Some(missed) => missed,
            None => O::done((F::OUTPUT.decode)(saved.text())?),
        };
        let _ = self.output.set(value);
        Ok(())
    }
    pub(crate) fn take_output(&mut self) -> Option<O::Value> {
        self.output.take()
    }
}

impl<F: Flow, O: Outcome<F::Output>> FlowHome<F> for FlowCell<F, O> {
    fn take(&self) -> KeptFlow {
        lock(&self.open).take()
    }
    fn keep(&self, open: KeptFlow) {
        *lock(&self.open) = open;
    }
    fn put(&self, output: F::Output) {
        let _ = self.output.set(O::done(output));
    }
    fn output(&self) -> Option<&F::Output> {
        self.output.get().and_then(O::given)
    }
}
