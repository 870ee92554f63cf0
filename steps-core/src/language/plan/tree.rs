//! A plan that was checked: its steps and groups in one list, each before those in it.

use super::draft::Mark;
use crate::{
    base::json::Json,
    model::table::planned::{GROUP, OPTIONAL, PIVOT, PLAN, RUNS},
};

/// The number of the group around all.
pub(super) const TOP: usize = 0;

/// A plan that was checked.
#[derive(Debug)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    /// The steps whose outputs the plan gives; `None`: all.
    pub(super) outputs: Option<Vec<usize>>,
}

/// A step or a group.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Box<str>,
    pub(super) parent: usize,
    pub(super) work: NodeWork,
}

/// What it is.
#[derive(Debug)]
pub(super) enum NodeWork {
    Step {
        /// The number of the registered step.
        step: usize,
        /// The argument for each of its parameters.
        args: Vec<Arg>,
        mark: Mark,
    },
    Group {
        /// How many of its steps run at once; 1 means in order.
        at_once: usize,
        steps: Vec<usize>,
    },
}

/// An argument.
#[derive(Clone, Debug)]
pub(super) enum Arg {
    Value(Json),
    /// None was given, and `null` stands for that.
    Missing,
    /// The output of another step, or the part of it at this JSON pointer.
    From {
        node: usize,
        at: Box<str>,
    },
}

impl Tree {
    /// Returns the steps of a group; those of a step are none.
    pub(super) fn steps_of(&self, node: usize) -> &[usize] {
        match &self.nodes[node].work {
            NodeWork::Group { steps, .. } => steps,
            NodeWork::Step { .. } => &[],
        }
    }

    /// Returns the node and the groups around it, from the inside out, without the top.
    pub(super) fn around(&self, node: usize) -> impl Iterator<Item = usize> {
        let next = |at: &usize| Some(self.nodes[*at].parent);
        std::iter::successors(Some(node), next).take_while(|at| *at != TOP)
    }

    /// Returns the names that lead to a node.
    pub(super) fn names(&self, node: usize) -> Vec<&str> {
        let around = self.around(node).map(|at| &*self.nodes[at].name);
        let mut names: Vec<&str> = around.collect();
        names.reverse();
        names
    }

    /// Returns the node with these names, from the top.
    pub(super) fn node(&self, names: impl IntoIterator<Item: AsRef<str>>) -> Option<usize> {
        let mut at = TOP;
        for name in names {
            let mut steps = self.steps_of(at).iter();
            at = *steps.find(|step| *self.nodes[**step].name == *name.as_ref())?;
        }
        Some(at)
    }

    /// Returns the number of the registered step that a node is.
    pub(super) fn step(&self, node: usize) -> Option<usize> {
        match self.nodes[node].work {
            NodeWork::Step { step, .. } => Some(step),
            NodeWork::Group { .. } => None,
        }
    }

    /// Returns the names that lead to a step's own node in the saved tree.
    pub(super) fn saved_names(&self, node: usize, called: &str) -> Vec<String> {
        let mut around: Vec<usize> = self.around(node).collect();
        around.reverse();
        let mut names = vec![PLAN.to_owned()];
        for at in around {
            names.push(self.nodes[at].name.to_string());
            names.push(RUNS.to_owned());
            let arms = match self.nodes[at].work {
                NodeWork::Group { .. } => [None, Some(GROUP)],
                NodeWork::Step { mark, .. } => [
                    match mark {
                        Mark::None => None,
                        Mark::Optional => Some(OPTIONAL),
                        Mark::Pivot => Some(PIVOT),
                    },
                    Some(called),
                ],
            };
            names.extend(arms.into_iter().flatten().map(str::to_owned));
        }
        names
    }

    /// Returns all nodes that are steps, in order.
    pub(super) fn all_steps(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|node| self.step(*node).is_some())
    }
}
