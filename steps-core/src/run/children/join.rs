//! The step of a `join` line: it waits for a child execution, and gives its output.

use std::marker::PhantomData;

use super::{
    Child, inline,
    start::{ask_again, no_engine},
};
use crate::{
    base::{
        error::{StepError, caught},
        future::BoxFuture,
        json::Json,
    },
    language::{
        builtin::WAIT,
        children::{ChildEnd, ChildError},
        codec::Codec,
        cx::Cx,
        flow::Flow,
        handlers::Reversible,
        keep::Keep,
        misuse::NotAFlow,
        run_op::attempt,
        scope::OpResult,
        step::{About, Attempt, Call, Function, Step},
    },
    model::{
        state::{StepKind, Until},
        typed::{Loops, StepRef},
    },
};

/// The step of a line `name = join child;`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct join_child<F> {
    flow: PhantomData<fn() -> F>,
}

/// What a `join` line may name: a child of the flow `F`.
#[diagnostic::on_unimplemented(
    message = "`join` takes a child of this flow, and this is a `{Self}`",
    label = "not a child of the flow",
    note = "a child is what `name = start flow(…);` gives: then `join name;` waits for it"
)]
pub trait IsChild<F: Flow> {
    /// Returns the child.
    fn child(&self) -> &Child<F>;
}

impl<F: Flow> IsChild<F> for Child<F> {
    fn child(&self) -> &Child<F> {
        self
    }
}

impl<F: Flow, C: IsChild<F> + ?Sized> IsChild<F> for &C {
    fn child(&self) -> &Child<F> {
        (**self).child()
    }
}

impl<F: Flow> join_child<F> {
    #[doc(hidden)]
    pub fn call<'a, C: IsChild<F> + ?Sized>(child: &C) -> Call<'a, Self> {
        Call(child.child().clone())
    }
}

impl<F: Flow> Step for join_child<F> {
    type Function = Self;
}

impl<F: Flow> Function for join_child<F> {
    type Args<'a> = Child<F>;
    type Output = F::Output;
    type Error = std::convert::Infallible;
    type Ref<L: Loops> = StepRef<F::Output>;
    type AsFlow = NotAFlow<F::Output>;
    const ABOUT: About = About::plain(F::OUTPUT_TEXT)
        .policy(WAIT)
        .kind(StepKind::Join);
    const CODEC: Codec<F::Output> = F::OUTPUT;

    fn run<'a>(
        child: Child<F>,
        cx: &'a Cx,
        _: Option<fn(&Self::Error) -> bool>,
        keep: Keep<'a, F::Output>,
    ) -> BoxFuture<'a, OpResult> {
        attempt(keep, async move {
            // So it is recorded whose end the line waits for, and whose failure is its own.
            cx.asks_for(child.id());
            let end = match (&child.state, cx.run_engine()) {
                (Some(state), _) => inline::end_of::<F>(&child, state)?,
                (None, None) => return Err(no_engine(&child)),
                (None, Some(engine)) => match engine.end_of(cx.execution(), child.id()).await {
                    Ok(Some(end)) => end,
                    Ok(None) => return Ok(Attempt::Wait(Until::Child)),
                    Err(ChildError::Later(why)) => {
                        return Ok(Attempt::Wait(ask_again(cx, &why)));
                    }
                    Err(ChildError::Never(error)) => return Err(error),
                },
            };
            match end {
                ChildEnd::Done(output) => {
                    let text = output.as_ref().map_or("null", Json::get);
                    let output = caught(|| (F::OUTPUT.decode)(text)).map_err(|error| {
                        StepError::fatal(format!(
                            "the output of the child `{child}` can't be read: {error}"
                        ))
                    })?;
                    Ok(Attempt::Done(output))
                }
                ChildEnd::NotDone(failed) => Err(StepError::fatal(failed)),
            }
        })
    }
}

impl<F: Flow> Reversible for join_child<F> {}
