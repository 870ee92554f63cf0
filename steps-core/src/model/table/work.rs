//! What a line does, and which lines stand below it.

use super::{Line, Recording, StepMeta, Table};
use crate::model::state::NodeData;

/// Which way a line has gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way {
    /// What an `if` has decided.
    pub branch: Option<bool>,
    /// The number of the arm that a `match` has taken.
    pub arm: Option<usize>,
}

/// What a line does.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is static, and a step is the most frequent"
)]
pub enum Work {
    /// Runs a function.
    Step(StepMeta),
    /// Runs its children in order.
    Group(&'static [Line]),
    /// Runs its children concurrently.
    Parallel(&'static [Line]),
    /// Runs its children concurrently, until one is done: the others are given up, and undone.
    Race(&'static [Line]),
    /// Runs one of two groups, or neither.
    If {
        /// The group that runs if the condition holds.
        then: &'static [Line],
        /// The group that runs if it does not.
        otherwise: &'static [Line],
        /// The value that an `if let` matches, which is recorded.
        value: Option<&'static dyn Recording>,
    },
    /// Runs one of its children.
    Match {
        /// The arms: lines of which one runs.
        arms: &'static [Line],
        /// The value that is matched, which is recorded.
        value: &'static dyn Recording,
    },
    /// Runs its children for each item.
    For {
        /// The body.
        body: &'static [Line],
        /// How many items run at once; 1 means in order. 0: how many is said when the line is entered.
        at_once: usize,
        /// The items, which are recorded.
        items: &'static dyn Recording,
    },
    /// Runs its children in rounds.
    Loop {
        /// The body.
        body: &'static [Line],
        /// The maximum number of rounds; 0 means no limit.
        max: u32,
        /// How many rounds that are done stay recorded; 0 means all.
        keep: u32,
        /// The numbers of the lines in it whose code uses `prev`, the round before.
        prev: &'static [usize],
    },
    /// Runs another flow.
    Flow(&'static Table),
}

impl Way {
    /// Returns whether anything is known of it.
    pub(crate) const fn is_known(&self) -> bool {
        self.branch.is_some() || self.arm.is_some()
    }
}

impl Work {
    /// Returns the lines of the scope that this line opens, given which way it has gone: of a `match`,
    /// the one arm. Returns none for a `for` and a `loop`, whose scopes belong to their items and rounds.
    pub(crate) fn own_lines(&self, way: Way) -> &'static [Line] {
        match self {
            Self::Step(_) | Self::For { .. } | Self::Loop { .. } => &[],
            Self::Group(lines) | Self::Parallel(lines) | Self::Race(lines) => lines,
            Self::If {
                then, otherwise, ..
            } => match way.branch {
                Some(false) => otherwise,
                Some(true) | None => then,
            },
            Self::Match { arms, .. } => match way.arm {
                Some(arm) => arms.get(arm..=arm).unwrap_or_default(),
                None => &[],
            },
            Self::Flow(table) => table.nodes,
        }
    }

    /// Returns which way this line has gone, by what its node has recorded.
    pub(crate) fn way(&self, node: &NodeData) -> Way {
        let named = |arms: &[Line]| {
            let chosen = node.chosen.as_deref()?;
            arms.iter().position(|arm| arm.answers_to(chosen))
        };
        Way {
            branch: node.decision,
            arm: match self {
                Self::Match { arms, .. } => named(arms),
                Self::Step(_)
                | Self::Group(_)
                | Self::Parallel(_)
                | Self::Race(_)
                | Self::If { .. }
                | Self::For { .. }
                | Self::Loop { .. }
                | Self::Flow(_) => None,
            },
        }
    }

    /// Returns the lines of all scopes below this one: of both branches of an `if`, and of a nested flow.
    pub(crate) const fn groups(&self) -> [&'static [Line]; 2] {
        match self {
            Self::Step(_) => [&[], &[]],
            Self::Group(lines)
            | Self::Parallel(lines)
            | Self::Race(lines)
            | Self::Match { arms: lines, .. }
            | Self::For { body: lines, .. }
            | Self::Loop { body: lines, .. }
            | Self::Flow(Table { nodes: lines, .. }) => [lines, &[]],
            Self::If {
                then, otherwise, ..
            } => [then, otherwise],
        }
    }

    /// Returns whether this holds of any line below it.
    pub(crate) fn any(&self, mut is: impl FnMut(&Line) -> bool) -> bool {
        self.groups().into_iter().flatten().any(&mut is)
    }
}
