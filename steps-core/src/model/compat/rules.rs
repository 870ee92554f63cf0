//! The rules of compatibility: which lines of a scope may be missing in a saved tree, which nodes
//! it may have besides, and which saved nodes fit a line.
//!
//! A scope (the lines of one `{ … }`) is compared separately, with its saved nodes and with the
//! status of its group. So `testing` can compare all states in which a scope may be saved, without
//! building whole trees.

use super::{
    Compatibility, Fit, NodeFit,
    recorded::{Outputs, is_read_again, misfit},
};
use crate::model::{
    state::{Kind, State, path},
    status::Status,
    table::{Line, Table, Work, lookup::Lookup},
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
    /// Whether the group or one around it is being undone, or was: nothing of it begins any more.
    back: bool,
    /// Whether what is still to be undone uses the value of the group.
    used: bool,
}

/// What happens to a line that is new in the flow.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Room {
    /// It runs, if nothing after it has begun.
    InOrder,
    /// It runs: no line of the group comes after it.
    AtOnce,
    /// It never runs, and its value is missing nowhere: another arm was taken.
    Not,
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
            back: matches!(
                status,
                Status::Undoing | Status::Undone | Status::UndoFailed | Status::Stuck
            ),
            used: true,
        }
    }

    /// The group of a line. `status` is the saved status of the line's node; for a `for` or a
    /// `loop`, that of the item or round.
    pub(crate) fn of(node: &Line, status: Status) -> Self {
        let room = match node.work {
            Work::Flow(_) => return Self::flow(status),
            Work::Parallel(_) => Room::AtOnce,
            // Once one is done or taken, the value needs no other line.
            Work::Race(_) | Work::Match { .. } => {
                let is_over = status == Status::Done && matches!(node.work, Work::Match { .. });
                return Self {
                    room: if is_over { Room::Not } else { Room::AtOnce },
                    ..Self::flow(status)
                };
            }
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

    /// The same group within another. `used` says whether lines of that one use its value.
    fn within(self, outer: Self, used: bool) -> Self {
        Self {
            back: self.back || outer.back,
            // The value of a group that is done is a part of the one around it.
            used: used || (outer.used && outer.room == Room::No),
            ..self
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
            Room::Not | Room::No => true,
        }
    }
}

/// How one line compares with the saved nodes of its scope.
#[derive(Debug)]
pub(crate) enum Match<'a> {
    /// The line has a saved node.
    Saved {
        node: &'static Line,
        state: &'a State,
        /// Whether a line whose arguments are evaluated again uses its value.
        used: bool,
    },
    /// The line failed and was passed over, because it was `#[optional]` or `#[caught]` when it was
    /// saved; now it isn't.
    PassedOver(&'static Line),
    /// The line has no value yet, or none any more, and this line beside it, which uses that now, has
    /// begun without it.
    Unordered(&'static Line, &'static Line),
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
    let lookup = Lookup::of(nodes);
    let saved = lookup.states(states);
    let begun = |state: &State| state.started_at.is_some() || state.status != Status::Pending;
    let last = |atomic: bool| {
        let counts = |node: &Line| atomic || !node.marks.atomic;
        nodes.iter().zip(&saved).rposition(|(node, state)| {
            let state = state.filter(|_| counts(node));
            state.is_some_and(begun)
        })
    };
    // After a recovery, a line that failed has not begun, and an atomic one behind it may be done.
    let (last_begun, last_in_order) = (last(true), last(false));
    let active = |state: &State| {
        matches!(
            state.status,
            Status::Running | Status::Waiting | Status::Done
        )
    };
    let last_active = saved.iter().rposition(|state| state.is_some_and(active));
    let used = used(nodes, &saved);
    let users = match group.room {
        Room::AtOnce => users(nodes, &saved),
        Room::InOrder | Room::Not | Room::No => vec![None; nodes.len()],
    };
    let lines = nodes.iter().zip(saved).zip(used).zip(users).enumerate();
    let lines = lines.map(move |(index, (((node, state), used), user))| {
        let before = |last: Option<usize>| last.is_some_and(|last| index < last);
        // It would begin after lines that stand behind it.
        let late = |last| {
            let begins_late = before(last) && !node.marks.passes_over() && !group.back;
            begins_late || used
        };
        match state {
            Some(state)
                if group.room == Room::InOrder
                    && !begun(state)
                    && !node.has_volatile()
                    && late(last_in_order) =>
            {
                Match::Added(node, true)
            }
            Some(state)
                if let Some(user) = user
                    && lacks_value(node, state) =>
            {
                Match::Unordered(node, user)
            }
            Some(state) => {
                let failed = matches!(state.status, Status::Failed | Status::Undone);
                if failed && !node.marks.passes_over() && group.passed_over(before(last_active)) {
                    Match::PassedOver(node)
                } else {
                    Match::Saved { node, state, used }
                }
            }
            None => Match::Added(
                node,
                match group.room {
                    Room::InOrder => late(last_begun),
                    Room::AtOnce | Room::Not => used,
                    Room::No => !group.back || group.used || used,
                },
            ),
        }
    });
    let removed = states
        .iter()
        .filter(move |state| lookup.line(&state.name).is_none());
    lines.chain(removed.map(move |state| Match::Removed(state, begun(state))))
}

/// Returns for each line whether another one, whose arguments are evaluated again, by its undo at the
/// latest, uses its value.
fn used(nodes: &[Line], saved: &[Option<&State>]) -> Vec<bool> {
    let mut used = vec![false; nodes.len()];
    for (node, state) in nodes.iter().zip(saved) {
        if state.is_some_and(is_read_again) {
            for index in node.uses {
                used[*index] = true;
            }
        }
    }
    used
}

/// What is said of a line whose value another line uses, which began without it.
pub(crate) fn without_it(user: &str) -> String {
    format!("`{user}` uses its value now, and began without it")
}

/// Returns for each line of a `parallel` one that uses its value, and began or is to be undone, if there
/// is one.
fn users(nodes: &'static [Line], saved: &[Option<&State>]) -> Vec<Option<&'static Line>> {
    let needs_it = |state: &State| match state.status {
        Status::Running | Status::Waiting | Status::Done | Status::Undoing | Status::UndoFailed => {
            true
        }
        Status::Failed => state.kind != Kind::Step,
        _ => false,
    };
    let mut users = vec![None; nodes.len()];
    for (user, state) in nodes.iter().zip(saved) {
        if state.is_some_and(needs_it) {
            for index in user.uses {
                users[*index].get_or_insert(user);
            }
        }
    }
    users
}

/// Returns whether a line has no value yet, or none any more: a line that uses it, and has begun, did not
/// use it when it began.
fn lacks_value(node: &Line, state: &State) -> bool {
    let has_value = match state.status {
        Status::Done => true,
        Status::Undoing | Status::UndoFailed => state.kind == Kind::Step && state.errors.is_empty(),
        Status::Failed | Status::Undone => node.marks.passes_over(),
        _ => false,
    };
    !has_value && !node.has_volatile()
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
                Match::Saved { node, .. }
                | Match::PassedOver(node)
                | Match::Unordered(node, _)
                | Match::Added(node, _) => node.name,
                Match::Removed(state, _) => &state.name,
            };
            self.names.push(name.to_owned());
            match line {
                Match::Saved { node, state, used } => self.node(node, state, group, used),
                Match::PassedOver(_) => {
                    let why = "it failed, which was passed over, and it is neither `#[optional]` nor \
                               `#[caught]` any more";
                    self.say(Fit::Retyped { why: why.into() }, true);
                }
                Match::Unordered(_, user) => {
                    let why = without_it(user.name);
                    self.say(Fit::Retyped { why }, true);
                }
                Match::Added(_, breaks) => self.say(Fit::Added, breaks),
                Match::Removed(_, breaks) => self.say(Fit::Removed, breaks),
            }
            self.names.pop();
        }
    }

    fn node(&mut self, node: &'static Line, state: &State, outer: Group, used: bool) {
        if let Some(why) = misfit(node, state, self.foreign, Outputs::Values) {
            return self.say(Fit::Retyped { why }, state.started_at.is_some());
        }
        if node.name == state.name {
            self.say(Fit::Same, false);
        } else {
            let from = state.name.to_string();
            self.say(Fit::Renamed { from }, false);
        }
        let group = Group::of(node, state.status).within(outer, used);
        match &node.work {
            Work::Step(_) => {}
            Work::If { .. } => {
                if !state.states.is_empty() || state.decision.is_some() {
                    let branch = node.work.own_lines(node.work.way(state));
                    self.lines(branch, state, group);
                }
            }
            Work::For { body, .. } | Work::Loop { body, .. } => {
                for item in &state.states {
                    if !item.states.is_empty() {
                        self.names.push(item.name.to_string());
                        // A round may use the one before.
                        let used = used || matches!(node.work, Work::Loop { .. });
                        let group = Group::of(node, item.status).within(outer, used);
                        self.lines(body, item, group);
                        self.names.pop();
                    }
                }
            }
            Work::Group(lines)
            | Work::Parallel(lines)
            | Work::Race(lines)
            | Work::Match { arms: lines, .. }
            | Work::Flow(Table { nodes: lines, .. }) => {
                if !state.states.is_empty() || state.started_at.is_some() {
                    self.lines(lines, state, group);
                }
            }
        }
    }
}
