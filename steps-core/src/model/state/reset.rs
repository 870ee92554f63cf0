//! Clearing everything from one node on, so that an execution begins again with it.
//!
//! What comes before the node stays as it is, so it must have ended well: otherwise the execution
//! would not get to the node, or would get there without an effect that the node rests on.

use std::fmt;

use super::{
    Kind, Row, State, StateError, path,
    recover::{Place, reopen, wipe},
};
use crate::model::status::Status;

impl State {
    /// Clears the node at this [`path`], everything below it, and everything after it in order, so
    /// that the next pass begins with this node. "After it" means the later siblings of the node
    /// and of each node above it, except among the items of a `for … parallel`, which have no order,
    /// and in a `parallel`, where it means the lines that use its value, and those that use theirs. The nodes above run again. With the empty path, the whole execution
    /// becomes pending, with the same input.
    ///
    /// Unlike [`recover`](Self::recover), this also clears `info`, decisions, items and rounds.
    /// Returns the number of cleared nodes.
    ///
    /// # Errors
    ///
    /// Nothing changes if there is an error:
    ///
    /// * [`StateError::NoSuchNode`] if there is no such node: its step has not been reached.
    /// * [`StateError::Refused`] while the execution is being undone; and if a node before this one,
    ///   or beside it in a `parallel`, has not ended well: it failed, was undone, or has not ended.
    ///   The error names that node.
    pub fn reset(&mut self, path: &str) -> Result<usize, StateError> {
        if self.status == Status::Undoing {
            let why = format!(
                "can't begin again with {}: the execution is being undone; wait until that has \
                 ended",
                Named(path)
            );
            return Err(StateError::refused("", self.status, why));
        }
        let names: Vec<_> = path::split(path).collect();
        self.check_reset(path, &names)?;
        self.begin_generation_from_a_step();
        self.ending = None;
        self.row = Row::default();
        let mut cleared = 0;
        let mut node = self;
        let mut place = Place::Root;
        for name in names {
            cleared += usize::from(reopen(node));
            let (order, kind) = (node.order(), node.kind);
            let Some(at) = node.states.iter().position(|state| state.name == name) else {
                return Ok(cleared);
            };
            if order == Order::None {
                for user in node.users(at) {
                    cleared += wipe(&mut node.states[user], Place::Below);
                }
            }
            if order == Order::One {
                let later = node.states[at + 1..].iter_mut();
                cleared += later.map(|state| wipe(state, Place::Below)).sum::<usize>();
                if kind == Kind::Loop {
                    // Whether there is another round is decided at the end of this one.
                    node.states.truncate(at + 1);
                }
            }
            node = &mut node.states[at];
            place = Place::Below;
        }
        let until = node.until.filter(|_| node.time_to_begin().is_some());
        cleared += wipe(node, place);
        if place == Place::Root {
            node.until = until;
        }
        Ok(cleared)
    }

    /// Checks that the node is there, and that an execution that goes on gets to it.
    fn check_reset(&self, path: &str, names: &[impl AsRef<str>]) -> Result<(), StateError> {
        let mut node = self;
        for (depth, name) in names.iter().enumerate() {
            let at = node
                .states
                .iter()
                .position(|state| state.name == name.as_ref());
            let at = at.ok_or_else(|| StateError::NoSuchNode {
                path: path.to_owned(),
            })?;
            if let Some(chosen) = &node.chosen
                && node.kind == Kind::Race
                && **chosen != *node.states[at].name
            {
                let race = path::join(names[..depth].iter().map(AsRef::as_ref));
                let why = format!(
                    "can't begin again with `{path}`: it has lost the race to `{chosen}`; begin again \
                     with `{race}`"
                );
                return Err(StateError::refused(race, node.status, why));
            }
            if let Some(other) = node.in_the_way(at) {
                let above = names[..depth].iter().map(AsRef::as_ref);
                let other_path = path::join(above.chain([&*other.name]));
                let place = match node.order() {
                    Order::One => "before",
                    Order::None => "beside",
                };
                let why = format!(
                    "can't begin again with `{path}`: `{other_path}` {place} it {}",
                    was(other.status)
                );
                return Err(StateError::refused(other_path, other.status, why));
            }
            node = &node.states[at];
        }
        Ok(())
    }

    /// Returns the child that keeps the one with this index from beginning, or from counting.
    fn in_the_way(&self, index: usize) -> Option<&State> {
        let (before, rest) = self.states.split_at(index);
        match self.order() {
            // Another line has won, or has not.
            Order::None if self.kind == Kind::Race => None,
            Order::One => {
                let mut begun = rest.iter().any(State::has_begun);
                // A failure is passed over, if the step is optional, before a later one begins.
                let mut found = None;
                for node in before.iter().rev() {
                    if !(node.status == Status::Done || begun && node.was_passed_over()) {
                        found = Some(node);
                    }
                    begun |= node.has_begun();
                }
                found
            }
            Order::None => {
                let users = self.users(index);
                let others = self.states.iter().enumerate();
                let others = others.filter(|(other, _)| *other != index && !users.contains(other));
                let others = others.map(|(_, node)| node);
                let is_done = self.status == Status::Done;
                let mut ended = others.filter(|node| node.status.is_final());
                ended.find(|node| {
                    !(node.status == Status::Done || is_done && node.was_passed_over())
                })
            }
        }
    }

    /// Returns the children that use the value of the one with this index, or of one that does.
    fn users(&self, index: usize) -> Vec<usize> {
        let mut names = vec![&self.states[index].name];
        let mut users = Vec::new();
        for (at, child) in self.states.iter().enumerate() {
            // A damaged document may say that a line needs itself.
            if at != index && child.needs.iter().any(|need| names.contains(&need)) {
                names.push(&child.name);
                users.push(at);
            }
        }
        users
    }

    fn has_begun(&self) -> bool {
        !matches!(self.status, Status::Pending | Status::Skipped)
    }

    /// Whether this is what the failure of an optional line looks like after it was passed over.
    fn was_passed_over(&self) -> bool {
        match self.status {
            Status::Failed => true,
            // A group, which was undone; one that was done first has no errors.
            Status::Undone => !self.errors.is_empty(),
            _ => false,
        }
    }

    fn order(&self) -> Order {
        if self.kind.is_parallel() || self.kind == Kind::For && self.parallel {
            Order::None
        } else {
            Order::One
        }
    }
}

/// The order in which a node's children run.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// One after the other.
    One,
    /// At once.
    None,
}

/// Says of what does not allow a reset why, and what to do.
fn was(status: Status) -> &'static str {
    match status {
        Status::Undone => "was undone; begin again with that, or recover the execution",
        Status::UndoFailed => {
            "could not be undone; begin again with that, or bring the rollback to its end"
        }
        Status::Failed => "failed; begin again with that, or recover the execution",
        Status::Skipped => "was skipped; recover the execution",
        _ => "has not ended; begin again with that, or let the execution go on",
    }
}

/// A path, as a text about it says it.
struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("its first step"),
            path => write!(f, "`{path}`"),
        }
    }
}

#[cfg(test)]
mod tests;
