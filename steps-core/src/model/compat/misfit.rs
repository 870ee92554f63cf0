//! The reasons for refusing to resume a state.

use std::fmt;

use super::Compatibility;
use crate::base::json::compare::tell_other;

/// Why a run can't resume from a saved state. Nothing has run, and the state is unchanged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Misfit {
    /// The state belongs to another flow, by the name of its root.
    OtherFlow {
        /// The flow that was to resume the state.
        flow: &'static str,
        /// The flow that the state names.
        saved: String,
    },
    /// The tree does not fit.
    Tree(Compatibility),
    /// The saved input, or the saved output of a flow that is done, can't be read.
    Input(String),
    /// The input that the run was given can't be saved as JSON and read back.
    BadInput(String),
    /// The input is larger than the run's [limits](crate::RunLimits) allow.
    LargeInput(String),
    /// A node was to change its status in a way that is not possible, while the flow ran. Nothing
    /// was recorded since.
    Impossible {
        /// The node's [path](crate::model::state::path).
        path: String,
        /// What it was to do.
        why: String,
    },
    /// The run was given an input that differs from the saved one.
    OtherInput {
        /// The saved input.
        saved: String,
        /// The given input.
        given: String,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFlow { flow, saved } => write!(
                f,
                "it is the state of `{saved}`, and this flow is `{flow}`; if the flow was renamed, \
                 write `#[flow(alias = \"{saved}\")]`"
            ),
            Self::Tree(compatibility) => {
                f.write_str("it does not fit the flow as it is compiled: ")?;
                let breaks = compatibility.nodes.iter().filter(|node| node.breaks);
                for (index, node) in breaks.enumerate() {
                    let comma = if index == 0 { "" } else { "; " };
                    write!(f, "{comma}{node}")?;
                }
                Ok(())
            }
            Self::Input(why) => write!(f, "its saved input can't be read: {why}"),
            Self::BadInput(why) => write!(f, "its input can't be saved as JSON: {why}"),
            Self::LargeInput(why) => f.write_str(why),
            Self::Impossible { path, why } => write!(f, "`{path}`: {why}"),
            Self::OtherInput { saved, given } => write!(
                f,
                "it was started with another input than it is now given: {}; resume it with the \
                 saved one, or ask for the new one with `.replace_input()`",
                tell_other(saved, given)
            ),
        }
    }
}

impl std::error::Error for Misfit {}
