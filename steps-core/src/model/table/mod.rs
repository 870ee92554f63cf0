//! The static table that the macros generate for each flow; it contains no user code.
//!
//! The interpreter walks the table along with the [`Scope`](crate::language::scope::Scope)s that
//! hold the values.

mod fingerprint;

pub(crate) use super::policy::Policy;
use super::state::Kind;
pub use fingerprint::fingerprint;

/// One flow.
#[derive(Debug)]
pub struct Table {
    /// The flow's name, the name of the root in the saved tree.
    pub name: &'static str,
    /// Names under which the flow was saved before.
    pub aliases: &'static [&'static str],
    /// Its by-value parameters. Each is a field of the saved input.
    pub input: &'static [InputField],
    /// The text of its output's type.
    pub output: &'static str,
    /// The lines of its `steps!`, in order.
    pub nodes: &'static [Line],
    /// What a failure leads to.
    pub on_failure: OnFailure,
}

impl Table {
    /// Returns why a field of a saved input is not read, if no parameter takes it.
    pub(crate) fn untaken(&self, field: &str) -> Option<String> {
        let takes = |own: &InputField| own.name == field || own.aliases.contains(&field);
        (!self.input.iter().any(takes)).then(|| not_taken(field))
    }

    /// Returns whether this flow was or is saved under `name`.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// Returns whether a line of this flow is a pivot. One of a nested flow counts only there.
    pub fn has_pivot(&self) -> bool {
        fn any(lines: &[Line]) -> bool {
            lines.iter().any(|line| {
                line.marks.pivot
                    || match &line.work {
                        Work::Step(_) | Work::Flow(_) => false,
                        Work::Group(lines) | Work::Parallel(lines) => any(lines),
                        Work::If { then, otherwise } => any(then) || any(otherwise),
                        Work::For { body, .. } | Work::Loop { body, .. } => any(body),
                    }
            })
        }
        any(self.nodes)
    }
}

/// What is said of a field of a saved input that no parameter takes.
pub(crate) fn not_taken(field: &str) -> String {
    format!(
        "no parameter takes the field `{field}`; if a parameter was renamed, write `#[alias = \
         \"{field}\"]` before it"
    )
}

/// One field of a flow's saved input.
pub struct InputField {
    /// Its name.
    pub name: &'static str,
    /// Names under which it was saved before.
    pub aliases: &'static [&'static str],
    /// The text of its type.
    pub ty: &'static str,
    /// Checks that a saved value of the field can be read.
    pub check: fn(&str) -> Result<(), serde_json::Error>,
}

impl std::fmt::Debug for InputField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)
    }
}

/// What happens when a flow fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The steps that were done are undone.
    #[default]
    Undo,
    /// The execution stays as it is, and can be recovered and tried again.
    Hold,
}

/// One line of a `steps!`.
#[derive(Debug)]
pub struct Line {
    /// Its name in the saved tree.
    pub name: &'static str,
    /// Names under which the line was saved before.
    pub aliases: &'static [&'static str],
    /// The marks on the line.
    pub marks: Marks,
    /// What it does.
    pub work: Work,
}

/// The marks of a line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// A failure is recorded, and the flow continues.
    pub optional: bool,
    /// Once this line is done, earlier lines are no longer undone.
    pub pivot: bool,
    /// The line begins even if a sibling has failed.
    pub atomic: bool,
}

/// What a line does.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is a constant, which can't have boxes, and most lines are steps"
)]
pub enum Work {
    /// Runs a function.
    Step(StepMeta),
    /// Runs its children in order.
    Group(&'static [Line]),
    /// Runs its children concurrently.
    Parallel(&'static [Line]),
    /// Runs one of two groups, or neither.
    If {
        /// The group that runs if the condition holds.
        then: &'static [Line],
        /// The group that runs if it does not.
        otherwise: &'static [Line],
    },
    /// Runs its children for each item.
    For {
        /// The body.
        body: &'static [Line],
        /// How many items run at once; 1 means in order.
        at_once: usize,
    },
    /// Runs its children in rounds.
    Loop {
        /// The body.
        body: &'static [Line],
        /// The maximum number of rounds; 0 means no limit.
        max: u32,
    },
    /// Runs another flow.
    Flow(&'static Table),
}

impl Work {
    /// Returns the lines of the scope that this line opens, given the recorded decision of an `if`.
    /// Returns none for a `for` and a `loop`, whose scopes belong to their items and rounds.
    pub(crate) const fn own_lines(&self, decision: Option<bool>) -> &'static [Line] {
        match self {
            Self::Step(_) | Self::For { .. } | Self::Loop { .. } => &[],
            Self::Group(lines) | Self::Parallel(lines) => lines,
            Self::If { then, otherwise } => match decision {
                Some(false) => otherwise,
                Some(true) | None => then,
            },
            Self::Flow(table) => table.nodes,
        }
    }
}

impl Line {
    /// Returns the kind of the line's node in the saved tree.
    pub const fn kind(&self) -> Kind {
        match self.work {
            Work::Step(_) => Kind::Step,
            Work::Group(_) => Kind::Group,
            Work::Parallel(_) => Kind::Parallel,
            Work::If { .. } => Kind::If,
            Work::For { .. } => Kind::For,
            Work::Loop { .. } => Kind::Loop,
            Work::Flow(_) => Kind::Flow,
        }
    }

    /// Returns whether this line was or is saved under `name`.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// The text of the output's type of a step that waits for a signal.
pub(crate) const SIGNAL: &str = "signal";

/// What the table says about a step's function.
#[derive(Clone, Copy)]
pub struct StepMeta {
    /// How the step is retried, timed and polled.
    pub policy: Policy,
    /// How its undo is retried and timed.
    pub undo_policy: Policy,
    /// Whether it has an `#[undo]`.
    pub undo: bool,
    /// Whether it has a `#[verify]`.
    pub verify: bool,
    /// Whether it has an `#[observe]`.
    pub observe: bool,
    /// Whether its output is not saved, so the step runs again after a resume.
    pub volatile: bool,
    /// Whether it asks to wait itself, as a sleep and a signal do.
    pub waits: bool,
    /// Whether it is a `let` line. It has no effect, so its beginning is not committed: its value
    /// is, with the beginning of what follows.
    pub is_let: bool,
    /// The text of its output's type.
    pub output: &'static str,
    /// Checks that a saved output can still be decoded.
    pub check: fn(&str) -> Result<(), serde_json::Error>,
}

impl StepMeta {
    /// Returns whether the step waits for a signal.
    pub(crate) fn is_signal(&self) -> bool {
        self.waits && self.output == SIGNAL
    }

    /// Returns the same, with the options of a `#[step(…)]` on the line.
    #[must_use]
    pub const fn with(mut self, over: Policy) -> Self {
        self.policy = self.policy.overridden_by(over);
        self
    }
}

impl std::fmt::Debug for StepMeta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepMeta")
            .field("policy", &self.policy)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

/// Returns how many levels of nodes the saved tree of these lines may have.
const fn depth(nodes: &[Line]) -> usize {
    let mut most = 0;
    let mut index = 0;
    while index < nodes.len() {
        let below = match &nodes[index].work {
            Work::Step(_) => 1,
            Work::Group(lines) | Work::Parallel(lines) => 1 + depth(lines),
            // Items and rounds are a level of their own.
            Work::For { body, .. } | Work::Loop { body, .. } => 2 + depth(body),
            Work::If { then, otherwise } => {
                let (then, otherwise) = (depth(then), depth(otherwise));
                1 + if then > otherwise { then } else { otherwise }
            }
            Work::Flow(table) => 1 + depth(table.nodes),
        };
        if below > most {
            most = below;
        }
        index += 1;
    }
    most
}

/// Returns how many flows are within each other in these lines.
const fn flows(nodes: &[Line]) -> usize {
    let mut most = 0;
    let mut index = 0;
    while index < nodes.len() {
        let below = match &nodes[index].work {
            Work::Step(_) => 0,
            Work::Group(lines)
            | Work::Parallel(lines)
            | Work::For { body: lines, .. }
            | Work::Loop { body: lines, .. } => flows(lines),
            Work::If { then, otherwise } => {
                let (then, otherwise) = (flows(then), flows(otherwise));
                if then > otherwise { then } else { otherwise }
            }
            Work::Flow(table) => 1 + flows(table.nodes),
        };
        if below > most {
            most = below;
        }
        index += 1;
    }
    most
}

/// How many flows may be within each other, besides the one that is started. The compiler evaluates
/// their tables within each other, and its own limit is not far above.
const MAX_FLOWS: usize = 20;

/// Checks at compile time that a state of this flow can be read back. The macro has checked the
/// levels within one flow.
///
/// # Panics
///
/// Panics if the groups are nested deeper than
/// [`Limits::DEFAULT`](crate::model::state::Limits::DEFAULT) allows: 48 levels including the root,
/// with those of nested flows. A `for` or a `loop` counts as two levels. Panics if more than
/// `MAX_FLOWS` flows are within each other.
pub const fn check_depth(table: &Table) {
    assert!(
        flows(table.nodes) <= MAX_FLOWS,
        "more than 20 flows are within each other here: let one of them be started by itself"
    );
    assert!(
        depth(table.nodes) < crate::model::state::Limits::DEFAULT.depth,
        "this flow has more than 48 levels with those of the flows in it: move what is nested so \
         deep into the function of a step, or into a flow that is started by itself"
    );
}

#[cfg(test)]
mod tests {
    use super::{Line, MAX_FLOWS, Marks, OnFailure, Table, Work, check_depth};

    /// A flow with so many flows within each other.
    fn chain(flows: usize) -> &'static Table {
        let lines: Vec<Line> = match flows.checked_sub(1) {
            None => Vec::new(),
            Some(fewer) => vec![Line {
                name: "inner",
                aliases: &[],
                marks: Marks::default(),
                work: Work::Flow(chain(fewer)),
            }],
        };
        Box::leak(Box::new(Table {
            name: "f",
            aliases: &[],
            input: &[],
            output: "()",
            nodes: lines.leak(),
            on_failure: OnFailure::Undo,
        }))
    }

    #[test]
    fn as_many_flows_as_allowed_may_be_within_each_other() {
        check_depth(chain(MAX_FLOWS));
    }

    #[test]
    #[should_panic = "more than 20 flows are within each other here"]
    fn one_more_flow_is_refused() {
        check_depth(chain(MAX_FLOWS + 1));
    }
}
