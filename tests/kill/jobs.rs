//! Which executions there are: a number says everything about one, so that the parent knows what
//! a child started, and what has to come of it.

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// The flows, each for what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// A sequence: retries, a short sleep, steps with and without a verify.
    Order,
    /// `parallel`, and `for` one by one and at once.
    Fan,
    /// A `loop`, a poll, an `if`, a long sleep.
    Rounds,
    /// Flows in a flow: one that is done, one that fails and is passed over.
    Nest,
    /// A signal.
    Asks,
    /// Fails, is held, and recovered by an operator.
    Held,
    /// An undo fails for good, and is tried again by an operator.
    Stuck,
    /// A branch fails beside others.
    Beside,
    /// An operator asks for it to be undone.
    Withdrawn,
    /// Starts a child and joins it; fails after that, or its child does.
    Family,
    /// The child of a `Family`: only that starts it.
    Kin,
}

impl Kind {
    /// All that are started by themselves.
    pub(crate) const ALL: [Self; 10] = [
        Self::Order,
        Self::Fan,
        Self::Rounds,
        Self::Nest,
        Self::Asks,
        Self::Held,
        Self::Stuck,
        Self::Beside,
        Self::Withdrawn,
        Self::Family,
    ];
}

/// One execution's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    /// Whether it fails where it can.
    pub(crate) fails: bool,
    /// How many items or rounds it has.
    pub(crate) count: u64,
}

impl Job {
    /// The job of this number.
    pub(crate) fn of(number: u64) -> Self {
        let mut random = Random::new(number.wrapping_mul(0x9e37_79b9));
        Self {
            number,
            kind: random.of(&Kind::ALL),
            fails: random.within(0..3) == 0,
            count: random.within(1..4),
        }
    }

    /// The execution's id.
    pub(crate) fn id(self) -> String {
        format!("{:?}-{}", self.kind, self.number).to_lowercase()
    }

    /// The job that has this id.
    pub(crate) fn by_id(id: &str) -> Option<Self> {
        let (kind, number) = id.rsplit_once('-')?;
        let job = Self::of(number.parse().ok()?);
        Some(if kind == "kin" { job.child() } else { job })
    }

    /// The child of a `Family`.
    pub(crate) fn child(self) -> Self {
        Self {
            kind: Kind::Kin,
            ..self
        }
    }

    /// Whether of a family that fails it is the child that does.
    pub(crate) fn child_fails(self) -> bool {
        self.fails && self.count == 1
    }

    /// The same, for a flow within: it does as it is told.
    pub(crate) fn inner(self, fails: bool) -> Self {
        Self { fails, ..self }
    }
}
