//! Writes a plan in Rust.

use std::{fmt, marker::PhantomData};

use super::{
    arg::{AsArg, StepOutput},
    check::check,
    draft::{Called, Draft, DraftArg, DraftGroup, DraftPlan, Mark, OfStep, What},
    error::PlanError,
    registered::{Known, Planned},
    whole::Plan,
};

/// A plan that is being written. From the function `plan()` of a type that `#[plan]` made.
///
/// Its methods add steps and groups, which run in the order in which they were added; it derefs to a
/// [`PlanGroup`], which has them.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use steps::prelude::*;
///
/// #[derive(Serialize, Deserialize)]
/// struct Volume { id: u32, gb: u32 }
///
/// #[step]
/// async fn create_volume(gb: u32) -> Result<Volume, String> {
///     Ok(Volume { id: 7, gb })
/// }
///
/// #[step]
/// async fn attach(volume: u32, vm: &str) -> Result<String, String> {
///     Ok(format!("{vm}/{volume}"))
/// }
///
/// #[plan]
/// async fn provision() {
///     steps! {
///         create_volume(gb: u32);
///         attach(volume: u32, vm: &str);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut plan = provision::plan();
/// let disk = plan.step("disk", provision::create_volume(10));
/// plan.parallel("links", |links| {
///     for vm in ["a", "b"] {
///         links.step(vm, provision::attach(disk.at("/id"), vm));
///     }
/// });
/// let outputs = provision(plan.build()?).await?;
/// assert_eq!(outputs.get::<String>("links.b")?.unwrap(), "b/7");
/// # Ok(())
/// # }
/// ```
#[must_use = "it is a plan once `build()` has checked it"]
pub struct PlanBuilder<F> {
    group: PlanGroup<F>,
    outputs: Option<Vec<OfStep>>,
}

/// A group of steps in a plan that is being written. From [`in_order`](Self::in_order) and
/// [`parallel`](Self::parallel).
pub struct PlanGroup<F> {
    names: Vec<String>,
    draft: DraftGroup,
    flow: PhantomData<fn() -> F>,
}

/// A registered step with its arguments, to be put into a plan. From the function of the step's name of a
/// type that `#[plan]` made.
#[must_use = "put it into a plan: `plan.step(\"name\", …)`"]
pub struct PlanCall<F, T> {
    step: usize,
    args: Vec<(String, DraftArg)>,
    of: PhantomData<fn() -> (F, T)>,
}

impl<F: Planned, T> PlanCall<F, T> {
    /// Used by the code that the macro generates.
    #[doc(hidden)]
    pub fn new(step: usize) -> Self {
        Self {
            step,
            args: Vec::new(),
            of: PhantomData,
        }
    }

    /// Used by the code that the macro generates: adds the next argument.
    #[doc(hidden)]
    pub fn arg<A>(mut self, arg: impl AsArg<A>) -> Self {
        let params = Known::of::<F>().params(self.step);
        if let Some(param) = params.get(self.args.len()) {
            self.args.push((param.name.to_owned(), arg.arg().0));
        }
        self
    }
}

impl<F> PlanGroup<F> {
    fn new(names: Vec<String>, at_once: usize) -> Self {
        Self {
            names,
            draft: DraftGroup {
                at_once,
                steps: Vec::new(),
            },
            flow: PhantomData,
        }
    }

    /// Adds a step. Its name is the one under which it is recorded; no two steps of a group have the same.
    ///
    /// Returns what it will give, as an argument for later steps.
    pub fn step<T>(&mut self, name: impl Into<String>, call: PlanCall<F, T>) -> StepOutput<T> {
        self.add(name.into(), call, Mark::None)
    }

    /// Adds a step whose failure, after its retries, is passed over, as with `#[optional]` in a flow: the plan goes on
    /// without its output.
    pub fn optional<T>(
        &mut self,
        name: impl Into<String>,
        call: PlanCall<F, T>,
    ) -> StepOutput<Option<T>> {
        let output = self.add(name.into(), call, Mark::Optional);
        StepOutput::new(output.into_path())
    }

    /// Adds a step behind which nothing is undone, as with `#[pivot]` in a flow: once it is done, what was done before
    /// it stays.
    pub fn pivot<T>(&mut self, name: impl Into<String>, call: PlanCall<F, T>) -> StepOutput<T> {
        self.add(name.into(), call, Mark::Pivot)
    }

    fn add<T>(&mut self, name: String, call: PlanCall<F, T>, mark: Mark) -> StepOutput<T> {
        let mut path = self.names.clone();
        path.push(name.clone());
        self.draft.steps.push(Draft {
            name,
            what: What::Step {
                step: Called::Number(call.step),
                args: call.args,
                mark,
            },
        });
        StepOutput::new(path)
    }

    /// Adds a group whose steps run one after the other. Returns what `steps` returns.
    pub fn in_order<R>(
        &mut self,
        name: impl Into<String>,
        steps: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.group(name.into(), 1, steps)
    }

    /// Adds a group whose steps run at once, so that none of them can use what another one gives. Returns
    /// what `steps` returns.
    pub fn parallel<R>(
        &mut self,
        name: impl Into<String>,
        steps: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.group(name.into(), usize::MAX, steps)
    }

    /// Adds a group of whose steps at most so many run at once: the others wait, in their order. Returns what
    /// `steps` returns.
    pub fn parallel_at_most<R>(
        &mut self,
        name: impl Into<String>,
        at_once: usize,
        steps: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.group(name.into(), at_once, steps)
    }

    fn group<R>(&mut self, name: String, at_once: usize, steps: impl FnOnce(&mut Self) -> R) -> R {
        let mut names = self.names.clone();
        names.push(name.clone());
        let mut group = Self::new(names, at_once);
        let returned = steps(&mut group);
        self.draft.steps.push(Draft {
            name,
            what: What::Group(group.draft),
        });
        returned
    }
}

impl<F: Planned> PlanBuilder<F> {
    /// Used by the code that the macro generates.
    #[doc(hidden)]
    pub fn new() -> Self {
        Self {
            group: PlanGroup::new(Vec::new(), 1),
            outputs: None,
        }
    }

    /// Says that the plan gives the output of this step. By default it gives those of all steps, which are
    /// saved once more when it ends, and are [limited](crate::RunLimits::payload) together; once this was
    /// called, only those that were named.
    pub fn gives<T>(&mut self, output: &StepOutput<T>) {
        let path = OfStep::Path(output.clone().into_path());
        self.outputs.get_or_insert_default().push(path);
    }

    /// Checks the plan, and returns it.
    ///
    /// # Errors
    ///
    /// All that is wrong with it: see [`PlanError`].
    pub fn build(self) -> Result<Plan<F>, PlanError> {
        let draft = DraftPlan {
            steps: self.group.draft,
            outputs: self.outputs,
        };
        check(draft, Known::of::<F>(), Vec::new()).map(Plan::of)
    }
}

impl<F: Planned> Default for PlanBuilder<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> std::ops::Deref for PlanBuilder<F> {
    type Target = PlanGroup<F>;
    fn deref(&self) -> &PlanGroup<F> {
        &self.group
    }
}

impl<F> std::ops::DerefMut for PlanBuilder<F> {
    fn deref_mut(&mut self) -> &mut PlanGroup<F> {
        &mut self.group
    }
}

impl<F> fmt::Debug for PlanBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.group.fmt(f)
    }
}

impl<F> fmt::Debug for PlanGroup<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.draft.steps.iter().map(|step| &step.name);
        f.debug_list().entries(names).finish()
    }
}

impl<F, T> fmt::Debug for PlanCall<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.args.iter().map(|(name, arg)| (name, arg)))
            .finish()
    }
}
