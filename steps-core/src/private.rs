//! What generated code uses. Not for anyone else: it changes without notice.
#![allow(missing_docs)]

pub use core::{
    borrow::Borrow,
    clone::Clone,
    convert::{Infallible, Into},
    future::{Future, pending},
    marker::{PhantomData, Send},
    option::Option,
    result::Result,
    time::Duration,
    unreachable,
};
pub use std::{
    borrow::ToOwned,
    string::ToString,
    sync::{Arc, OnceLock},
    vec::Vec,
};

pub use serde_json::Error as JsonError;

use crate::scope::{Home, Keys, Slab};
pub use crate::{
    bind::{Bind, BindRef, Done, ToBind},
    callee::{NoArgs, NotAFlow, Nothing, StepOnly, Takes, flow_call, step_call},
    cell::{Branch, BranchCell, Cell, Each, Else, Group, LoopCell, Maybe, MaybeEach, Round, Then},
    cx::Cx,
    error::StepError,
    failure::Failure,
    flow::{Assemble, Flow, FlowCell, FlowProbe, NoFlowHandler, OnDone, OnFailed, Root},
    json::Json,
    list::{FlowValue, ListOwned, ListRef, LookOption, LookOwned, LookRef, Once, OnceAny, Source},
    resume::Run,
    returns::{
        HandlerReturn, PollReturn, StepReturn, before, blocking, ended, found, input_codec,
        load_field, load_fields, reads, save_fields, seen, seen_result,
    },
    scope::{
        BoxFuture, Enter, Entered, Frame, LoadError, MaybeSlot, Op, OpResult, Ops, Saved, Scope,
        Slots, drive, load, load_maybe,
    },
    step::{
        Attempt, Call, Codec, Handlers, NoHandler, Observe, Probe, Reversible, Step, Undo, Verify,
        codec, unsaved,
    },
    table::{
        InputField, Marks, Node, OnFailure, Policy, Poll, Retry, StepMeta, Table, Work,
        check_depth, fingerprint,
    },
    view::{ItemStates, Place, StepRef, StepState, View},
};

/// What entering a scope gives.
pub type EnterResult<'b> = Result<Entered<'b>, StepError>;

/// Boxes a future.
pub fn boxed<'b, T>(future: impl Future<Output = T> + Send + 'b) -> BoxFuture<'b, T> {
    Box::pin(future)
}

/// For a number that no step has: never called.
pub fn no_call<'b>() -> BoxFuture<'b, OpResult> {
    boxed(std::future::ready(Err(StepError::fatal(
        "there is no such step: this is a bug in `steps`, please report it",
    ))))
}

/// For a number that no group has: never called.
pub fn no_scope<'b>() -> EnterResult<'b> {
    Err(StepError::fatal(
        "there is no such group: this is a bug in `steps`, please report it",
    ))
}

/// For a pattern that matched when it was recorded and does not any more.
pub fn no_match<R: NoMatch>() -> R {
    R::no_match()
}

/// A result that can say that a recorded pattern does not match.
pub trait NoMatch {
    fn no_match() -> Self;
}
impl<T> NoMatch for Result<T, StepError> {
    fn no_match() -> Self {
        Err(StepError::fatal(
            "the recorded value does not match the pattern of its `if let` any more",
        ))
    }
}

/// For a scope that is no round.
pub fn no_until<F: ?Sized>(_: &F, _: &Cx) -> Result<bool, StepError> {
    Ok(true)
}

/// A frame as a scope.
pub fn frame<'b, P: ?Sized + Sync, T: Send + Sync + 'b, S: Slots, H: Home<S> + 'b>(
    up: &'b P,
    at: usize,
    item: T,
    slab: Slab<S>,
    home: H,
    ops: Ops<Frame<'b, P, T, S, H>>,
) -> Box<dyn Scope + 'b> {
    Box::new(Frame::new(up, at, item, slab, home, ops))
}

/// A group was entered.
pub fn entered<'b>(scope: Box<dyn Scope + 'b>) -> EnterResult<'b> {
    Ok(Entered {
        scope: Some(scope),
        input: None,
        decision: None,
        keys: None,
    })
}

/// A `for` was entered.
pub fn listed<'b>(
    scope: Box<dyn Scope + 'b>,
    input: Option<Json>,
    keys: Option<Keys>,
) -> EnterResult<'b> {
    Ok(Entered {
        scope: Some(scope),
        input,
        decision: None,
        keys,
    })
}

/// An `if` was entered, or led nowhere.
pub fn decided<'b>(
    scope: Option<Box<dyn Scope + 'b>>,
    input: Option<Json>,
    holds: bool,
) -> EnterResult<'b> {
    Ok(Entered {
        scope,
        input,
        decision: Some(holds),
        keys: None,
    })
}

/// The name a step is saved under: what its function says, or else the line's.
pub const fn saved_name(of: Option<&'static str>, line: &'static str) -> &'static str {
    match of {
        Some(name) => name,
        None => line,
    }
}

/// Checks that a step can be undone, or has nothing to undo.
pub const fn reversible<S: Reversible>() {}

/// The table of a flow that does not compile.
pub const BROKEN: &Table = &Table {
    name: "",
    aliases: &[],
    input: &[],
    output: "",
    nodes: &[],
    on_failure: OnFailure::Hold,
};

/// What only an editor looks at. It may not even parse, and the compiler parses what a `cfg` takes
/// out; but not a macro's arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __shown {
    ($($all:tt)*) => { $($all)* };
}
pub use crate::__shown as shown;
