//! A plan for one flow.

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    check::check,
    draft::Mark,
    error::{PlanError, PlanProblem},
    read::read,
    registered::{Known, Planned},
    tree::Tree,
    write::Whole,
};
use crate::{
    base::json::Json,
    model::{
        state::path,
        typed::{ItemRef, SignalItemRef},
    },
};

/// A tree of steps that was made at run time, of the steps that `#[plan]` has registered: the input of the
/// flow `F`.
///
/// It is made by the [builder](super::PlanBuilder), whose names the compiler checks as far as it can, or read
/// from JSON. Either way **all names, arguments and references are checked when it is made**, so an execution
/// never begins with a plan that it can't go through with. It is saved as the execution's input, so whoever
/// resumes one needs nothing else. The guide's page `plans` has it all.
///
/// Its serde form is the JSON that [`from_json`](Self::from_json) reads, so it can be a field of a request.
/// As arguments are kept as they were written, it is read from JSON only, which includes a
/// `serde_json::Value`.
pub struct Plan<F> {
    tree: Arc<Tree>,
    flow: PhantomData<fn() -> F>,
}

/// A step in a plan: from [`Plan::steps`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepInPlan {
    /// The names of the groups around it, and its own, as a path: `links.a`.
    pub path: String,
    /// The registered step that it calls.
    pub step: &'static str,
    /// Whether its failure is passed over.
    pub optional: bool,
    /// Whether what was done before it stays once it is done.
    pub pivot: bool,
}

impl<F> Plan<F> {
    /// Reads a plan, and checks it.
    ///
    /// ```json
    /// {
    ///   "steps": [
    ///     {"name": "disk", "step": "create_volume", "args": {"gb": 10}},
    ///     {"name": "links", "parallel": [
    ///       {"name": "a", "step": "attach", "args": {"vm": "a"}, "from": {"volume": {"step": "disk", "at": "/id"}}},
    ///       {"name": "b", "step": "attach", "args": {"vm": "b"}, "from": {"volume": {"step": "disk", "at": "/id"}}}
    ///     ]}
    ///   ]
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// All that is wrong with it: see [`PlanError`].
    pub fn from_json(text: &str) -> Result<Self, PlanError>
    where
        F: Planned,
    {
        let json = Json::parse(text.trim()).map_err(|error| {
            PlanError::of(vec![PlanProblem::new(&[], format!("not JSON: {error}"))])
        })?;
        Self::from_parsed(&json)
    }
}

impl<F: Planned> Plan<F> {
    pub(super) fn of(tree: Tree) -> Self {
        Self {
            tree: Arc::new(tree),
            flow: PhantomData,
        }
    }

    fn from_parsed(json: &Json) -> Result<Self, PlanError> {
        let (draft, problems) = read(json);
        check(draft, Known::of::<F>(), problems).map(Self::of)
    }

    /// Returns the plan as JSON, which [`from_json`](Self::from_json) reads.
    pub fn to_json(&self) -> String {
        match Json::encode(self) {
            Ok(json) => json.get().to_owned(),
            Err(error) => unreachable!("a plan has texts as keys: {error}"),
        }
    }

    /// Returns its steps, in the order in which they stand in it.
    pub fn steps(&self) -> impl Iterator<Item = StepInPlan> {
        self.tree.all_steps().map(|node| {
            let (step, mark) = self.called(node).unwrap_or_default();
            StepInPlan {
                path: path::join(self.tree.names(node)),
                step,
                optional: mark == Mark::Optional,
                pivot: mark == Mark::Pivot,
            }
        })
    }

    /// Returns a reference to a step, by its path in the plan, `links.a`: to retry from it, or to skip its
    /// undo. `None` if the plan has no such step. The type is that of the step's output.
    pub fn step_ref<T>(&self, step: &str) -> Option<ItemRef<T>> {
        self.saved_names(step).map(ItemRef::of_names)
    }

    /// Returns a reference to a step that waits for a signal, by its path in the plan: to send it a value.
    /// `None` if the plan has no such step, or if it is no signal.
    pub fn signal_ref<T>(&self, step: &str) -> Option<SignalItemRef<T>> {
        let node = self.node(step)?;
        let number = self.tree.step(node)?;
        let is_signal = match &F::LINES[number].work {
            crate::model::table::Work::Step(meta) => meta.is_signal(),
            _ => false,
        };
        let names = self.saved_names(step).filter(|_| is_signal)?;
        Some(SignalItemRef::of_names(names))
    }

    fn node(&self, step: &str) -> Option<usize> {
        self.tree.node(path::split(step))
    }

    /// Returns what a node calls, and its mark, if it is a step.
    fn called(&self, node: usize) -> Option<(&'static str, Mark)> {
        match self.tree.nodes[node].work {
            super::tree::NodeWork::Step { step, mark, .. } => Some((F::LINES[step].name, mark)),
            super::tree::NodeWork::Group { .. } => None,
        }
    }

    /// Returns the names that lead to a step in the saved tree.
    pub(super) fn saved_names(&self, step: &str) -> Option<Vec<String>> {
        let node = self.node(step)?;
        let (called, _) = self.called(node)?;
        Some(self.tree.saved_names(node, called))
    }

    #[doc(hidden)]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }
}

impl<F> Clone for Plan<F> {
    fn clone(&self) -> Self {
        Self {
            tree: Arc::clone(&self.tree),
            flow: PhantomData,
        }
    }
}

impl<F: Planned> PartialEq for Plan<F> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tree, &other.tree) || self.to_json() == other.to_json()
    }
}

impl<F: Planned> Eq for Plan<F> {}

impl<F: Planned> fmt::Debug for Plan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl<F: Planned> Serialize for Plan<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = Whole {
            tree: &self.tree,
            known: Known::of::<F>(),
        };
        whole.serialize(serializer)
    }
}

impl<'de, F: Planned> Deserialize<'de> for Plan<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Self::from_parsed(&json).map_err(serde::de::Error::custom)
    }
}

impl<F: Planned> std::str::FromStr for Plan<F> {
    type Err = PlanError;
    fn from_str(text: &str) -> Result<Self, PlanError> {
        Self::from_json(text)
    }
}
