//! References to the steps of a plan, where the flow stands in another one, too.

use std::{fmt, marker::PhantomData};

use super::{registered::Planned, whole::Plan};
use crate::model::{
    table::planned::PLAN,
    typed::{AtRoot, ItemRef, StepRef, Within},
};

/// References to the steps of a plan: the `STEPS` of a type that `#[plan]` made.
///
/// Which steps there are, a plan tells: [`step`](Self::step) gives the reference to one. Of a plan that was
/// started for itself, [`Plan::step_ref`] gives the same.
#[derive(Clone, Copy)]
pub struct PlanSteps<P: Within = AtRoot>(PhantomData<P>);

impl<P: Within> PlanSteps<P> {
    #[doc(hidden)]
    pub const REFS: Self = Self(PhantomData);

    /// A reference to the line with the whole plan.
    pub const fn node(&self) -> StepRef<()> {
        StepRef::new(P::PATH, &[PLAN])
    }

    /// Returns a reference to a step, by its path in this plan, `links.a`; `None` if the plan has no such step.
    /// The type is that of the step's output.
    pub fn step<T, F: Planned>(&self, plan: &Plan<F>, step: &str) -> Option<ItemRef<T>> {
        let names = plan.saved_names(step)?;
        Some(ItemRef::of_names_in(P::PATH, names))
    }
}

impl<P: Within> fmt::Debug for PlanSteps<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node().fmt(f)
    }
}
