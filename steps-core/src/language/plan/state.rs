//! The typed state of a plan: its steps are found by their paths in the plan.

use serde::de::DeserializeOwned;

use crate::model::{
    state::{State, path},
    table::planned::{GROUP, OPTIONAL, PIVOT, PLAN, RUNS},
    typed::{Place, StepState, View},
};

/// The saved state of a plan: a type that `#[plan]` made has it as its `State`.
#[derive(Clone, Debug)]
pub struct PlanFields {
    at: Place,
}

impl View for PlanFields {
    fn view(at: Place) -> Self {
        Self { at }
    }
}

impl PlanFields {
    /// Returns the state of the line with the whole plan.
    pub fn node(&self) -> StepState<()> {
        StepState::view(self.at.child(PLAN))
    }

    /// Returns the step with this path in the plan, `links.a`, once its group has begun. The type is that of
    /// its output.
    pub fn step<T>(&self, step: &str) -> Option<StepState<T>> {
        let mut names = path::split(step);
        let mut place = self.at.child(PLAN);
        loop {
            let name = names.next()?;
            let (own, kind) = own_node(place.below(name.into_owned().into()))?;
            match (kind, names.clone().next()) {
                (Own::Step, None) => return Some(StepState::view(own)),
                (Own::Group, Some(_)) => place = own,
                _ => return None,
            }
        }
    }

    /// Returns the output of the step with this path in the plan; `None` if it is not done.
    ///
    /// # Errors
    ///
    /// Returns an error if the saved output is not a `T`.
    pub fn output<T: DeserializeOwned>(&self, step: &str) -> Result<Option<T>, serde_json::Error> {
        match self.step::<T>(step) {
            Some(step) => step.output(),
            None => Ok(None),
        }
    }

    /// Returns the steps whose groups have begun, each with its path in the plan, in the order of the plan.
    pub fn steps(&self) -> Vec<(String, StepState<()>)> {
        let mut found = Vec::new();
        collect(self.at.child(PLAN), &mut Vec::new(), &mut found);
        found
    }
}

/// What a node of a plan is.
enum Own {
    Step,
    Group,
}

/// Returns the place of a step's own node, or of a group's, below the item that it is.
fn own_node(item: Place) -> Option<(Place, Own)> {
    let mut at = item.child(RUNS);
    loop {
        let Some(chosen) = at.find().and_then(|node| node.chosen.clone()) else {
            // It has not begun.
            item.find()?;
            return Some((at, Own::Step));
        };
        at = at.below(chosen.to_string().into());
        match &*chosen {
            GROUP => return Some((at, Own::Group)),
            OPTIONAL | PIVOT => {}
            _ => return Some((at, Own::Step)),
        }
    }
}

fn collect(group: Place, names: &mut Vec<String>, found: &mut Vec<(String, StepState<()>)>) {
    let items = |state: &State| -> Vec<String> {
        state
            .states
            .iter()
            .map(|item| item.name.to_string())
            .collect()
    };
    for name in group.find().map(items).unwrap_or_default() {
        names.push(name.clone());
        match own_node(group.below(name.into())) {
            Some((own, Own::Step)) => found.push((path::join(&*names), StepState::view(own))),
            Some((own, Own::Group)) => collect(own, names, found),
            None => {}
        }
        names.pop();
    }
}
