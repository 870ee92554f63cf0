//! Finds the lines of a scope by the names of saved nodes, in one step each however many lines there are.

use std::collections::HashMap;

use super::Line;
use crate::model::state::State;

/// In a scope with so many lines, looking at one after the other takes no longer.
const FEW: usize = 16;

/// The lines of a scope, by their names and aliases.
pub(crate) struct Lookup {
    nodes: &'static [Line],
    by_name: HashMap<&'static str, usize>,
}

impl Lookup {
    pub(crate) fn of(nodes: &'static [Line]) -> Self {
        let mut by_name = HashMap::new();
        if nodes.len() > FEW {
            for (index, node) in nodes.iter().enumerate() {
                for name in std::iter::once(&node.name).chain(node.aliases) {
                    by_name.entry(*name).or_insert(index);
                }
            }
        }
        Self { nodes, by_name }
    }

    /// Returns the number of the line that was or is saved under this name.
    pub(crate) fn line(&self, name: &str) -> Option<usize> {
        if self.by_name.is_empty() {
            return self.nodes.iter().position(|node| node.answers_to(name));
        }
        self.by_name.get(name).copied()
    }

    /// Returns the saved node of each line. If a name occurs twice, the later node counts.
    pub(crate) fn states<'a>(&self, states: &'a [State]) -> Vec<Option<&'a State>> {
        let mut found = vec![None; self.nodes.len()];
        for state in states {
            if let Some(line) = self.line(&state.name) {
                found[line] = Some(state);
            }
        }
        found
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{
        interpreter::records::Records,
        model::{
            compat,
            policy::Policy,
            state::{Kind, NodeData},
            status::Status,
            table::{FlowHandlers, Marks, OnFailure, StepMeta, Table, Work},
        },
    };

    thread_local! {
        /// How many lines this thread has asked for their names.
        pub(crate) static ASKED: Cell<usize> = const { Cell::new(0) };
    }

    fn leak<T>(value: T) -> &'static T {
        Box::leak(Box::new(value))
    }

    fn lines(count: usize) -> &'static [Line] {
        let line = |index: usize| Line {
            name: leak(format!("n{index}")),
            aliases: leak([leak(format!("old{index}")).as_str()]),
            calls: "",
            uses: if index == 0 { &[] } else { leak([index - 1]) },
            marks: Marks::default(),
            work: Work::Step(StepMeta {
                policy: Policy::NONE,
                undo_policy: Policy::NONE,
                undo: true,
                verify: false,
                observe: false,
                stop: None,
                check_in: None,
                kind: None,
                signal: None,
                output: "()",
                check: |_| Ok(()),
                schema: None,
                before: None,
            }),
        };
        Vec::leak((0..count).map(line).collect())
    }

    fn node(name: String) -> State {
        let at = Some(jiff::Timestamp::UNIX_EPOCH);
        State::from(NodeData {
            name: name.into(),
            status: Status::Done,
            started_at: at,
            done_at: at,
            ..NodeData::default()
        })
    }

    /// Taking up a state asked each line for each node, and each node for each line.
    #[test]
    fn a_state_with_many_lines_is_taken_up_in_proportion_to_them() {
        const COUNT: usize = 3000;
        let nodes = lines(COUNT);
        let table = leak(Table {
            name: "f",
            aliases: &[],
            input: &[],
            output: "()",
            check: |_| Ok(()),
            schema: None,
            nodes,
            on_failure: OnFailure::Undo,
            deadline: None,
            handlers: FlowHandlers::NONE,
        });
        let mut state = node("f".to_owned());
        state.kind = Kind::Flow;
        state.status = Status::Running;
        state.id = Some("x".into());
        // Half under their old names, and in the opposite order.
        let name = |index: usize| if index.is_multiple_of(2) { "n" } else { "old" };
        let saved = (0..COUNT).rev();
        state.states = saved
            .map(|index| node(format!("{}{index}", name(index))))
            .collect();
        ASKED.set(0);
        let comparison = compat::compare(&state, table);
        assert!(comparison.is_compatible(), "{comparison:?}");
        assert_eq!(comparison.nodes.len(), COUNT);
        let records = Records::from_state(&state, table.name, table.nodes);
        let order = records.in_order(1, nodes);
        assert_eq!((order[0], order[COUNT - 1]), (COUNT - 1, 0));
        assert!(ASKED.get() <= COUNT, "{}", ASKED.get());
    }

    #[test]
    fn a_line_is_found_by_each_of_its_names_however_many_there_are() {
        for count in [2, FEW, FEW + 1, 100] {
            let lookup = Lookup::of(lines(count));
            let last = count - 1;
            assert_eq!(lookup.line(&format!("n{last}")), Some(last));
            assert_eq!(lookup.line(&format!("old{last}")), Some(last));
            assert_eq!(lookup.line(&format!("n{count}")), None);
            // The later of two counts.
            let states = [node("n0".to_owned()), node("old0".to_owned())];
            let found = lookup.states(&states);
            assert_eq!(found[0].map(|state| &*state.name), Some("old0"));
            assert!(found[1..].iter().all(Option::is_none));
        }
    }
}
