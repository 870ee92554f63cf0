//! Whether a saved tree fits the compiled flow: an answer for each step, before anything runs.
//!
//! [`Run::resume`](crate::Run::resume) makes this comparison by itself, and refuses a state that
//! does not fit with [`Misfit::Tree`]. Made by hand, it tells a deployment which of its saved
//! executions a new version of the program can go on with.
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

use std::fmt;

use serde_json::Error;

use crate::{
    flow::Flow,
    state::{Kind, State, path},
    status::Status,
    table::{Node, Table, Work},
};

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
    /// Compares a saved tree with the flow as it is compiled: `Compatibility::of::<attach_volume>`.
    ///
    /// The names of the two flows are not compared, nor is the input.
    pub fn of<F: Flow>(saved: &State) -> Self {
        compare(saved, F::TABLE)
    }

    /// Whether a resume may go on from the saved tree.
    pub fn is_compatible(&self) -> bool {
        self.nodes.iter().all(|node| !node.breaks)
    }

    /// The answers that are not [`Fit::Same`].
    pub fn differences(&self) -> impl Iterator<Item = &NodeFit> {
        self.nodes.iter().filter(|node| node.fit != Fit::Same)
    }
}

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
    /// What was asked for is not possible in its status.
    Status {
        /// What was asked for.
        wanted: &'static str,
        /// The status.
        status: Status,
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
            Self::Status { wanted, status } => write!(f, "it is {status}, so it can't be {wanted}"),
        }
    }
}

impl std::error::Error for Misfit {}

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

/// Compares a saved tree with a flow's table.
pub(crate) fn compare(state: &State, table: &'static Table) -> Compatibility {
    let mut comparison = Comparison {
        found: Compatibility::default(),
        names: Vec::new(),
    };
    comparison.lines(table.nodes, &state.states, Room::InOrder);
    comparison.found
}

/// What becomes of a line that is new in the flow.
#[derive(Clone, Copy, PartialEq)]
enum Room {
    /// It runs, if nothing after it has begun.
    InOrder,
    /// It runs: nothing beside it comes after it.
    AtOnce,
    /// It never runs, and the group's value would lack it: the group is done.
    No,
}

impl Room {
    fn of(node: &Node, state: &State) -> Self {
        match node.work {
            // The output of a flow that is done is saved.
            Work::Flow(_) => Self::InOrder,
            _ if state.status == Status::Done => Self::No,
            Work::Parallel(_) => Self::AtOnce,
            _ => Self::InOrder,
        }
    }
}

struct Comparison {
    found: Compatibility,
    names: Vec<String>,
}

impl Comparison {
    fn say(&mut self, fit: Fit, breaks: bool) {
        self.found.nodes.push(NodeFit {
            path: path::join(&self.names),
            fit,
            breaks,
        });
    }

    fn lines(&mut self, nodes: &'static [Node], states: &[State], room: Room) {
        let saved = |node: &Node| states.iter().rfind(|state| node.answers_to(&state.name));
        let begun = |state: &State| state.started_at.is_some() || state.status != Status::Pending;
        let last_begun = nodes
            .iter()
            .rposition(|node| saved(node).is_some_and(begun));
        for (index, node) in nodes.iter().enumerate() {
            self.names.push(node.name.to_owned());
            match saved(node) {
                Some(state) => self.node(node, state),
                None => {
                    let before = last_begun.is_some_and(|last| index < last);
                    let breaks = match room {
                        Room::InOrder => before && !node.marks.optional,
                        Room::AtOnce => false,
                        Room::No => true,
                    };
                    self.say(Fit::Added, breaks);
                }
            }
            self.names.pop();
        }
        for state in states {
            if !nodes.iter().any(|node| node.answers_to(&state.name)) {
                self.names.push(state.name.to_string());
                self.say(Fit::Removed, begun(state));
                self.names.pop();
            }
        }
    }

    fn node(&mut self, node: &'static Node, state: &State) {
        if let Some(why) = misfit(node, state) {
            return self.say(Fit::Retyped { why }, state.started_at.is_some());
        }
        if node.name == state.name {
            self.say(Fit::Same, false);
        } else {
            let from = state.name.to_string();
            self.say(Fit::Renamed { from }, false);
        }
        match &node.work {
            Work::Step(_) => {}
            Work::If { then, otherwise } => {
                let branch = if state.decision == Some(false) {
                    otherwise
                } else {
                    then
                };
                if !state.states.is_empty() {
                    self.lines(branch, &state.states, Room::of(node, state));
                }
            }
            Work::For { body, .. } | Work::Loop { body, .. } => {
                for item in &state.states {
                    if !item.states.is_empty() {
                        self.names.push(item.name.to_string());
                        self.lines(body, &item.states, Room::of(node, item));
                        self.names.pop();
                    }
                }
            }
            work => {
                if !state.states.is_empty() || state.started_at.is_some() {
                    self.lines(work.lines(), &state.states, Room::of(node, state));
                }
            }
        }
    }
}

/// What of a saved node the flow's node can't take.
fn misfit(node: &Node, state: &State) -> Option<String> {
    if let Work::Step(meta) = &node.work {
        if !state.states.is_empty() {
            return Some("it was a group, and is a step now".to_owned());
        }
        let was_done = matches!(
            state.status,
            Status::Done | Status::Undoing | Status::UndoFailed
        );
        if !was_done || meta.volatile {
            return None;
        }
        let parse = |text: &str| (meta.check)(text).map_err(|e: Error| e.to_string());
        return match (&state.output, &state.info) {
            (Some(output), _) => parse(output.get()).err(),
            (None, Some(info)) => parse(info.get()).or_else(|_| parse("null")).err(),
            (None, None) => parse("null").err(),
        }
        .map(|why| format!("its saved output can't be read: {why}"));
    }
    // A foreign document has no kinds: there, a node with children is a group of any sort.
    let foreign = state.kind == Kind::Step && state.output.is_none();
    let group = |kind| matches!(kind, Kind::Group | Kind::Parallel);
    if state.kind == node.kind()
        || (group(state.kind) && group(node.kind()))
        || foreign && !matches!(node.work, Work::For { .. } | Work::Loop { .. })
    {
        if let Work::For { .. } = node.work
            && let Some(input) = &state.input
        {
            let items = serde_json::from_str::<Vec<serde::de::IgnoredAny>>(input.get());
            return match items {
                Ok(items) if items.len() == state.states.len() => None,
                Ok(items) => Some(format!(
                    "it has {} items and {} nodes for them",
                    items.len(),
                    state.states.len()
                )),
                Err(e) => Some(format!("its items can't be read: {e}")),
            };
        }
        return None;
    }
    state.started_at?;
    Some(
        format!(
            "it was saved as a {:?}, and is a {:?} now",
            state.kind,
            node.kind()
        )
        .to_lowercase(),
    )
}
