//! What `#[plan]` says of the steps that its plans may have.

use std::any::Any;

use super::{
    given::Given,
    slots::{PlanSlot, PlanSlots},
    tree::Tree,
};
use crate::{
    base::future::BoxFuture,
    language::{
        cx::Cx,
        flow::Flow,
        scope::{Op, OpResult},
        step::{Step, codec_of},
    },
    model::table::{Check, Line},
};

/// A flow whose input is a plan: a function marked `#[plan]`.
#[diagnostic::on_unimplemented(
    message = "no plans are made of `{Self}`",
    label = "this is not marked `#[plan]`",
    note = "the type of a plan names the function of which it is made: `Plan<provision>` for `#[plan] async fn provision(…)`"
)]
pub trait Planned: Flow<Slots = PlanSlots> {
    /// The lines of the registered steps.
    #[doc(hidden)]
    const LINES: &'static [Line];
    /// What else is known of each.
    #[doc(hidden)]
    const STEPS: &'static [Registered];
    /// Returns the plan.
    #[doc(hidden)]
    fn tree(input: &Self::Input) -> &Tree;
    /// Carries out an operation of the registered step of this number.
    #[doc(hidden)]
    fn step<'b>(
        lent: Self::Lent<'b>,
        step: usize,
        given: Given<'b>,
        op: Op<'b>,
        cx: &'b Cx,
        slot: &'b PlanSlot,
    ) -> BoxFuture<'b, OpResult>;
}

/// What the registered step number `N` gives. The step itself may be private where the plan is not.
#[doc(hidden)]
pub trait Gives<const N: usize> {
    /// The type.
    type Output;
}

/// A registered step.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// The parameters that a plan gives.
    pub params: &'static [Param],
    /// Reads a saved output.
    pub load: Load,
}

/// A parameter that a plan gives.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// The text of its type.
    pub ty: &'static str,
    /// Checks that a value of the plan can be read.
    pub check: Check,
}

/// An output, whatever its type.
pub(super) type AnyOutput = Box<dyn Any + Send + Sync>;

/// Reads a saved output.
pub(super) type Load = fn(&str) -> Result<AnyOutput, serde_json::Error>;

/// Reads a saved output of `S`.
pub fn load_planned<S: Step>(saved: &str) -> Result<AnyOutput, serde_json::Error> {
    (codec_of::<S>().decode)(saved).map(|output| Box::new(output) as AnyOutput)
}

/// The steps that a plan may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) lines: &'static [Line],
    pub(super) steps: &'static [Registered],
}

impl Known {
    pub(super) const fn of<F: Planned>() -> Self {
        Self {
            lines: F::LINES,
            steps: F::STEPS,
        }
    }

    /// Returns the number of the step that is or was registered under this name.
    pub(super) fn find(self, name: &str) -> Option<usize> {
        self.lines.iter().position(|line| line.answers_to(name))
    }

    pub(super) fn name(self, step: usize) -> &'static str {
        self.lines[step].name
    }

    pub(super) fn params(self, step: usize) -> &'static [Param] {
        self.steps[step].params
    }
}
