//! The types of what a `for` and an `if let` record, for the static table.
//!
//! Only the compiler knows them, and only where the expression stands. So the macro writes the
//! expression again into a function that is never called, and takes the type from what it returns.

use std::{any::type_name, fmt, marker::PhantomData};

use super::{FlowValue, Held, HeldOption, List, Recorded};
use crate::{
    base::{
        error::{StepError, caught},
        json,
    },
    language::{
        cx::Cx,
        frame::{Frame, Home, Ops, Slab, Slots},
        glue::{no_call, no_scope, no_until},
    },
    model::table::{Recording, Way},
};

/// What an expression gave, to ask for its type.
#[derive(Debug)]
pub struct Got<'a, H>(pub &'a H);

/// A type that holds what an expression gave, and how it is read back.
#[derive(Debug)]
pub struct Of<H, R>(PhantomData<fn() -> (H, R)>);

/// Of a value that is read back from its record.
#[derive(Debug)]
pub struct FromRecord;

/// Of groups' values, of which only the number is recorded.
#[derive(Debug)]
pub struct FromGroups;

/// Of a group's value that an `if let` matches: nothing is recorded.
#[derive(Debug)]
pub struct Unrecorded;

/// How an `H` is read back.
pub trait ReadBack<H> {
    /// Reads what was recorded; `None` if that does not tell the value.
    fn read(saved: &str) -> Result<Option<H>, serde_json::Error>;
    /// The name of the type.
    fn type_name() -> &'static str;
}

impl<T: Recorded> ReadBack<List<'static, T>> for FromRecord {
    fn read(saved: &str) -> Result<Option<List<'static, T>>, serde_json::Error> {
        json::read(saved).map(|items| Some(List::Own(items)))
    }
    fn type_name() -> &'static str {
        type_name::<T>()
    }
}

impl<T: Recorded> ReadBack<Held<'static, T>> for FromRecord {
    fn read(saved: &str) -> Result<Option<Held<'static, T>>, serde_json::Error> {
        json::read(saved).map(|value| Some(Held::Own(value)))
    }
    fn type_name() -> &'static str {
        type_name::<T>()
    }
}

impl<T: Recorded> ReadBack<HeldOption<'static, T>> for FromRecord {
    fn read(saved: &str) -> Result<Option<HeldOption<'static, T>>, serde_json::Error> {
        json::read(saved).map(|value| Some(HeldOption::Own(value)))
    }
    fn type_name() -> &'static str {
        type_name::<Option<T>>()
    }
}

impl<T: FlowValue> ReadBack<List<'static, T>> for FromGroups {
    fn read(saved: &str) -> Result<Option<List<'static, T>>, serde_json::Error> {
        // Only their number is recorded.
        json::read::<Vec<()>>(saved).map(|_| None)
    }
    fn type_name() -> &'static str {
        "()"
    }
}

impl<H> ReadBack<H> for Unrecorded {
    fn read(_: &str) -> Result<Option<H>, serde_json::Error> {
        Ok(None)
    }
    fn type_name() -> &'static str {
        "()"
    }
}

// As for `look` and `list`, inherent methods come before a trait's.

impl<T: FlowValue> Got<'_, List<'_, T>> {
    /// Returns the type.
    pub fn of(self) -> Of<List<'static, T>, FromGroups> {
        Of(PhantomData)
    }
}

impl<T: FlowValue> Got<'_, Held<'_, T>> {
    /// Returns the type.
    pub fn of(self) -> Of<Held<'static, T>, Unrecorded> {
        Of(PhantomData)
    }
}

impl<T: FlowValue> Got<'_, HeldOption<'_, T>> {
    /// Returns the type.
    pub fn of(self) -> Of<HeldOption<'static, T>, Unrecorded> {
        Of(PhantomData)
    }
}

/// `of` for values that are recorded.
pub trait GotRecorded {
    /// The type that holds the value.
    type Held;
    /// Returns the type.
    fn of(self) -> Of<Self::Held, FromRecord>;
}

impl<T: Recorded> GotRecorded for Got<'_, List<'_, T>> {
    type Held = List<'static, T>;
    fn of(self) -> Of<Self::Held, FromRecord> {
        Of(PhantomData)
    }
}

impl<T: Recorded> GotRecorded for Got<'_, Held<'_, T>> {
    type Held = Held<'static, T>;
    fn of(self) -> Of<Self::Held, FromRecord> {
        Of(PhantomData)
    }
}

impl<T: Recorded> GotRecorded for Got<'_, HeldOption<'_, T>> {
    type Held = HeldOption<'static, T>;
    fn of(self) -> Of<Self::Held, FromRecord> {
        Of(PhantomData)
    }
}

/// `of` for any other value, which is an error already where it is to be recorded. A method by reference
/// comes last.
pub trait GotOther {
    /// The type that holds the value.
    type Held;
    /// Returns the type.
    fn of(&self) -> Of<Self::Held, Unrecorded>;
}

impl<T: 'static> GotOther for Got<'_, List<'_, T>> {
    type Held = List<'static, T>;
    fn of(&self) -> Of<Self::Held, Unrecorded> {
        Of(PhantomData)
    }
}

impl<T: 'static> GotOther for Got<'_, Held<'_, T>> {
    type Held = Held<'static, T>;
    fn of(&self) -> Of<Self::Held, Unrecorded> {
        Of(PhantomData)
    }
}

impl<T: 'static> GotOther for Got<'_, HeldOption<'_, T>> {
    type Held = HeldOption<'static, T>;
    fn of(&self) -> Of<Self::Held, Unrecorded> {
        Of(PhantomData)
    }
}

/// What a line records: it is held by an `H`, which `M` matches with the pattern of an `if let`, or of the
/// arm of a `match` with this number.
#[allow(missing_debug_implementations)]
pub struct LineRecording<H, R, M> {
    matches: M,
    of: PhantomData<fn() -> (H, R)>,
}

/// Returns what a line in the scope of an `F` records. The first function is never called: it only
/// has a type.
pub const fn recording<F: ?Sized, H, R, P, M>(_: P, matches: M) -> LineRecording<H, R, M>
where
    P: Fn(&F, usize, &Cx) -> Result<Of<H, R>, StepError> + Copy,
    M: Fn(&H, usize) -> bool + Copy,
{
    LineRecording {
        matches,
        of: PhantomData,
    }
}

impl<H, R, M> fmt::Debug for LineRecording<H, R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineRecording")
    }
}

impl<H, R: ReadBack<H>, M: Fn(&H, usize) -> bool + Sync> Recording for LineRecording<H, R, M> {
    fn check(&self, saved: &str, way: Way) -> Result<(), String> {
        let arm = way.arm.unwrap_or_default();
        let holds = caught(|| Ok(R::read(saved)?.map(|held| (self.matches)(&held, arm))))
            .map_err(|error: serde_json::Error| error.to_string())?;
        match (holds, way.branch.or(way.arm.map(|_| true))) {
            (Some(true), Some(false)) => Err("it matches the pattern now, and did not".to_owned()),
            (Some(false), Some(true)) => Err("it does not match the pattern any more".to_owned()),
            _ => Ok(()),
        }
    }

    fn type_name(&self) -> &'static str {
        R::type_name()
    }
}

/// Returns a frame that has the right type, and calls nothing.
pub fn typed_frame<P: ?Sized, T, S: Slots, H: Home<S>>(
    up: &P,
    at: usize,
    item: T,
    slab: Slab<S>,
    home: H,
) -> Frame<'_, P, T, S, H> {
    let ops = Ops {
        call: |_, _, _, _, _| no_call(),
        enter: |_, _, _, _, _| no_scope(),
        until: no_until,
    };
    Frame::new(up, at, item, slab, home, ops)
}
