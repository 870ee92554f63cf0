//! The differences between two states, node by node, for tools.

use std::{collections::HashMap, fmt};

use super::{State, path};

/// One difference between two states.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Only the second state has the node, with everything below it.
    Added {
        /// The node's [`path`].
        path: String,
    },
    /// Only the first state has the node, with everything below it.
    Removed {
        /// The node's [`path`].
        path: String,
    },
    /// Both states have the node, and it differs.
    Changed {
        /// The node's [`path`].
        path: String,
        /// The fields that differ, by their JSON names; unknown fields are called `extra`. `states`
        /// means that the children in both states have a different order.
        fields: Vec<&'static str>,
    },
}

impl Change {
    /// Returns the path of the node.
    pub fn path(&self) -> &str {
        match self {
            Self::Added { path } | Self::Removed { path } | Self::Changed { path, .. } => path,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { path } => write!(f, "+ {path}"),
            Self::Removed { path } => write!(f, "- {path}"),
            Self::Changed { path, fields } => write!(f, "~ {path}: {}", fields.join(", ")),
        }
    }
}

impl State {
    /// Returns the changes that turn this state into `other`. Nodes are matched by their path. The
    /// changes are in the order of `other`; a removed node comes after its remaining siblings. The
    /// list is empty if the two states are equal.
    ///
    /// ```
    /// # use steps::state::State;
    /// let old = State::from_json(r#"{"name":"f","states":[{"name":"a"},{"name":"b"}]}"#)?;
    /// let new = State::from_json(r#"{"name":"f","states":[{"name":"a","info":1},{"name":"c"}]}"#)?;
    /// let changes: Vec<String> = old.diff(&new).iter().map(ToString::to_string).collect();
    /// assert_eq!(changes, ["~ a: info", "+ c", "- b"]);
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn diff(&self, other: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        compare(self, other, &mut String::new(), &mut changes);
        changes
    }
}

fn compare(old: &State, new: &State, path: &mut String, changes: &mut Vec<Change>) {
    let mut left: HashMap<&str, (usize, &State)> = HashMap::with_capacity(old.states.len());
    for (place, state) in old.states.iter().enumerate() {
        left.entry(&state.name).or_insert((place, state));
    }
    let pairs: Vec<_> = new
        .states
        .iter()
        .map(|state| (state, left.remove(&*state.name)))
        .collect();

    let mut fields = old.node.differing(&new.node);
    if !pairs
        .iter()
        .filter_map(|(_, old)| old.map(|(place, _)| place))
        .is_sorted()
    {
        fields.push("states");
    }
    if !fields.is_empty() {
        let path = path.clone();
        changes.push(Change::Changed { path, fields });
    }

    let length = path.len();
    for (new, old) in pairs {
        path::push(path, &new.name);
        match old {
            Some((_, old)) => compare(old, new, path, changes),
            None => changes.push(Change::Added { path: path.clone() }),
        }
        path.truncate(length);
    }
    let mut removed: Vec<_> = left.into_values().collect();
    removed.sort_unstable_by_key(|(place, _)| *place);
    for (_, old) in removed {
        path::push(path, &old.name);
        changes.push(Change::Removed { path: path.clone() });
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::state::{NodeData, arbitrary};

    fn read(text: &str) -> State {
        State::from_json(text).unwrap()
    }

    #[test]
    fn the_go_files_differ_where_the_flow_went_on() {
        let pending = read(include_str!(
            "../../../../tests/data/go-move-to-vpc-pending.json"
        ));
        let mut later = pending.clone();
        let network = later.get_mut("preFlight.chkNetwork").unwrap();
        network.done_at = network.started_at;
        network.status = crate::model::status::Status::Done;
        network.info = None;
        let in_flight = NodeData {
            name: "inFlight".into(),
            ..NodeData::default()
        };
        later.states.push(in_flight.into());
        assert_eq!(
            pending.diff(&later),
            [
                Change::Changed {
                    path: "preFlight.chkNetwork".into(),
                    fields: vec!["info", "doneAt", "status"],
                },
                Change::Added {
                    path: "inFlight".into(),
                },
            ],
        );
    }

    #[test]
    fn another_order_is_a_change_of_the_node_above() {
        let old = read(r#"{"name":"f","states":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#);
        let new = read(r#"{"name":"f","states":[{"name":"b"},{"name":"x"},{"name":"a"}]}"#);
        let changes: Vec<_> = old.diff(&new).iter().map(Change::to_string).collect();
        assert_eq!(changes, ["~ : states", "+ x", "- c"]);
    }

    proptest! {
        #[test]
        fn empty_exactly_where_equal(a in arbitrary::state(), b in arbitrary::state()) {
            prop_assert_eq!(a.diff(&a), []);
            prop_assert_eq!(a.diff(&b).is_empty(), a == b);
        }

        #[test]
        fn the_other_way_round_is_the_reverse(a in arbitrary::state(), b in arbitrary::state()) {
            let count = |changes: &[Change]| {
                let mut count = [0; 3];
                for change in changes {
                    count[match change {
                        Change::Added { .. } => 0,
                        Change::Removed { .. } => 1,
                        Change::Changed { .. } => 2,
                    }] += 1;
                }
                count
            };
            let [added, removed, changed] = count(&a.diff(&b));
            prop_assert_eq!(count(&b.diff(&a)), [removed, added, changed]);
        }
    }
}
