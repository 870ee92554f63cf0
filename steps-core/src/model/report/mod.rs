//! The report of one execution: what it did, when, and where its time went.
//!
//! [`State::report`](crate::state::State::report) makes one of a saved tree, and
//! [`Handle::report`](crate::engine::Handle::report) of
//! an execution in a store. It is data, and has four forms: [text](Report::text), [JSON](Report::json),
//! [Markdown](Report::markdown) and [HTML](Report::html).
//!
//! It says what is recorded, and no more. What is not recorded, or was assumed, is in
//! [`Report::notes`].
//!
//! | file | job |
//! |---|---|
//! | `build`, `critical` | making one of a tree; the longest chain of what waited for each other |
//! | `show`, `json` | as a document, and as JSON |
//! | `document`, `forms` | text, Markdown and HTML of any document |

mod build;
mod critical;
pub(crate) mod document;
mod forms;
pub(crate) mod json;
mod show;

use std::time::Duration;

use jiff::Timestamp;

pub(crate) use build::spent;
pub use forms::{Html, Markdown, Text};

use crate::model::{
    state::{Kind, Labels, Resolved, StepKind},
    status::Status,
};

/// What one execution did. See the [module](self).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The execution's id, if it has one.
    pub id: Option<String>,
    /// The name of its flow.
    pub flow: String,
    /// Its status.
    pub status: Status,
    /// Its labels.
    pub labels: Labels,
    /// The moment that the report is of: what has not ended is counted up to it.
    pub at: Timestamp,
    /// When it was created. A saved tree alone does not know it.
    pub created_at: Option<Timestamp>,
    /// When it first began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub done_at: Option<Timestamp>,
    /// From its beginning to its end, or to [`at`](Self::at).
    pub took: Duration,
    /// Its errors.
    pub errors: Vec<String>,
    /// Its nodes, from the root on, each before those below it.
    pub nodes: Vec<NodeReport>,
    /// Where the time of all its steps went. Steps that ran at once count one beside the other, so the
    /// sum may be more than [`took`](Self::took).
    pub time: TimeUse,
    /// From its creation to its beginning, if both are known: waiting for a place and a worker, and for
    /// the time before which it was not to begin.
    pub queue: Option<Duration>,
    /// How long between its beginning and its end none of its steps had begun and not ended: between two
    /// steps, before it was taken over after a crash, while an execution was stopped or failed.
    pub idle: Duration,
    /// The chain of steps that decided when it ended, the first first: of what ran at once, what the rest
    /// waited for.
    pub critical_path: Vec<Critical>,
    /// The steps that took longest, as places in [`nodes`](Self::nodes): at most ten.
    pub slowest: Vec<usize>,
    /// What was undone, or should have been, as places in [`nodes`](Self::nodes), in the order in which
    /// the undos began.
    pub undone: Vec<usize>,
    /// What is not recorded, and what was assumed instead.
    pub notes: Vec<String>,
    pub(crate) tree: String,
}

/// What one node of the tree did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NodeReport {
    /// Its [path](crate::state::path); that of the root is empty.
    pub path: String,
    /// How many nodes it is below the root.
    pub depth: usize,
    /// Its kind.
    pub kind: Kind,
    /// What it is as a step, if it is not simply a function that is called.
    pub step_kind: Option<StepKind>,
    /// Its status.
    pub status: Status,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub done_at: Option<Timestamp>,
    /// From its beginning to its end, or to the moment of the report; `None` if it has not begun.
    pub took: Option<Duration>,
    /// Of a step, where this time went.
    pub time: TimeUse,
    /// How many attempts have begun, as far as they are recorded: of a step, one that was cut off by the
    /// end of its process included.
    pub attempts: u32,
    /// Its errors: the first and the newest ones. Those of a step that was done in the end are not kept.
    pub errors: Vec<String>,
    /// How many errors after the first are not in [`errors`](Self::errors).
    pub errors_left_out: u32,
    /// The lines beside it whose values it uses, of a line of a `parallel`.
    pub needs: Vec<String>,
    /// The child execution that it has started or joins.
    pub child: Option<String>,
    /// Its rollback, if it has begun.
    pub undo: Option<UndoReport>,
}

/// How one step was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndoReport {
    /// When the first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended, successfully or not.
    pub done_at: Option<Timestamp>,
    /// From its beginning to its end, or to the moment of the report, with the pauses between attempts.
    pub took: Option<Duration>,
    /// How many attempts have begun.
    pub attempts: u32,
    /// The error of the last attempt; empty if there is none.
    pub error: String,
    /// What an operator decided.
    pub resolved: Option<Resolved>,
}

/// Where time went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeUse {
    /// In the attempts of steps.
    pub work: Duration,
    /// Between the attempts of steps: until a retry, or the next question of a `poll`.
    pub between_attempts: Duration,
    /// In [sleeps](struct@crate::sleep).
    pub sleep: Duration,
    /// Waiting for signals.
    pub signal: Duration,
    /// Waiting for child executions.
    pub child: Duration,
    /// In steps with several attempts whose pauses are not recorded, so that it is not known how much of
    /// it was work: of older versions, or where a process died in between.
    pub unknown: Duration,
    /// In undos, with the pauses between their attempts.
    pub undo: Duration,
}

/// One step of a [critical path](Report::critical_path).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Critical {
    /// Its place in [`Report::nodes`].
    pub node: usize,
    /// How long it took.
    pub took: Duration,
    /// Whether it is only assumed that what comes after it on the path waited for it.
    pub assumed: bool,
}

impl TimeUse {
    /// Returns the time that was spent waiting, as far as it is known.
    pub fn waiting(&self) -> Duration {
        self.between_attempts + self.sleep + self.signal + self.child
    }

    /// Returns the parts, each with its name in JSON and for people.
    pub(crate) fn parts(&self) -> [(&'static str, &'static str, Duration); 7] {
        [
            ("workNanos", "at work", self.work),
            (
                "betweenAttemptsNanos",
                "between attempts",
                self.between_attempts,
            ),
            ("sleepNanos", "asleep", self.sleep),
            ("signalNanos", "waiting for signals", self.signal),
            ("childNanos", "waiting for children", self.child),
            ("unknownNanos", "at work or between attempts", self.unknown),
            ("undoNanos", "in undos", self.undo),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.work += other.work;
        self.between_attempts += other.between_attempts;
        self.sleep += other.sleep;
        self.signal += other.signal;
        self.child += other.child;
        self.unknown += other.unknown;
        self.undo += other.undo;
    }
}

impl Report {
    /// Returns it as text, for a terminal or a log.
    pub fn text(&self) -> Text {
        Text(self.document())
    }

    /// Returns it as Markdown.
    pub fn markdown(&self) -> Markdown {
        Markdown(self.document())
    }

    /// Returns it as an HTML page.
    pub fn html(&self) -> Html {
        Html(self.document())
    }
}

#[cfg(test)]
mod tests;
