//! Observing a run, for progress bars and logs.

use jiff::Timestamp;

use super::{
    state::{Kind, Progress, Until},
    status::Status,
};

/// A change of a node's status or progress: the argument of a function passed to [`Run::observe`].
///
/// [`Run::observe`]: crate::Run::observe
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The event's place in the order in which things happened: 1, 2, and so on in each run. Two
    /// events may have the same time, never the same number.
    pub number: u64,
    /// The node's path; empty for the execution itself.
    pub path: String,
    /// The node's kind.
    pub kind: Kind,
    /// The node's status now.
    pub status: Status,
    /// How many attempts have begun.
    pub attempt: u32,
    /// When the change happened.
    pub at: Timestamp,
    /// What the node waits for.
    pub until: Option<Until>,
    /// The error, if the node failed or is about to be tried again.
    pub error: Option<String>,
    /// The node's progress.
    pub progress: Option<Progress>,
}
