//! Enters the scope of a line with its recorded values, for forward passes, restoring and rollback.

use super::{
    Kept, Pass,
    records::{Id, ROOT},
    user_code::call,
};
use crate::{
    base::{
        error::{JournalError, StepError},
        json::Json,
    },
    language::{
        cx::Cx,
        scope::{Enter, Entered, Scope},
    },
    model::table::{Way, Work},
};

/// A line, in its scope.
#[derive(Clone, Copy)]
pub(super) struct At<'s> {
    pub(super) scope: &'s dyn Scope,
    pub(super) item: usize,
    pub(super) line: usize,
}

/// Which slots a scope begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slots {
    /// The slots that an earlier pass left, if any.
    Kept,
    /// Empty slots.
    Fresh,
}

/// The values that a scope is entered with. The scope borrows from them.
pub(super) struct Entry {
    id: Id,
    cx: Cx,
    input: Option<Json>,
    way: Way,
    slots: Slots,
    /// For a round of a `loop`: whether it is the first.
    first: bool,
}

impl Pass<'_> {
    /// Prepares to enter the group at `id`, with its recorded input and decision.
    pub(super) fn entry(self, work: &Work, id: Id, slots: Slots) -> Entry {
        let way = work.way(self.run.records()[id].cold());
        Entry {
            way,
            ..self.open_entry(id, slots)
        }
    }

    /// The same, for a group that decides nothing.
    pub(super) fn open_entry(self, id: Id, slots: Slots) -> Entry {
        let input = self.run.records()[id].cold().input.clone();
        Entry {
            id,
            input,
            way: Way::default(),
            cx: self.cx(id, 1),
            slots,
            first: false,
        }
    }

    /// Prepares to enter the round at `id`, which evaluates nothing. With `first`, the round has no
    /// previous round, whatever an earlier pass left.
    pub(super) fn round_entry(self, id: Id, slots: Slots, first: bool) -> Entry {
        Entry {
            id,
            input: None,
            way: Way::default(),
            cx: self.cx(id, 1),
            slots,
            first,
        }
    }
}

impl Entry {
    /// Enters the scope.
    pub(super) fn enter<'b>(&'b self, at: At<'b>) -> Result<Entered<'b>, StepError> {
        let how = Enter {
            input: self.input.as_ref(),
            way: self.way,
            fresh: self.slots == Slots::Fresh,
            first: self.first,
        };
        call(|| at.scope.enter(at.item, at.line, how, &self.cx))
    }

    /// Enters the scope. `None` if an `if` takes no branch.
    pub(super) fn scope<'b>(&'b self, at: At<'b>) -> OrStop<Option<Box<dyn Scope + 'b>>> {
        match self.enter(at) {
            Ok(entered) => Ok(entered.scope),
            Err(error) => Err(Stop::Node(self.id, error)),
        }
    }

    /// Returns the context for the expressions that the scope evaluates.
    pub(super) fn cx(&self) -> &Cx {
        &self.cx
    }
}

/// The flow of an execution, as the interpreter sees it.
pub(crate) trait RootFlow: Sync {
    /// Enters the flow's scope.
    fn enter<'b>(&'b self, how: Enter<'b>) -> Result<Entered<'b>, StepError>;
    /// Loads the saved output.
    fn load(&self, output: Option<&Json>) -> Result<(), StepError>;
}

/// What the flow's own scope is entered with: it borrows from this.
pub(super) struct RootEntry {
    input: Option<Json>,
    slots: Slots,
}

impl Pass<'_> {
    /// Entering the flow itself, with the input that is recorded.
    pub(super) fn root_entry(self, slots: Slots) -> RootEntry {
        let input = self.run.records()[ROOT].cold().input.clone();
        RootEntry { input, slots }
    }
}

impl RootEntry {
    /// Enters the flow's scope.
    pub(super) fn enter<'b>(&'b self, flow: &'b dyn RootFlow) -> Result<Entered<'b>, StepError> {
        call(|| {
            flow.enter(Enter {
                input: self.input.as_ref(),
                fresh: self.slots == Slots::Fresh,
                ..Enter::default()
            })
        })
    }
}

/// Why work inside a group ended early.
pub(super) enum Stop {
    /// The journal failed to take a batch.
    Journal(JournalError),
    /// The record of this node can't be used any more.
    Node(Id, StepError),
}

/// The result of anything inside a group: besides the journal, a node may stop it.
pub(super) type OrStop<T = ()> = Result<T, Stop>;

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Stop {
    /// Returns an error of the journal as the outer error; the inner error is a node and its error.
    pub(super) fn split<T>(restored: OrStop<T>) -> Kept<Result<T, (Id, StepError)>> {
        match restored {
            Ok(value) => Ok(Ok(value)),
            Err(Self::Journal(error)) => Err(error),
            Err(Self::Node(id, error)) => Ok(Err((id, error))),
        }
    }
}
