//! How deep a flow may be: its levels, and the flows within each other.

use super::{Line, Table, Work};

/// Returns how many levels of nodes the saved tree of these lines may have.
const fn depth(nodes: &[Line]) -> usize {
    let mut most = 0;
    let mut index = 0;
    while index < nodes.len() {
        let below = match &nodes[index].work {
            Work::Step(_) => 1,
            Work::Group(lines)
            | Work::Parallel(lines)
            | Work::Race(lines)
            | Work::Match { arms: lines, .. } => 1 + depth(lines),
            // Items and rounds are a level of their own.
            Work::For { body, .. } | Work::Loop { body, .. } => 2 + depth(body),
            Work::If {
                then, otherwise, ..
            } => {
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
            | Work::Race(lines)
            | Work::Match { arms: lines, .. }
            | Work::For { body: lines, .. }
            | Work::Loop { body: lines, .. } => flows(lines),
            Work::If {
                then, otherwise, ..
            } => {
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
    use super::{Line, MAX_FLOWS, Table, Work, check_depth};
    use crate::model::table::{FlowHandlers, Marks, OnFailure};

    /// A flow with so many flows within each other.
    fn chain(flows: usize) -> &'static Table {
        let lines: Vec<Line> = match flows.checked_sub(1) {
            None => Vec::new(),
            Some(fewer) => vec![Line {
                name: "inner",
                aliases: &[],
                calls: "",
                uses: &[],
                marks: Marks::default(),
                work: Work::Flow(chain(fewer)),
            }],
        };
        Box::leak(Box::new(Table {
            name: "f",
            aliases: &[],
            input: &[],
            output: "()",
            check: |_| Ok(()),
            schema: None,
            nodes: lines.leak(),
            on_failure: OnFailure::Undo,
            deadline: None,
            handlers: FlowHandlers::NONE,
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
