//! Types and traits with which a wrong call in a line of a flow is one compile error, at the call.
//!
//! A flow also implements [`Step`], and a step names a stand-in flow ([`NotAFlow`]). So the tables
//! and types of a line are well-formed whether it calls a step or a flow, and only the call itself
//! is an error.

use std::marker::PhantomData;

use super::{
    codec::{Codec, unsaved},
    cx::Cx,
    flow::{Flow, HasTable, Root},
    frame::Slots,
    glue::{BROKEN, EnterResult, no_call, no_scope},
    handlers::ReversibleFlow,
    scope::{Enter, LoadError, Op, OpResult, Saved},
    step::{Call, Step, about},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    model::{
        failure::Failure,
        state::StepKind,
        table::Table,
        typed::{NoSteps, Place, View, Within},
    },
};

/// The type that a call of a step evaluates to.
#[diagnostic::on_unimplemented(
    message = "this is a flow, not a step",
    label = "a flow is called with the word `flow` before it: `name = flow …(…);`"
)]
pub trait Calls<'a, S: Step> {
    /// Returns the call.
    fn into_call(self) -> Call<'a, S>;
}

impl<'a, S: Step> Calls<'a, S> for Call<'a, S> {
    #[inline]
    fn into_call(self) -> Self {
        self
    }
}

/// Returns the call of a step.
#[inline]
pub fn step_call<'a, S: Step, C: Calls<'a, S>>(call: C) -> Call<'a, S> {
    call.into_call()
}

/// The type that a call of a flow evaluates to.
#[diagnostic::on_unimplemented(
    message = "this is a step, not a flow",
    label = "a step is called without the word `flow`"
)]
pub trait Nests<'a, F: Flow> {
    /// Returns the lent parameters and the input.
    fn into_parts(self) -> (F::Lent<'a>, F::Input);
}

/// Returns the lent parameters and the input of a nested flow.
pub fn flow_call<'a, F: Flow, C: Nests<'a, F>>(call: C) -> (F::Lent<'a>, F::Input) {
    call.into_parts()
}

/// What `start` finds at a step in the place of a flow's `input`. The compiler names the type of the
/// constant: its name is the message.
pub trait NotStarted: Sized {
    /// Not a function.
    #[allow(non_upper_case_globals)]
    const input: A_FLOW_AFTER_start_AND_A_STEP_WITHOUT_THAT_WORD =
        A_FLOW_AFTER_start_AND_A_STEP_WITHOUT_THAT_WORD;
}
impl<T> NotStarted for T {}

/// The type of [`NotStarted::input`].
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct A_FLOW_AFTER_start_AND_A_STEP_WITHOUT_THAT_WORD;

/// Implemented by the [`AsFlow`](super::step::AsFlow) of steps. Only steps have handlers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a flow, not a step",
    label = "handlers of this kind are for steps; a flow has `#[on_done]`, `#[on_failed]` and `#[on_stopped]`, and is undone step by step"
)]
pub trait StepOnly {}
impl<T> StepOnly for NotAFlow<T> {}

#[diagnostic::do_not_recommend]
impl<T> ReversibleFlow for NotAFlow<T> {}

/// A step whose attempts have a policy: a function marked `#[step]`, and not one of ours.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no `retry`, `timeout` or `poll`",
    label = "this does nothing here: take it away",
    note = "a `sleep` takes its duration as an argument, `sleep(duration)`, and never fails",
    note = "a signal waits until it is given, or as long as `.within(…)` says"
)]
pub trait HasPolicy {}

/// Whether a step has a policy, asked at each option of a line's `#[step(…)]`.
pub const fn has_policy<S: HasPolicy>() {}

/// Reports, at compile time, a text that is no duration where a sleep takes one. A step of the user's
/// that is called `sleep` may take any text.
pub const fn no_duration<S: Step>(why: &str) {
    if let Some(StepKind::Sleep) = about::<S>().kind {
        panic!("{}", why);
    }
}

/// The stand-in for a step where a flow is needed.
#[derive(Debug)]
pub struct NotAFlow<T>(PhantomData<fn() -> T>);

/// The slots and the fields of the stand-in flow.
#[derive(Clone, Debug, Default)]
pub struct Nothing;

impl Slots for Nothing {
    type Value = ();
    fn load(&self, _: usize, _: Saved<'_>) -> Result<(), LoadError> {
        Ok(())
    }
    fn close(self) -> Option<()> {
        None
    }
}

impl View for Nothing {
    fn view(_: Place) -> Self {
        Self
    }
}

impl<T> HasTable for NotAFlow<T> {
    const TABLE: &'static Table = BROKEN;
}

impl<T: Send + Sync + 'static> Flow for NotAFlow<T> {
    type Lent<'a> = ();
    type Owned = ();
    type Input = ();
    type Output = T;
    type Slots = Nothing;
    type Fields = Nothing;
    type Steps<P: Within> = NoSteps;
    const TABLE: &'static Table = BROKEN;
    const FINGERPRINT: u64 = 0;
    const OUTPUT: Codec<T> = unsaved();
    fn shorten<'short, 'long: 'short>((): Self::Lent<'long>) -> Self::Lent<'short> {}
    fn lend((): &()) -> Self::Lent<'_> {}
    fn save_input((): &()) -> Result<Json, serde_json::Error> {
        Json::encode(&())
    }
    fn load_input(_: &Json) -> Result<(), serde_json::Error> {
        Ok(())
    }
    fn call<'b>(_: &'b Root<'_, Self>, _: usize, _: Op<'b>, _: &'b Cx) -> BoxFuture<'b, OpResult> {
        no_call()
    }
    fn enter<'b>(_: &'b Root<'_, Self>, _: usize, _: Enter<'b>, _: &'b Cx) -> EnterResult<'b> {
        no_scope()
    }
    fn finish((): Self::Lent<'_>, (): (), _: Nothing) -> BoxFuture<'_, Result<T, StepError>> {
        Box::pin(std::future::ready(Err(StepError::fatal("not a flow"))))
    }
    fn on_done<'b>(
        (): Self::Lent<'b>,
        (): &'b (),
        _: &'b T,
    ) -> Option<BoxFuture<'b, Result<(), StepError>>> {
        None
    }
    fn on_stopped<'b>(
        (): Self::Lent<'b>,
        (): &'b (),
        _: &'b Failure,
    ) -> Option<BoxFuture<'b, Result<(), StepError>>> {
        None
    }
    fn on_failed<'b>(
        (): Self::Lent<'b>,
        (): &'b (),
        _: &'b Failure,
    ) -> Option<BoxFuture<'b, Result<(), StepError>>> {
        None
    }
}

/// The parameters of a step or a flow. `N` is their number, at most 32: the macros of handlers say so.
#[diagnostic::on_unimplemented(
    message = "the wrong number of parameters: first come those of what this belongs to, `{Self}`",
    label = "this handler takes {N} in their place",
    note = "after them an `#[undo]` and an `#[on_done]` take one more, `output: &Output`, an `#[on_failed]` and an `#[on_stopped]` `failure: &Failure`; `#[undo(…, before)]` takes what was seen after that, an `#[on_check_in]` the message; a `#[verify]`, an `#[observe]` and a `#[stop]` take nothing more"
)]
pub trait Takes<const N: usize> {
    /// The parameters as a tuple.
    type Parts;
    /// What the handler takes after them, of type `T`. Where the number is wrong this is no type, and
    /// so no second error.
    type Then<T>;
    /// Returns the parameters, and what comes after them.
    fn apart<T>(self, then: T) -> (Self::Parts, Self::Then<T>);
}

/// The parameters of a flow where a step is needed: none, but any number is accepted, so that a
/// step's handler on a flow is only one error.
#[derive(Debug)]
pub struct NoArgs;

/// The parameters for a handler of what is no flow: a flow's type has a function of its own of this
/// name, which comes first.
pub trait NoParams: Sized {
    /// Never called.
    fn __params<L, I>(_: L, _: I) -> NoArgs {
        unreachable!("only flows have handlers of flows")
    }
}
impl<T> NoParams for T {}

/// Names the type `!`, which coerces to any other.
#[allow(unreachable_pub)]
pub trait Gives {
    /// The return type of the function.
    type Given;
}
impl<T> Gives for fn() -> T {
    type Given = T;
}
macro_rules! never {
    ($any:ident) => {
        <fn() -> ! as Gives>::Given
    };
}

macro_rules! takes {
    ($($count:literal: $($all:ident)*;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($all),*> Takes<$count> for ($($all,)*) {
            type Parts = Self;
            type Then<T> = T;
            #[inline]
            fn apart<T>(self, then: T) -> (Self, T) {
                (self, then)
            }
        }
        #[diagnostic::do_not_recommend]
        impl Takes<$count> for NoArgs {
            type Parts = ($(never!($all),)*);
            type Then<T> = T;
            fn apart<T>(self, _: T) -> (Self::Parts, T) {
                unreachable!("a flow has no handlers of steps")
            }
        }
    )*};
}
takes! {
    0: ;
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
    7: A B C D E F G;
    8: A B C D E F G H;
    9: A B C D E F G H I;
    10: A B C D E F G H I J;
    11: A B C D E F G H I J K;
    12: A B C D E F G H I J K L;
    13: A B C D E F G H I J K L M;
    14: A B C D E F G H I J K L M N;
    15: A B C D E F G H I J K L M N O;
    16: A B C D E F G H I J K L M N O P;
    17: A B C D E F G H I J K L M N O P Q;
    18: A B C D E F G H I J K L M N O P Q R;
    19: A B C D E F G H I J K L M N O P Q R S;
    20: A B C D E F G H I J K L M N O P Q R S T1;
    21: A B C D E F G H I J K L M N O P Q R S T1 U;
    22: A B C D E F G H I J K L M N O P Q R S T1 U V;
    23: A B C D E F G H I J K L M N O P Q R S T1 U V W;
    24: A B C D E F G H I J K L M N O P Q R S T1 U V W X;
    25: A B C D E F G H I J K L M N O P Q R S T1 U V W X Y;
    26: A B C D E F G H I J K L M N O P Q R S T1 U V W X Y Z;
    27: A B C D E F G H I J K L M N O P Q R S T1 U V W X Y Z A1;
    28: A B C D E F G H I J K L M N O P Q R S T1 U V W X Y Z A1 B1;
    29: A B C D E F G H I J K L M N O P Q R S T1 U V W X Y Z A1 B1 C1;
    30: A B C D E F G H I J K L M N O P Q R S T1 U V W X Y Z A1 B1 C1 D1;
    31: A B C D E F G H I J K L M N O P Q R S T1 U V W X Y Z A1 B1 C1 D1 E1;
    32: A B C D E F G H I J K L M N O P Q R S T1 U V W X Y Z A1 B1 C1 D1 E1 F1;
}
