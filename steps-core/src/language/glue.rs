//! Small functions that generated code calls, which keep the generated code small.
#![allow(missing_docs)]

use std::future::Future;

use super::{
    cx::Cx,
    frame::{Frame, Home, Ops, Slab, Slots},
    handlers::{Reversible, ReversibleFlow},
    scope::{Entered, Keys, OpResult, Scope},
    step::{Step, about},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    model::table::{FlowHandlers, OnFailure, Table, Way},
};

/// The result of entering a scope.
pub type EnterResult<'b> = Result<Entered<'b>, StepError>;

/// Boxes a future.
pub fn boxed<'b, T>(future: impl Future<Output = T> + Send + 'b) -> BoxFuture<'b, T> {
    Box::pin(future)
}

/// For a number that no step has. It is never called.
pub fn no_call<'b>() -> BoxFuture<'b, OpResult> {
    boxed(std::future::ready(Err(StepError::fatal(
        "there is no such step: this is a bug in `steps`, please report it",
    ))))
}

/// For a number that no group has. It is never called.
pub fn no_scope<'b>() -> EnterResult<'b> {
    Err(StepError::fatal(
        "there is no such group: this is a bug in `steps`, please report it",
    ))
}

/// For a pattern that matched when it was recorded and no longer matches.
pub fn no_match<R: NoMatch>() -> R {
    R::no_match()
}

/// A result that can report that a recorded pattern no longer matches.
pub trait NoMatch {
    fn no_match() -> Self;
}

impl<T, E: FromNoMatch> NoMatch for Result<T, E> {
    fn no_match() -> Self {
        Err(E::from_no_match(StepError::fatal(
            "the recorded value does not match the pattern of its `if let` any more",
        )))
    }
}

impl<'a, R: NoMatch + Send + 'a> NoMatch for BoxFuture<'a, R> {
    fn no_match() -> Self {
        Box::pin(std::future::ready(R::no_match()))
    }
}

/// An error that can report it.
pub trait FromNoMatch {
    fn from_no_match(error: StepError) -> Self;
}

impl FromNoMatch for StepError {
    fn from_no_match(error: StepError) -> Self {
        error
    }
}

/// For a scope that is not a round.
pub fn no_until<F: ?Sized>(_: &F, _: &Cx) -> Result<bool, StepError> {
    Ok(true)
}

/// Returns a frame as a scope.
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

/// Returns the result of entering a group.
pub fn entered<'b>(scope: Box<dyn Scope + 'b>) -> EnterResult<'b> {
    Ok(Entered {
        scope: Some(scope),
        input: None,
        way: Way::default(),
        keys: None,
        at_once: None,
    })
}

/// Returns the result of entering a `for`.
pub fn listed<'b>(
    scope: Box<dyn Scope + 'b>,
    input: Option<Json>,
    keys: Option<Keys>,
) -> EnterResult<'b> {
    Ok(Entered {
        scope: Some(scope),
        input,
        way: Way::default(),
        keys,
        at_once: None,
    })
}

/// Returns the result of entering an `if`, whether or not one of its groups runs.
pub fn decided<'b>(
    scope: Option<Box<dyn Scope + 'b>>,
    input: Option<Json>,
    holds: bool,
) -> EnterResult<'b> {
    Ok(Entered {
        scope,
        input,
        way: Way {
            branch: Some(holds),
            arm: None,
        },
        keys: None,
        at_once: None,
    })
}

/// Returns the result of entering a `match` whose arm of this number is taken.
pub fn matched<'b>(scope: Box<dyn Scope + 'b>, input: Option<Json>, arm: usize) -> EnterResult<'b> {
    Ok(Entered {
        scope: Some(scope),
        input,
        way: Way {
            branch: None,
            arm: Some(arm),
        },
        keys: None,
        at_once: None,
    })
}

/// Returns the name under which a step is saved: the name in the function's attribute, or else the
/// line's.
pub const fn saved_name<S: Step>(line: &'static str) -> &'static str {
    match about::<S>().name {
        Some(name) => name,
        None => line,
    }
}

/// Returns the other names under which a step may be saved.
pub const fn saved_aliases<S: Step>() -> &'static [&'static str] {
    about::<S>().aliases
}

/// Returns the bound of a `loop`.
///
/// # Panics
///
/// Panics at compile time if it is 0.
pub const fn most_rounds(max: u32) -> u32 {
    assert!(max > 0, "`max 0` would run nothing: give 1 or more");
    max
}

/// Returns how many items of a `for` run at once.
///
/// # Panics
///
/// Panics at compile time if it is 0.
pub const fn items_at_once(most: usize) -> usize {
    assert!(
        most > 0,
        "`parallel(0)` would run nothing: give 1 or more, or leave the number out"
    );
    most
}

/// Checks at compile time that a step can be undone or has nothing to undo.
pub const fn reversible<S: Reversible>() {}

/// Checks at compile time that a nested flow can be undone as a whole.
pub const fn reversible_flow<F: ReversibleFlow>() {}

/// The table of a flow that does not compile.
pub const BROKEN: &Table = &Table {
    name: "",
    aliases: &[],
    input: &[],
    output: "",
    check: |_| Ok(()),
    schema: None,
    nodes: &[],
    on_failure: OnFailure::Hold,
    deadline: None,
    handlers: FlowHandlers::NONE,
};
