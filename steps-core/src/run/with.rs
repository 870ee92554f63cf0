//! A flow together with its resources, and the input of a flow: what an engine takes.

use super::Run;
use crate::{
    base::json::Json,
    language::{flow::Flow, input::keep_input, misuse::Nests},
    model::{
        failure::Failure,
        flow_limits::FlowLimits,
        state::{State, path},
        table::{Line, Work},
    },
};

/// A flow that owns its resources: `attach_volume::with(cloud)`.
///
/// For code that starts flows and should not know the resources of each. Each resource is a value,
/// or an `Arc` of one.
///
/// ```
/// use std::sync::Arc;
/// use steps::prelude::*;
///
/// struct Greeting(&'static str);
///
/// #[step]
/// async fn say(greeting: &Greeting, name: &str) -> Result<String, String> {
///     Ok(format!("{}, {name}", greeting.0))
/// }
///
/// #[flow]
/// async fn greet(greeting: &Greeting, name: String) -> Result<String, String> {
///     steps! { said = say(greeting, &name); }
///     Ok(said)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steps::Failure> {
/// let flow = greet::with(Arc::new(Greeting("Hello")));
/// assert_eq!(flow.run(greet::input("you".into())).await?, "Hello, you");
/// # Ok(())
/// # }
/// ```
#[allow(missing_debug_implementations)]
pub struct With<F: Flow> {
    owned: F::Owned,
    at_once: Option<usize>,
    limits: Option<FlowLimits>,
    takes_newer: bool,
}

impl<F: Flow> Clone for With<F> {
    fn clone(&self) -> Self {
        Self {
            owned: self.owned.clone(),
            at_once: self.at_once,
            limits: self.limits.clone(),
            takes_newer: self.takes_newer,
        }
    }
}

impl<F: Flow> With<F> {
    #[doc(hidden)]
    pub fn new(owned: F::Owned) -> Self {
        Self {
            owned,
            at_once: None,
            limits: None,
            takes_newer: false,
        }
    }

    /// Returns the flow, ready to run with this input.
    pub fn run(&self, input: Input<F>) -> Run<'_, F> {
        Run::new(self.lend(), input.value)
    }

    /// Returns the flow, ready to go on from a saved state with the input that is saved in it.
    ///
    /// # Errors
    ///
    /// [`Cause::Misfit`](crate::failure::Cause::Misfit) if the state is of another flow, or its input can't be read.
    #[allow(clippy::result_large_err)]
    pub fn resume(&self, saved: impl Into<State>) -> Result<Run<'_, F>, Failure> {
        Run::from_saved(self.lend(), saved.into())
    }

    /// Returns the paths of the lines that need an [`Engine`](crate::Engine), or run otherwise without one: external steps,
    /// and those that start or join a child execution. The keys of items and rounds are left out.
    pub fn lines_for_an_engine(&self) -> Vec<String> {
        let mut found = Vec::new();
        lines_for_an_engine(F::TABLE.nodes, "", &mut found);
        found
    }

    /// Sets how many executions of this flow an engine runs at once, at most; by default only the
    /// engine's own bound applies. Executions that wait for a timer, a poll, a retry or a signal do
    /// not count.
    #[must_use]
    pub fn concurrency(mut self, at_once: usize) -> Self {
        self.at_once = Some(at_once.max(1));
        self
    }

    /// Limits the flow over all processes that use the store: how many of its executions go on at once,
    /// also with one value of a label, and how many begin in a time. By default nothing is limited so.
    ///
    /// They are kept in the store, where they are set as the engine starts, and stay there when it has
    /// ended: to end them, serve the flow with [`FlowLimits::new()`]. If processes serve it with different
    /// limits, those of the one that was started last count; limits that were set
    /// [at run time](crate::engine::FlowHandle::limit) come before all of them.
    #[must_use]
    pub fn limits(mut self, limits: FlowLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Lets an engine take up executions of this flow that a newer form of it has begun, or gone on
    /// with, whose lines are others: they go on with the lines of this one. By default such an execution
    /// is left to a program of the newer form. This is for going back to an older version for good; each such execution is told
    /// of in the log.
    ///
    /// What has begun must still fit, as it must with any change of the program.
    #[must_use]
    pub fn take_newer(mut self) -> Self {
        self.takes_newer = true;
        self
    }

    pub(crate) fn takes_newer(&self) -> bool {
        self.takes_newer
    }

    pub(crate) fn at_once(&self) -> Option<usize> {
        self.at_once
    }

    pub(crate) fn flow_limits(&self) -> Option<&FlowLimits> {
        self.limits.as_ref()
    }

    pub(crate) fn lend(&self) -> F::Lent<'_> {
        F::lend(&self.owned)
    }
}

fn lines_for_an_engine(lines: &'static [Line], above: &str, found: &mut Vec<String>) {
    for line in lines {
        let mut path = above.to_owned();
        path::push(&mut path, line.name);
        match &line.work {
            Work::Step(meta) if meta.is_external() || meta.is_child() => found.push(path),
            Work::Match { arms, .. } => lines_for_an_engine(arms, &path, found),
            work => {
                for lines in work.groups() {
                    lines_for_an_engine(lines, &path, found);
                }
            }
        }
    }
}

/// The input of a flow, which is its parameters by value: `attach_volume::input(spec)`. For
/// [`With::run`] and an engine.
#[allow(missing_debug_implementations)]
pub struct Input<F: Flow> {
    value: F::Input,
}

impl<F: Flow> Input<F> {
    #[doc(hidden)]
    pub fn new(value: F::Input) -> Self {
        Self { value }
    }

    /// Reads an input from its saved form.
    ///
    /// # Errors
    ///
    /// If it has not the flow's parameters.
    pub fn from_json(saved: &Json) -> Result<Self, serde_json::Error> {
        F::load_input(saved).map(Self::new)
    }

    /// Returns the saved form: an object with a field for each parameter.
    ///
    /// ```
    /// use steps::{Input, prelude::*};
    ///
    /// #[flow]
    /// async fn add(a: u32, b: u32) -> Result<u32, String> {
    ///     steps! { let sum: u32 = a + b; }
    ///     Ok(sum)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let saved = add::input(1, 2).into_json()?;
    /// assert_eq!(saved.get(), r#"{"a":1,"b":2}"#);
    /// assert_eq!(add::with().run(Input::from_json(&saved)?).await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If a value can't be saved as JSON, or not be read back.
    pub fn into_json(self) -> Result<Json, serde_json::Error> {
        keep_input::<F>(&self.value).map(|(_, saved)| saved)
    }

    pub(crate) fn into_value(self) -> F::Input {
        self.value
    }

    pub(crate) fn value(&self) -> &F::Input {
        &self.value
    }
}

impl<'a, F: Flow> Nests<'a, F> for Run<'a, F> {
    fn into_parts(self) -> (F::Lent<'a>, F::Input) {
        Self::into_parts(self)
    }
}

/// What an engine serves: a flow [`With`] its resources.
#[diagnostic::on_unimplemented(
    message = "a flow is served with the resources that it is lent",
    label = "write `.serve(name_of_the_flow::with(…))`, or `with()` if it is lent nothing"
)]
pub trait Served {
    /// The flow.
    #[doc(hidden)]
    type Flow: Flow;
    /// The flow with its resources.
    #[doc(hidden)]
    fn into_with(self) -> With<Self::Flow>;
}

impl<F: Flow> Served for With<F> {
    type Flow = F;
    fn into_with(self) -> Self {
        self
    }
}

/// What an engine starts an execution with: the [`Input`] of a flow.
#[diagnostic::on_unimplemented(
    message = "an execution is started with a flow's input",
    label = "write `.start(name_of_the_flow::input(…))`, with what the flow takes by value"
)]
pub trait Starts {
    /// The flow.
    #[doc(hidden)]
    type Flow: Flow;
    /// The input.
    #[doc(hidden)]
    fn into_input(self) -> Input<Self::Flow>;
}

impl<F: Flow> Starts for Input<F> {
    type Flow = F;
    fn into_input(self) -> Self {
        self
    }
}
