//! The step of a `start` line: it starts a child execution, and its undo undoes that.

use std::{marker::PhantomData, time::Duration};

use jiff::Timestamp;

use super::{Child, inline};
use crate::{
    base::{
        duration::{AsDuration, DurationError},
        error::{StepError, caught},
        future::BoxFuture,
        json::Json,
    },
    language::{
        children::{ChildError, ChildRequest},
        codec::{Codec, codec},
        cx::Cx,
        flow::Flow,
        handlers::{Reversible, Undo},
        keep::Keep,
        misuse::NotAFlow,
        run_op::attempt,
        scope::OpResult,
        step::{About, Attempt, Call, Function, Step},
    },
    model::{
        policy::Policy,
        state::{Labels, StepKind, Until},
        typed::{Loops, StepRef},
    },
    run::with::Starts,
};

/// How long to wait before a store that could not be asked is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The step of a line `name = start flow(…);`. With `DETACHED`, its undo leaves the child.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct start_child<F, const DETACHED: bool> {
    flow: PhantomData<fn() -> F>,
}

/// The child that a `start` line starts, and the line's context.
#[allow(missing_debug_implementations)]
pub struct NewStart<'a, F: Flow> {
    pub(super) cx: &'a Cx,
    pub(super) input: F::Input,
    pub(super) id: Option<String>,
    pub(super) labels: Labels,
    priority: i32,
    pub(super) after: Option<Result<Duration, DurationError>>,
    at: Option<Timestamp>,
}

impl<F: Flow> start_child<F, false> {
    #[doc(hidden)]
    pub fn call<I: Starts<Flow = F>>(cx: &Cx, input: I) -> Call<'_, Self> {
        Call(NewStart {
            cx,
            input: input.into_input().into_value(),
            id: None,
            labels: Labels::new(),
            priority: 0,
            after: None,
            at: None,
        })
    }
}

impl<'a, F: Flow, const DETACHED: bool> Call<'a, start_child<F, DETACHED>> {
    /// Sets the child's id, by default a new `UUIDv7`: text of 1 to 255 bytes, with no control
    /// characters, that no other execution has. If one has it, the line fails.
    ///
    /// Where the line is done again after a rollback, the number of that follows the id, as in
    /// `bill-7~1`: the child of before keeps its own.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.0.id = Some(id.into());
        self
    }

    /// Adds a label: see [`Start::label`](crate::engine::Start::label).
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.labels.insert(name.into(), value.into());
        self
    }

    /// Starts the child not before this much time has passed since the line was done: a [`Duration`],
    /// or text such as `"2d"`.
    #[must_use]
    pub fn after(mut self, time: impl AsDuration) -> Self {
        self.0.after = Some(time.as_duration());
        self
    }

    /// Starts the child not before this time.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.0.at = Some(time);
        self
    }

    /// Sets the child's priority: see [`Start::priority`](crate::engine::Start::priority).
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.0.priority = priority;
        self
    }

    /// Leaves the child as it is when the line is undone. By default the child is undone, too.
    #[must_use]
    pub fn detached(self) -> Call<'a, start_child<F, true>> {
        Call(self.0)
    }
}

impl<F: Flow, const DETACHED: bool> Step for start_child<F, DETACHED> {
    type Function = Self;
}

impl<F: Flow, const DETACHED: bool> Function for start_child<F, DETACHED> {
    type Args<'a> = NewStart<'a, F>;
    type Output = Child<F>;
    type Error = std::convert::Infallible;
    type Ref<L: Loops> = StepRef<Child<F>>;
    type AsFlow = NotAFlow<Child<F>>;
    const ABOUT: About = About::plain("Child").kind(StepKind::Start);
    const CODEC: Codec<Child<F>> = codec::<Child<F>>();

    fn run<'a>(
        new: NewStart<'a, F>,
        cx: &'a Cx,
        _: Option<fn(&Self::Error) -> bool>,
        keep: Keep<'a, Child<F>>,
    ) -> BoxFuture<'a, OpResult> {
        attempt(keep, start(new, cx))
    }
}

/// Starts a child.
async fn start<F: Flow>(new: NewStart<'_, F>, cx: &Cx) -> Result<Attempt<Child<F>>, StepError> {
    let input = saved_input(&new)?;
    let id = new.id_now();
    let Some(engine) = cx.run_engine() else {
        return inline::start(new, id, cx).await;
    };
    let request = ChildRequest {
        id,
        flow: F::TABLE.name,
        input,
        begins: new.begins(cx)?,
        labels: new.labels,
        priority: new.priority,
    };
    match engine.admit(cx.execution(), cx.path(), request).await {
        Ok(child) => {
            let id = child.id.clone();
            cx.starts(child);
            Ok(Attempt::Done(Child::new(id, None)))
        }
        Err(ChildError::Later(why)) => Ok(Attempt::Wait(ask_again(cx, &why))),
        Err(ChildError::Never(error)) => Err(error),
    }
}

/// Returns when to ask the engine again, which could not be asked.
pub(super) fn ask_again(cx: &Cx, why: &str) -> Until {
    warn(cx, why);
    cx.pause(ASK_AGAIN)
}

fn warn(cx: &Cx, why: &str) {
    let (execution, path) = (cx.execution(), cx.path());
    tracing::warn!(
        execution,
        path,
        "a child execution can't be asked for: {why}"
    );
}

/// The error of a line about a child that an engine runs, in a run that none makes.
pub(super) fn no_engine<F: Flow>(child: &Child<F>) -> StepError {
    StepError::fatal(format!(
        "the child `{child}` is an execution of an engine, and this run is made by none"
    ))
}

fn saved_input<F: Flow>(new: &NewStart<'_, F>) -> Result<Json, StepError> {
    caught(|| F::save_input(&new.input))
        .map_err(|error| StepError::fatal(format!("its input can't be saved as JSON: {error}")))
}

impl<F: Flow> NewStart<'_, F> {
    /// Returns the id that the line gives, for this doing of it.
    fn id_now(&self) -> Option<String> {
        let id = self.id.as_ref()?;
        Some(match self.cx.generation() {
            0 => id.clone(),
            generation => format!("{id}~{generation}"),
        })
    }

    fn begins(&self, cx: &Cx) -> Result<Option<Timestamp>, StepError> {
        let after = match &self.after {
            None => None,
            Some(Ok(after)) => match cx.pause(*after) {
                Until::Time(time) => Some(time),
                Until::Signal | Until::Child | Until::Report => None,
            },
            Some(Err(error)) => return Err(StepError::fatal(error.clone())),
        };
        Ok(after.into_iter().chain(self.at).max())
    }
}

impl<F: Flow> Undo for start_child<F, false> {
    const POLICY: Policy = Policy::NONE;

    fn undo<'a>(
        _: NewStart<'a, F>,
        child: &'a Child<F>,
        _: Option<&'a Json>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            if child.state.is_some() {
                return inline::undo(child, cx).await;
            }
            let Some(engine) = cx.run_engine() else {
                return Err(no_engine(child));
            };
            cx.asks_for(child.id());
            match engine.take_back(child.id()).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(StepError::later(engine.asks_in_vain())),
                Err(ChildError::Later(why)) => {
                    warn(cx, &why);
                    Err(StepError::later(ASK_AGAIN))
                }
                Err(ChildError::Never(error)) => Err(error),
            }
        })
    }
}

impl<F: Flow> Reversible for start_child<F, true> {}
