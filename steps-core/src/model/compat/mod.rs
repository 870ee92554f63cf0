//! Comparison of a saved tree with the compiled flow, step by step, before anything runs.
//!
//! [`Run::resume`](crate::Run::resume) makes this comparison itself, and refuses a state that does
//! not fit with [`Misfit::Tree`]. Called directly, the comparison tells a deployment which saved
//! executions a new version of the program can resume. In a test, before anything is saved,
//! [`assert_compatible!`](crate::testing::assert_compatible) compares all states that an older
//! version may save.
//!
//! A saved tree fits if every step that has begun is still at the same place in the tree, under its
//! name or an `alias`, and its saved output can still be read. New steps may be added after the
//! last one that has begun. Steps that have not begun may be removed or moved.
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
mod recorded;
mod rules;

use std::fmt;

pub use misfit::Misfit;
pub(crate) use recorded::is_saved;
#[cfg(any(test, feature = "testing"))]
pub(crate) use recorded::{Outputs, misfit};
pub(crate) use rules::compare;
#[cfg(any(test, feature = "testing"))]
pub(crate) use rules::{Group, Match, scope, without_it};

/// How one node of the saved tree compares with the compiled flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fit {
    /// The node is in both.
    Same,
    /// The node is new in the flow.
    Added,
    /// The node was saved, and the flow no longer has it.
    Removed,
    /// The node was saved under another name, which the flow lists as an alias.
    Renamed {
        /// The name under which the node was saved.
        from: String,
    },
    /// The node's saved value or kind no longer fits the flow.
    Retyped {
        /// What does not fit.
        why: String,
    },
}

/// The result for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeFit {
    /// The node's path: by the names in the flow, or by the saved names if the flow no longer has
    /// the node.
    pub path: String,
    /// How the node compares.
    pub fit: Fit,
    /// Whether this node prevents a resume: either it had begun, so a part of it would be lost, or
    /// it is new and stands before a node that has begun.
    pub breaks: bool,
}

/// The results for all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// A result for each node in the saved tree, and for new nodes beside them, in the order of the
    /// flow. Removed nodes come last in their group.
    pub nodes: Vec<NodeFit>,
}

impl Compatibility {
    /// One node that does not fit.
    pub(crate) fn retyped(path: String, why: String) -> Self {
        Self {
            nodes: vec![NodeFit {
                path,
                fit: Fit::Retyped { why },
                breaks: true,
            }],
        }
    }

    /// Returns whether a run may resume from the saved tree.
    pub fn is_compatible(&self) -> bool {
        self.nodes.iter().all(|node| !node.breaks)
    }

    /// Returns the results other than [`Fit::Same`].
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
