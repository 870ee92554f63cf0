//! Changes of statuses that somebody has asked to be told of: who has asked, and what was not told yet.
//!
//! A [`Subscription`] says which changes; from then on each write that makes such a change leaves a
//! [`Change`] in the same transaction, whoever writes. It stays until it is [settled](Settled).

use jiff::Timestamp;

use crate::{base::error::within, model::status::Status};

/// Of what a subscription is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Of executions.
    Execution,
    /// Of their steps.
    Step,
}

impl ChangeKind {
    /// Its name: `execution` or `step`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Step => "step",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Execution, Self::Step]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// Which changes are kept under a name until they are settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The name, which no other subscription in the store has.
    pub name: String,
    /// Whether it is for executions or for steps.
    pub kind: ChangeKind,
    /// The names of flows; none is all flows.
    pub flows: Vec<String>,
    /// The statuses that something has after the change; none is all.
    pub statuses: Vec<Status>,
}

impl Subscription {
    /// Returns whether it is for something of this kind, of this flow.
    pub fn is_for(&self, kind: ChangeKind, flow: &str) -> bool {
        self.kind == kind && (self.flows.is_empty() || self.flows.iter().any(|name| name == flow))
    }

    /// Returns whether it is for a change to this status.
    pub fn is_for_status(&self, to: Status) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&to)
    }
}

/// A change of the status of an execution or of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The number, which grows from change to change, and which no other change in the store has or had.
    pub number: i64,
    /// The id of the execution, which may be gone.
    pub execution: String,
    /// Its flow's name, as it was when the execution was created.
    pub flow: String,
    /// The step; `None` if it is the execution whose status changed.
    pub step: Option<ChangedStep>,
    /// The status before the write; `None` if there was none: of an execution that was just made, or of a
    /// step that has begun.
    pub from: Option<Status>,
    /// The status after the write.
    pub to: Status,
    /// When it was written, by the store's clock.
    pub at: Timestamp,
    /// The error of the execution or the step, if it has one and is not done: of several, the last; a long
    /// one is cut.
    pub error: Option<String>,
    /// How often it was told in vain.
    pub attempts: u32,
    /// When it is to be told again, if it was told in vain.
    pub due: Option<Timestamp>,
    /// Why it was told in vain the last time.
    pub failure: Option<String>,
}

/// The step that a [`Change`] is of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedStep {
    /// Its name.
    pub name: String,
    /// Its [path](crate::model::state::path).
    pub path: String,
    /// How many attempts have begun.
    pub attempts: u32,
}

impl ChangedStep {
    /// A step, for a store.
    pub const fn new(name: String, path: String, attempts: u32) -> Self {
        Self {
            name,
            path,
            attempts,
        }
    }
}

impl Change {
    /// A change that was not told yet, for a store. The error is cut if it is long.
    pub fn new(
        number: i64,
        execution: impl Into<String>,
        flow: impl Into<String>,
        from: Option<Status>,
        to: Status,
        at: Timestamp,
    ) -> Self {
        Self {
            number,
            execution: execution.into(),
            flow: flow.into(),
            step: None,
            from,
            to,
            at,
            error: None,
            attempts: 0,
            due: None,
            failure: None,
        }
    }

    /// What a receiver knows repeats by: this change, told to the same subscription, has the same key
    /// however often it comes, and no other has it.
    ///
    /// ```
    /// use steps::{Status, store::Change};
    ///
    /// let at = "2026-01-01T00:00:00Z".parse()?;
    /// let change = Change::new(7, "req-42", "order", None, Status::Running, at);
    /// assert_eq!(change.key(), "7-18867251edfa0000");
    /// # Ok::<_, jiff::Error>(())
    /// ```
    pub fn key(&self) -> String {
        // Of two stores with the same number, the time tells them apart.
        format!("{:x}-{:x}", self.number, self.at.as_nanosecond())
    }
}

/// Cuts the text of an error that is kept with a change.
pub(crate) fn error_text(error: Option<&String>) -> Option<String> {
    error.map(|error| within(error.clone()))
}

/// Which changes of a subscription to list, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeQuery {
    /// The name of the subscription.
    pub subscription: String,
    /// Which of its changes.
    pub which: WhichChanges,
    /// The maximum number.
    pub limit: usize,
}

/// Which changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichChanges {
    /// Those with a larger number that were not told yet, by their numbers; without those of executions
    /// of which one was told in vain, as they come after that one.
    New {
        /// The number.
        after: i64,
    },
    /// Those that were told in vain, the one that is due first at the front.
    Failed,
}

/// What became of changes of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The name of the subscription.
    pub subscription: String,
    /// The numbers of those that were told, or are given up: they are deleted. Numbers that are not there
    /// (any more) are ignored.
    pub done: Vec<i64>,
    /// Those that were told in vain.
    pub failed: Vec<FailedChange>,
}

/// A change that was told in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedChange {
    /// Its number.
    pub number: i64,
    /// How often, at least once.
    pub attempts: u32,
    /// When it is to be told again.
    pub due: Timestamp,
    /// Why it was in vain.
    pub failure: String,
}

/// A subscription and what it has not been told of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionInfo {
    /// The subscription.
    pub subscription: Subscription,
    /// Since when there is one of its name.
    pub since: Timestamp,
    /// Why it is told of nothing more, if it [ended](super::Store::end_subscription).
    pub ended: Option<String>,
    /// How many changes are not settled.
    pub waiting: u64,
    /// How many of them were told in vain.
    pub failed: u64,
    /// When the oldest of them was written.
    pub oldest: Option<Timestamp>,
}

impl SubscriptionInfo {
    /// One without changes, for a store.
    pub const fn new(subscription: Subscription, since: Timestamp) -> Self {
        Self {
            subscription,
            since,
            ended: None,
            waiting: 0,
            failed: 0,
            oldest: None,
        }
    }
}
