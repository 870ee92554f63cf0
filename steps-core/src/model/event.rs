//! Watching a run: what progress bars and logs hang on.

use jiff::Timestamp;

use super::{
    state::{Kind, Progress, Until},
    status::Status,
};

/// A node changed its status, or said how far it has come: what [`Run::observe`] is called with.
///
/// [`Run::observe`]: crate::Run::observe
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The node's path; empty for the execution itself.
    pub path: String,
    /// What sort of node it is.
    pub kind: Kind,
    /// What it is doing now.
    pub status: Status,
    /// How many attempts have begun.
    pub attempt: u32,
    /// When it happened.
    pub at: Timestamp,
    /// What it waits for.
    pub until: Option<Until>,
    /// The error, where it failed or is about to be tried again.
    pub error: Option<String>,
    /// How far it has come.
    pub progress: Option<Progress>,
}
