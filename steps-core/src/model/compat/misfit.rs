//! Why a state is refused.

use std::fmt;

use super::Compatibility;

/// Why a saved state can't be gone on with. Nothing has run, and the state was left as it was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Misfit {
    /// It is another flow's, by the name of its root.
    OtherFlow {
        /// The flow it was resumed with.
        flow: &'static str,
        /// The flow it says it is of.
        saved: String,
    },
    /// Its tree does not fit.
    Tree(Compatibility),
    /// Its saved input, or the saved output of a flow that is done, can't be read.
    Input(String),
    /// It was given another input than the saved one.
    OtherInput {
        /// The saved one.
        saved: String,
        /// The one given.
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
            Self::OtherInput { saved, given } => write!(
                f,
                "it was started with the input {saved}, and is now given {given}; resume it with \
                 the saved one, or ask for the new one with `.replace_input()`"
            ),
        }
    }
}

impl std::error::Error for Misfit {}
