//! The paths of references: constants, also where a flow is nested in another one.
//!
//! The macro of a flow knows the names of its own lines. Where the flow stands is a type, [`Within`],
//! which each flow's references are generic over: the root, or a line of another flow.

use std::fmt;

use crate::model::{signal::push_any, state::path};

/// In the place of a name: the key of a `for` or the round of a `loop`. No name has a NUL.
const KEY: &str = "\0";

/// The path of a line, from the root.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct RefPath {
    above: Option<&'static RefPath>,
    own: &'static [&'static str],
}

impl RefPath {
    /// The path of a key.
    pub const KEY: &'static str = KEY;

    const ROOT: Self = Self {
        above: None,
        own: &[],
    };

    /// Returns the path of a line, given that of its flow.
    pub const fn new(above: &'static Self, own: &'static [&'static str]) -> Self {
        Self {
            above: Some(above),
            own,
        }
    }

    fn collect(&self, names: &mut Vec<Name>) {
        if let Some(above) = self.above {
            above.collect(names);
        }
        names.extend(self.own.iter().map(|name| match *name {
            KEY => Name::Open,
            name => Name::Is(name.to_owned()),
        }));
    }

    /// Returns the path with its keys to be filled in.
    pub(super) fn keyed(&self) -> Keyed {
        let mut names = Vec::new();
        self.collect(&mut names);
        Keyed(names)
    }

    pub(super) fn text(&self) -> String {
        self.keyed().text()
    }

    /// Returns the path of a node that only an execution's own input tells, below this one.
    pub(super) fn with(&self, names: Vec<String>) -> Keyed {
        let mut path = self.keyed();
        path.0.extend(names.into_iter().map(Name::Is));
        path
    }

    pub(super) const fn root() -> Self {
        Self::ROOT
    }
}

#[derive(Clone, Debug)]
enum Name {
    Is(String),
    /// Any key.
    Any,
    /// A key that was not filled in.
    Open,
}

/// A path whose keys are filled in one after the other.
#[derive(Clone, Debug)]
pub(super) struct Keyed(Vec<Name>);

impl Keyed {
    /// Fills in the next key; `None` is any.
    pub(super) fn fill(&mut self, key: Option<String>) {
        let mut names = self.0.iter_mut();
        if let Some(place) = names.find(|name| matches!(name, Name::Open)) {
            *place = key.map_or(Name::Any, Name::Is);
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for name in &self.0 {
            match name {
                Name::Is(name) => path::push(&mut text, name),
                Name::Any | Name::Open => push_any(&mut text),
            }
        }
        text
    }
}

/// Where a flow stands: at the root, or in a line of another flow.
#[doc(hidden)]
pub trait Within: Copy + fmt::Debug + 'static {
    /// The `for`s and `loop`s around it.
    type Loops: Loops;
    /// The path of the line.
    const PATH: &'static RefPath;
}

/// The place of a flow that is started for itself.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AtRoot;

impl Within for AtRoot {
    type Loops = NotInLoop;
    const PATH: &'static RefPath = &RefPath::ROOT;
}

/// How many `for`s and `loop`s a step is in: [`NotInLoop`], or [`InLoop`] of as many as are around
/// that one.
#[doc(hidden)]
pub trait Loops: Copy + fmt::Debug + 'static {}

/// The mark of a reference to a signal that is in no `for` and no `loop`, or whose keys are all
/// given.
#[derive(Clone, Copy, Debug)]
pub struct NotInLoop;

/// The mark of a reference to a signal in a `for` or a `loop` whose key is not given yet.
#[derive(Clone, Copy, Debug)]
pub struct InLoop<L = NotInLoop>(std::marker::PhantomData<L>);

impl Loops for NotInLoop {}
impl<L: Loops> Loops for InLoop<L> {}

/// The references to the steps of a stand-in for a flow: none.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NoSteps;

impl NoSteps {
    pub const REFS: Self = Self;
}
