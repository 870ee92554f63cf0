//! A flow with what it is lent, and an input: what an engine is given.

use crate::{flow::Flow, resume::Run};

/// A flow with the resources it is lent, owned: `attach_volume::with(cloud)`.
#[allow(missing_debug_implementations)]
pub struct With<F: Flow> {
    owned: F::Owned,
}

impl<F: Flow> Clone for With<F> {
    fn clone(&self) -> Self {
        Self {
            owned: self.owned.clone(),
        }
    }
}

impl<F: Flow> With<F> {
    #[doc(hidden)]
    pub fn new(owned: F::Owned) -> Self {
        Self { owned }
    }

    /// The flow about to run with this input.
    pub fn run(&self, input: Input<F>) -> Run<'_, F> {
        Run::new(F::lend(&self.owned), input.value)
    }
}

/// The input of a flow: `attach_volume::input(spec)`.
#[allow(missing_debug_implementations)]
pub struct Input<F: Flow> {
    value: F::Input,
}

impl<F: Flow> Input<F> {
    #[doc(hidden)]
    pub fn new(value: F::Input) -> Self {
        Self { value }
    }
}
