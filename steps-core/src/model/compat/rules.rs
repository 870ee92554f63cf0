//! The rules of compatibility: which lines of a scope may be missing in a saved tree, which nodes
//! it may have besides, and which saved nodes fit a line.
//!
//! A scope (the lines of one `{ … }`) is compared separately, with its saved nodes and with the
//! status of its group. So `testing` can compare all states in which a scope may be saved, without
//! building whole trees.

use serde_json::Error;

use super::{Compatibility, Fit, NodeFit};
use crate::model::{
    state::{Kind, State, path},
    status::Status,
    table::{Line, StepMeta, Table, Work},
};

/// Compares a saved tree with a flow's table.
pub(crate) fn compare(state: &State, table: &'static Table) -> Compatibility {
    let mut comparison = Comparison {
        found: Compatibility::default(),
        names: Vec::new(),
        foreign: state.id.is_none(),
    };
    comparison.lines(table.nodes, state, Group::flow(state.status));
    comparison.found
}

/// What the comparison needs to know about the group whose lines are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    room: Room,
    /// Whether the group still goes forward: it has neither failed nor ended.
    forward: bool,
}

/// What happens to a line that is new in the flow.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Room {
    /// It runs, if nothing after it has begun.
    InOrder,
    /// It runs: no line of the group comes after it.
    AtOnce,
    /// It never runs, because the group is done, so its value would be missing in the group's
    /// value.
    No,
}

impl Group {
    /// A flow that was saved in this status. Its output is saved, so it may have new lines even
    /// when it is done.
    pub(crate) fn flow(status: Status) -> Self {
        Self {
            room: Room::InOrder,
            forward: matches!(status, Status::Running | Status::Waiting),
        }
    }

    /// The group of a line. `status` is the saved status of the line's node; for a `for` or a
    /// `loop`, that of the item or round.
    pub(crate) fn of(node: &Line, status: Status) -> Self {
        let room = match node.work {
            Work::Flow(_) => return Self::flow(status),
            Work::Parallel(_) => Room::AtOnce,
            Work::Step(_)
            | Work::Group(_)
            | Work::If { .. }
            | Work::For { .. }
            | Work::Loop { .. } => Room::InOrder,
        };
        let room = if status == Status::Done {
            Room::No
        } else {
            room
        };
        Self {
            room,
            ..Self::flow(status)
        }
    }

    /// Returns whether a new line may still run.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn is_open(self) -> bool {
        self.room != Room::No
    }

    /// Returns whether the group passed over a failed line. `before_active` says whether a later
    /// line had begun.
    fn passed_over(self, before_active: bool) -> bool {
        match self.room {
            Room::InOrder => self.forward && before_active,
            Room::AtOnce => false,
            Room::No => true,
        }
    }
}

/// How one line compares with the saved nodes of its scope.
#[derive(Debug)]
pub(crate) enum Match<'a> {
    /// The line has a saved node.
    Saved(&'static Line, &'a State),
    /// The line failed and was passed over, because it was optional when it was saved; now it
    /// isn't.
    PassedOver(&'static Line),
    /// The line is new. The flag says whether that prevents a resume.
    Added(&'static Line, bool),
    /// The line is gone. The flag says whether that prevents a resume.
    Removed(&'a State, bool),
}

/// Compares the lines of one scope with its saved nodes, but not what is below these nodes.
pub(crate) fn scope<'a>(
    nodes: &'static [Line],
    states: &'a [State],
    group: Group,
) -> impl Iterator<Item = Match<'a>> {
    let saved = |node: &Line| states.iter().rfind(|state| node.answers_to(&state.name));
    let begun = |state: &State| state.started_at.is_some() || state.status != Status::Pending;
    let last_begun = nodes
        .iter()
        .rposition(|node| saved(node).is_some_and(begun));
    let active = |state: &State| {
        matches!(
            state.status,
            Status::Running | Status::Waiting | Status::Done
        )
    };
    let last_active = nodes
        .iter()
        .rposition(|node| saved(node).is_some_and(active));
    let lines = nodes.iter().enumerate().map(move |(index, node)| {
        let before = |last: Option<usize>| last.is_some_and(|last| index < last);
        match saved(node) {
            Some(state) => {
                let failed = matches!(state.status, Status::Failed | Status::Undone);
                if failed && !node.marks.optional && group.passed_over(before(last_active)) {
                    Match::PassedOver(node)
                } else {
                    Match::Saved(node, state)
                }
            }
            None => Match::Added(
                node,
                match group.room {
                    Room::InOrder => before(last_begun) && !node.marks.optional,
                    Room::AtOnce => false,
                    Room::No => true,
                },
            ),
        }
    });
    let removed = states
        .iter()
        .filter(|state| !nodes.iter().any(|node| node.answers_to(&state.name)));
    lines.chain(removed.map(move |state| Match::Removed(state, begun(state))))
}

struct Comparison {
    found: Compatibility,
    names: Vec<String>,
    /// Whether another program wrote the tree; its nodes have no kinds.
    foreign: bool,
}

impl Comparison {
    fn say(&mut self, fit: Fit, breaks: bool) {
        self.found.nodes.push(NodeFit {
            path: path::join(&self.names),
            fit,
            breaks,
        });
    }

    fn lines(&mut self, nodes: &'static [Line], above: &State, group: Group) {
        for line in scope(nodes, &above.states, group) {
            let name = match &line {
                Match::Saved(node, _) | Match::PassedOver(node) | Match::Added(node, _) => {
                    node.name
                }
                Match::Removed(state, _) => &state.name,
            };
            self.names.push(name.to_owned());
            match line {
                Match::Saved(node, state) => self.node(node, state),
                Match::PassedOver(_) => {
                    let why = "it failed, which was passed over, and it is not `#[optional]` any \
                               more";
                    self.say(Fit::Retyped { why: why.into() }, true);
                }
                Match::Added(_, breaks) => self.say(Fit::Added, breaks),
                Match::Removed(_, breaks) => self.say(Fit::Removed, breaks),
            }
            self.names.pop();
        }
    }

    fn node(&mut self, node: &'static Line, state: &State) {
        if let Some(why) = misfit(node, state, self.foreign, Outputs::Values) {
            return self.say(Fit::Retyped { why }, state.started_at.is_some());
        }
        if node.name == state.name {
            self.say(Fit::Same, false);
        } else {
            let from = state.name.to_string();
            self.say(Fit::Renamed { from }, false);
        }
        let group = Group::of(node, state.status);
        match &node.work {
            Work::Step(_) => {}
            Work::If { .. } => {
                if !state.states.is_empty() || state.decision.is_some() {
                    let branch = node.work.own_lines(state.decision);
                    self.lines(branch, state, group);
                }
            }
            Work::For { body, .. } | Work::Loop { body, .. } => {
                for item in &state.states {
                    if !item.states.is_empty() {
                        self.names.push(item.name.to_string());
                        self.lines(body, item, Group::of(node, item.status));
                        self.names.pop();
                    }
                }
            }
            Work::Group(lines) | Work::Parallel(lines) | Work::Flow(Table { nodes: lines, .. }) => {
                if !state.states.is_empty() || state.started_at.is_some() {
                    self.lines(lines, state, group);
                }
            }
        }
    }
}

/// How to find out whether a saved output can still be read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outputs {
    /// By decoding it.
    Values,
    /// By the text of its type, which is stored instead of the output.
    #[cfg(any(test, feature = "testing"))]
    Types,
}

/// Returns why the saved node does not fit the flow's line, if it does not. In a `foreign` tree,
/// which has no kinds, a node with children may be a group of any kind.
pub(crate) fn misfit(
    node: &Line,
    state: &State,
    foreign: bool,
    outputs: Outputs,
) -> Option<String> {
    let has_lines = match node.work {
        Work::Group(_) | Work::Parallel(_) | Work::If { .. } | Work::Flow(_) => true,
        // Its children are items or rounds, which a foreign tree can't have.
        Work::Step(_) | Work::For { .. } | Work::Loop { .. } => false,
    };
    let any_group = foreign && state.kind == Kind::Step && state.output.is_none() && has_lines;
    let both_plain = state.kind.is_plain_group() && node.kind().is_plain_group();
    let same = state.kind == node.kind() || both_plain || any_group;
    if !same {
        state.started_at?;
        return Some(format!(
            "its kind was `{}`, and is `{}` now",
            state.kind,
            node.kind()
        ));
    }
    match &node.work {
        Work::Step(_) if !state.states.is_empty() => {
            Some("it was a group, and is a step now".to_owned())
        }
        Work::Step(meta) => output(meta, state, outputs),
        Work::For { .. } => items(state),
        Work::Group(_) | Work::Parallel(_) | Work::If { .. } | Work::Loop { .. } => None,
        Work::Flow(table) => input(table, state, outputs),
    }
}

/// Returns why a nested flow's saved input can't be read, if a field of it is taken by no parameter.
fn input(table: &Table, state: &State, outputs: Outputs) -> Option<String> {
    // A flow that is done is not entered any more, but in a rollback.
    if !matches!(outputs, Outputs::Values) {
        return None;
    }
    let saved = state.input.as_ref()?;
    let fields = saved.decode::<std::collections::BTreeMap<String, crate::base::json::Json>>();
    let why = fields.ok()?.keys().find_map(|field| table.untaken(field))?;
    Some(format!("its saved input can't be read: {why}"))
}

/// Returns why a step's saved output can't be read, if it can't.
fn output(meta: &StepMeta, state: &State, outputs: Outputs) -> Option<String> {
    let was_done = match state.status {
        Status::Done => true,
        // One with an error failed, and was taken back at once: no output of it was recorded.
        Status::Undoing | Status::UndoFailed => state.errors.is_empty(),
        _ => false,
    };
    if !was_done || meta.volatile {
        return None;
    }
    let parse = |text: &str| (meta.check)(text).map_err(|e: Error| e.to_string());
    let read = match (&state.output, &state.info, outputs) {
        #[cfg(any(test, feature = "testing"))]
        (Some(ty), _, Outputs::Types) => {
            let was = ty.decode::<String>().unwrap_or_default();
            if was == meta.output {
                return None;
            }
            return Some(format!("it gave `{was}`, and gives `{}` now", meta.output));
        }
        (Some(output), _, Outputs::Values) => parse(output.get()),
        (None, Some(info), _) => parse(info.get()).or_else(|_| parse("null")),
        (None, None, _) => parse("null"),
    };
    read.err()
        .map(|why| format!("its saved output can't be read: {why}"))
}

/// Returns the mismatch, if a `for` does not have a node for each of its items.
fn items(state: &State) -> Option<String> {
    let items = state.input.as_ref()?.decode::<Vec<serde::de::IgnoredAny>>();
    match items {
        Ok(items) if items.len() == state.states.len() => None,
        Ok(items) => Some(format!(
            "it has {} items and {} nodes for them",
            items.len(),
            state.states.len()
        )),
        Err(e) => Some(format!("its items can't be read: {e}")),
    }
}
