//! Small functions that generated code calls, so that what is generated stays small.
#![allow(missing_docs)]

use std::future::Future;

use super::{
    cx::Cx,
    frame::{Frame, Home, Ops, Slab, Slots},
    handlers::Reversible,
    scope::{Entered, Keys, OpResult, Scope},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    model::table::{OnFailure, Table},
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
