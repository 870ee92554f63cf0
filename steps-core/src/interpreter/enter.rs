//! Entering the scope of a line with what is recorded of it. Forward passes, restoring and rollback
//! all do it here.

use super::{Kept, Pass, records::Id, user_code::call};
use crate::{
    base::{
        error::{JournalError, StepError},
        json::Json,
    },
    language::{
        cx::Cx,
        scope::{Enter, Entered, Scope},
    },
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
    /// Those that an earlier pass left, if there are any.
    Kept,
    /// Empty ones.
    Fresh,
}

/// What a scope is entered with: it borrows from this.
pub(super) struct Entry {
    id: Id,
    cx: Cx,
    input: Option<Json>,
    decision: Option<bool>,
    slots: Slots,
    /// Of a `loop`: whether this is its first round.
    first: bool,
}

impl Pass<'_> {
    /// Entering the group at `id`, with the input and the decision that are recorded.
    pub(super) fn entry(self, id: Id, slots: Slots) -> Entry {
        let records = self.run.records();
        let cold = records[id].cold();
        Entry {
            id,
            input: cold.input.clone(),
            decision: cold.decision,
            cx: self.cx(id, 1),
            slots,
            first: false,
        }
    }

    /// Entering the round at `id`, which evaluates nothing. The `first` has no round before it,
    /// whatever an earlier pass left.
    pub(super) fn round_entry(self, id: Id, slots: Slots, first: bool) -> Entry {
        Entry {
            id,
            input: None,
            decision: None,
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
            decision: self.decision,
            fresh: self.slots == Slots::Fresh,
            first: self.first,
        };
        call(|| at.scope.enter(at.item, at.line, how, &self.cx))
    }

    /// Enters the scope; `None` where an `if` leads nowhere.
    pub(super) fn scope<'b>(&'b self, at: At<'b>) -> Restored<Option<Box<dyn Scope + 'b>>> {
        match self.enter(at) {
            Ok(entered) => Ok(entered.scope),
            Err(error) => Err(Stop::Node(self.id, error)),
        }
    }

    /// The context for what the scope evaluates.
    pub(super) fn cx(&self) -> &Cx {
        &self.cx
    }
}

/// Why restoring or a rollback did not come to its end.
pub(super) enum Stop {
    /// The journal did not take a record.
    Journal(JournalError),
    /// What is recorded of this node can't be used any more.
    Node(Id, StepError),
}

/// The result of restoring.
pub(super) type Restored<T = ()> = Result<T, Stop>;

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Stop {
    /// Takes the journal's errors out: what is left is the node and its error.
    pub(super) fn split<T>(restored: Restored<T>) -> Kept<Result<T, (Id, StepError)>> {
        match restored {
            Ok(value) => Ok(Ok(value)),
            Err(Self::Journal(error)) => Err(error),
            Err(Self::Node(id, error)) => Ok(Err((id, error))),
        }
    }
}
