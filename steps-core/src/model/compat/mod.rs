//! Whether a saved tree fits the compiled flow: an answer for each step, before anything runs.
//!
//! [`Run::resume`](crate::Run::resume) makes this comparison by itself, and refuses a state that
//! does not fit with [`Misfit::Tree`]. Made by hand, it tells a deployment which of its saved
//! executions a new version of the program can go on with. In a test, before there is anything saved,
//! [`assert_compatible!`](crate::testing::assert_compatible) asks the same of all that may be saved.
//!
//! A saved tree fits where every step that has begun is still there, under its name or an `alias`,
//! at the same place in the tree, and its saved output can still be read. New steps may be added
//! behind the last one that has begun; what has not begun may be taken away or moved.
//!
//! ```
//! use steps::{compat::{Compatibility, Fit}, prelude::*};
//!
//! #[step(alias = "chk_network")]
//! async fn check_network() -> Result<(), String> {
//!     Ok(())
//! }
//!
//! #[step]
//! async fn move_hosts() -> Result<u32, String> {
//!     Ok(3)
//! }
//!
//! #[flow]
//! async fn to_vpc() -> Result<u32, String> {
//!     steps! {
//!         check_network();
//!         hosts = move_hosts();
//!     }
//!     Ok(hosts)
//! }
//!
//! let text = r#"{"name":"to_vpc","startedAt":"2026-01-01T00:00:00Z","states":[
//!     {"name":"chk_network","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"}]}"#;
//! let saved = steps::State::from_json(text)?;
//!
//! let comparison = Compatibility::of::<to_vpc>(&saved);
//! assert!(comparison.is_compatible());
//! let differences: Vec<_> = comparison.differences().map(|node| &node.fit).collect();
//! assert_eq!(differences, [&Fit::Renamed { from: "chk_network".into() }, &Fit::Added]);
//! # Ok::<_, steps::state::StateError>(())
//! ```

mod misfit;
mod rules;

use std::fmt;

pub use misfit::Misfit;
pub(crate) use rules::compare;
#[cfg(any(test, feature = "testing"))]
pub(crate) use rules::{Group, Match, Outputs, misfit, scope};

/// How one node of the saved tree compares with the compiled flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fit {
    /// It is in both.
    Same,
    /// It is new in the flow.
    Added,
    /// It was saved, and the flow has it no more.
    Removed,
    /// It was saved under another name, which the flow knows as its alias.
    Renamed {
        /// The name it was saved under.
        from: String,
    },
    /// Its saved value, or its sort, is not that of the flow any more.
    Retyped {
        /// What does not fit.
        why: String,
    },
}

/// The answer for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeFit {
    /// Its path: by the flow's names, of a removed one by the saved ones.
    pub path: String,
    /// How it compares.
    pub fit: Fit,
    /// Whether a resume is refused for it: it had begun, so something of it would be lost, or it
    /// is new and stands before what has begun.
    pub breaks: bool,
}

/// The answers for all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// An answer for each node that the saved tree tells of, and for what is new beside one, in the
    /// order of the flow; removed ones stand last in their group.
    pub nodes: Vec<NodeFit>,
}

impl Compatibility {
    /// Whether a resume may go on from the saved tree.
    pub fn is_compatible(&self) -> bool {
        self.nodes.iter().all(|node| !node.breaks)
    }

    /// The answers that are not [`Fit::Same`].
    pub fn differences(&self) -> impl Iterator<Item = &NodeFit> {
        self.nodes.iter().filter(|node| node.fit != Fit::Same)
    }
}

impl fmt::Display for NodeFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.fit {
            Fit::Same => write!(f, "`{path}` is the same"),
            Fit::Added => write!(
                f,
                "`{path}` is new, and stands before steps that have begun, or in a group that is done"
            ),
            Fit::Removed => write!(
                f,
                "`{path}` has begun, and the flow has it no more (if it was renamed, give the new \
                 one `#[step(alias = \"…\")]`)"
            ),
            Fit::Renamed { from } => write!(f, "`{path}` was saved as `{from}`"),
            Fit::Retyped { why } => write!(f, "`{path}` does not fit: {why}"),
        }
    }
}
