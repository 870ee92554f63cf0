//! Clearing nodes, so that an execution that has ended can go on: what failed, or everything from
//! one node on.
//!
//! Each change of a status goes through [`Status::on`]. What is cleared is not undone: the effects
//! of a step stay, and it is run again.

use super::{Kind, Row, State, StateError, path};
use crate::model::status::{IllegalTransition, Status, Transition};

impl State {
    /// Clears what failed, so that the next pass tries it again: failure is final until this.
    ///
    /// * A step that failed, was skipped, or was taken back (well or not) is pending again, as if
    ///   never begun; its `info` is kept, as working data is between attempts.
    /// * A node above such a step runs again, its errors cleared. Its recorded decision and items
    ///   stay, unless all below it was taken back: then they are made anew.
    /// * The root, if it failed, was undone or stuck, runs again with the same input.
    /// * An execution that was stopped goes on where it was: nothing below the root is cleared.
    /// * What is done, but comes after a step that was taken back, is pending again too: it may rest
    ///   on what is no more. Steps before it, such as those before a pivot, stay.
    /// * Whatever else is done stays as it is, and so does everything below it, such as the failure of an
    ///   optional step that was passed over. Beside a step that failed for good such a failure is
    ///   cleared too.
    ///
    /// Nothing changes while the root is being undone, and where nothing had failed. Gives the
    /// number of nodes that were cleared.
    ///
    /// ```
    /// # use steps::state::State;
    /// let mut state = State::from_json(
    ///     r#"{"name":"f","err":"no","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:02Z","states":[
    ///         {"name":"a","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"},
    ///         {"name":"b","err":"no","startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02Z"}]}"#,
    /// )?;
    /// assert_eq!(state.recover(), 2);
    /// assert!(state.proceeding("") && state.succeeded("a") && !state.started("b"));
    /// assert_eq!(state.recover(), 0);
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn recover(&mut self) -> usize {
        if self.status == Status::Undoing {
            return 0;
        }
        let cleared = match self.status {
            Status::Stopped => go_on(self),
            _ => recover(self, Place::Root, &mut false),
        };
        if cleared > 0 {
            self.row = Row::default();
        }
        cleared
    }

    /// Clears the node at this [`path`], all below it, and everything after it in order, so that
    /// the next pass begins with it: the later siblings of the node and of each node above it, but
    /// not the siblings in a `parallel`, which do not come after one another. The nodes above run
    /// again. At the empty path the whole execution is pending again, with the same input.
    ///
    /// Here `info` is cleared too, and so are decisions, items and rounds. Gives the number of
    /// nodes that were cleared.
    ///
    /// Fails, and changes nothing, where there is no such node, or while the root is being undone.
    pub fn reset(&mut self, path: &str) -> Result<usize, StateError> {
        if !self.has(path) {
            let path = path.to_owned();
            return Err(StateError::NoSuchNode { path });
        }
        if self.status == Status::Undoing {
            return Err(StateError::Illegal {
                path: String::new(),
                source: IllegalTransition {
                    from: self.status,
                    transition: Transition::Recover,
                },
            });
        }
        let names: Vec<_> = path::split(path).collect();
        self.ending = None;
        self.row = Row::default();
        let mut cleared = 0;
        let mut node = self;
        let mut place = Place::Root;
        for name in names {
            cleared += usize::from(reopen(node));
            let parallel = node.kind == Kind::Parallel;
            let Some(at) = node.states.iter().position(|state| state.name == name) else {
                return Ok(cleared);
            };
            let (before, later) = node.states.split_at_mut(at + 1);
            if !parallel {
                cleared += later
                    .iter_mut()
                    .map(|state| wipe(state, Place::Below))
                    .sum::<usize>();
            }
            node = &mut before[at];
            place = Place::Below;
        }
        Ok(cleared + wipe(node, place))
    }
}

impl State {
    /// Whether there is nothing to clear, without a look at what is below.
    #[inline]
    fn is_at_rest(&self) -> bool {
        match self.status {
            Status::Done => true,
            Status::Pending | Status::Running | Status::Waiting => self.states.is_empty(),
            _ => false,
        }
    }
}

/// Where a node stands. The root keeps its input.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Below,
}

/// The status after clearing, if there is a way to it.
fn cleared(status: Status) -> Option<Status> {
    let by = |events: &[Transition]| {
        events
            .iter()
            .try_fold(status, |status, event| status.on(*event))
            .ok()
    };
    by(&[Transition::Recover])
        .or_else(|| by(&[Transition::Stop, Transition::Recover]))
        .or_else(|| by(&[Transition::UndoFail, Transition::Recover]))
}

/// `stale` says whether something before the node, in order, was taken back: then what is done may
/// rest on it, and is done anew.
fn recover(node: &mut State, place: Place, stale: &mut bool) -> usize {
    if node.status == Status::Done {
        return if *stale { wipe(node, place) } else { 0 };
    }
    let parallel = node.kind == Kind::Parallel;
    let before = *stale;
    let mut count = 0;
    for below in &mut node.states {
        if !*stale && below.is_at_rest() {
            continue;
        }
        let mut own = if parallel { before } else { *stale };
        count += recover(below, Place::Below, &mut own);
        *stale |= own;
    }
    *stale |= matches!(node.status, Status::Undone | Status::UndoFailed) && node.states.is_empty();
    let taken_back = match node.status {
        Status::Failed | Status::Stuck | Status::Stopped => false,
        Status::Skipped | Status::Undoing | Status::Undone | Status::UndoFailed => true,
        _ => return count,
    };
    count += 1;
    let nothing_below = node
        .states
        .iter()
        .all(|below| below.status == Status::Pending);
    let anew = node.states.is_empty() || (taken_back && nothing_below);
    if place == Place::Below && anew {
        forget(node, place);
        if is_decided(node.kind) {
            node.states.clear();
        }
    } else {
        if anew {
            forget_values(node, place);
        }
        reopen(node);
    }
    count
}

/// Lets an execution that was stopped go on where it was.
fn go_on(root: &mut State) -> usize {
    if root.started_at.is_some() {
        return usize::from(reopen(root));
    }
    if let Some(status) = cleared(root.status) {
        root.status = status;
    }
    root.done_at = None;
    1
}

/// Makes the node run again, with what is below it as it is. Whether that changed anything.
fn reopen(node: &mut State) -> bool {
    let status = match node.status {
        Status::Pending | Status::Running => return false,
        Status::Waiting => Some(node.status),
        status => cleared(status),
    };
    let Some(Ok(status)) = status.map(|status| status.on(Transition::Begin)) else {
        return false;
    };
    node.status = status;
    node.errors.clear();
    node.cause = None;
    node.done_at = None;
    node.until = None;
    node.undo = None;
    node.output = None;
    node.after = None;
    node.after_err = None;
    true
}

/// Makes the node pending, as if it had never begun, except for its `info` and what is below it.
fn forget(node: &mut State, place: Place) {
    if let Some(status) = cleared(node.status) {
        node.status = status;
    }
    node.errors.clear();
    node.started_at = None;
    node.done_at = None;
    node.until = None;
    node.attempts = 0;
    node.progress = None;
    node.undo = None;
    node.cause = None;
    node.verify_owed = false;
    node.failures = 0;
    forget_values(node, place);
}

/// Clears what the node recorded on the way.
fn forget_values(node: &mut State, place: Place) {
    node.decision = None;
    node.output = None;
    node.before = None;
    node.after = None;
    node.after_err = None;
    node.ending = None;
    if place == Place::Below {
        node.input = None;
    }
}

/// Whether what is below a node of this kind comes from a recorded decision.
const fn is_decided(kind: Kind) -> bool {
    matches!(kind, Kind::If | Kind::For | Kind::Loop)
}

/// Clears the node and all below it. How many of these nodes there were to clear.
fn wipe(node: &mut State, place: Place) -> usize {
    let mut count = usize::from(node.status != Status::Pending);
    count += node
        .states
        .iter_mut()
        .map(|below| wipe(below, Place::Below))
        .sum::<usize>();
    forget(node, place);
    node.info = None;
    if is_decided(node.kind) {
        node.states.clear();
    }
    count
}

#[cfg(test)]
mod tests;
