//! A plan as it was written, in Rust or in JSON: not checked.

use crate::base::json::Json;

/// A step or a group.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) what: What,
}

/// What it is.
#[derive(Clone, Debug)]
pub(super) enum What {
    Step {
        step: Called,
        args: Vec<(String, DraftArg)>,
        mark: Mark,
    },
    Group(DraftGroup),
}

/// A group of steps.
#[derive(Clone, Debug)]
pub(super) struct DraftGroup {
    /// How many of them run at once; 1 means in order.
    pub(super) at_once: usize,
    pub(super) steps: Vec<Draft>,
}

/// A whole plan.
#[derive(Clone, Debug)]
pub(super) struct DraftPlan {
    pub(super) steps: DraftGroup,
    /// The paths of the steps whose outputs the plan gives; `None`: all.
    pub(super) outputs: Option<Vec<OfStep>>,
}

/// The registered step that is called.
#[derive(Clone, Debug)]
pub(super) enum Called {
    Name(String),
    Number(usize),
}

/// The mark of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    #[default]
    None,
    /// Its failure is passed over.
    Optional,
    /// What stands before it is not undone once it is done.
    Pivot,
}

/// An argument.
#[derive(Clone, Debug)]
pub(super) enum DraftArg {
    Value(Json),
    /// A value that can't be saved: why.
    Unsaved(String),
    /// The output of another step, or the part of it at this JSON pointer.
    From {
        step: OfStep,
        at: String,
    },
}

/// Another step.
#[derive(Clone, Debug)]
pub(super) enum OfStep {
    /// As it is written in a plan's JSON: its path, seen from the step that refers to it.
    Text(String),
    /// The names that lead to it from the top.
    Path(Vec<String>),
}

impl DraftGroup {
    pub(super) const fn in_order() -> Self {
        Self {
            at_once: 1,
            steps: Vec::new(),
        }
    }

    /// Returns how many steps and groups are in it.
    pub(super) fn count(&self) -> usize {
        let each = |step: &Draft| match &step.what {
            What::Step { .. } => 1,
            What::Group(group) => 1 + group.count(),
        };
        self.steps.iter().map(each).sum()
    }
}
