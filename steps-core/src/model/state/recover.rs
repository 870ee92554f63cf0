//! Clearing what failed, so that an execution that has ended can continue; and how one node is
//! cleared. Clearing everything from one node on is in `reset`.
//!
//! Each change of a status goes through [`Status::on`]. Clearing is not undoing: the effects of a
//! step stay, and the step runs again.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{Ending, Kind, Row, State, StateError, Until, path};
use crate::model::status::{Status, Transition};

impl State {
    /// Clears what failed, so that the next pass tries it again. Without this, a failure is final.
    ///
    /// * A step that failed, was skipped, or was undone (successfully or not) becomes pending, as
    ///   if it had never begun. Its `info` is kept, like working data between attempts.
    /// * A node above such a step runs again, with its errors cleared. Its recorded decision and
    ///   items stay, unless everything below it was undone; then they are evaluated again.
    /// * The root runs again with the same input, if it failed or was undone.
    /// * An execution that was stopped continues where it stopped: nothing below the root is
    ///   cleared.
    /// * A node that is done but comes after an undone step becomes pending too, because it may
    ///   depend on an effect that no longer exists. Steps before the undone step, such as those
    ///   before a pivot, stay done.
    /// * Every other node that is done stays as it is, with everything below it, such as the
    ///   failure of an optional step that was passed over. But beside a step that failed for good,
    ///   such a failure is cleared too.
    ///
    /// Returns the number of cleared nodes, which is 0 if nothing had failed.
    ///
    /// # Errors
    ///
    /// [`StateError::Refused`], and nothing changes, while the execution is being undone, and after
    /// an undo has failed: its step's effect may still be there, and the step must not run a second
    /// time over it. [`retry_undo`](Self::retry_undo), [`skip_undo`](Self::skip_undo) or
    /// [`mark_undone`](Self::mark_undone) comes first.
    ///
    /// ```
    /// # use steps::state::State;
    /// let mut state = State::from_json(
    ///     r#"{"name":"f","err":"no","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:02Z","states":[
    ///         {"name":"a","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"},
    ///         {"name":"b","err":"no","startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02Z"}]}"#,
    /// )?;
    /// assert_eq!(state.recover()?, 2);
    /// assert!(state.proceeding("") && state.succeeded("a") && !state.started("b"));
    /// assert_eq!(state.recover()?, 0);
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn recover(&mut self) -> Result<usize, StateError> {
        self.check_recover()?;
        let cleared = match self.status {
            Status::Stopped => go_on(self),
            _ => {
                self.begin_generation_after_rollback();
                recover(self, Place::Root, &mut false)
            }
        };
        if cleared > 0 {
            self.row = Row::default();
        }
        Ok(cleared)
    }

    fn check_recover(&self) -> Result<(), StateError> {
        let failed = match self.status {
            Status::Undoing => {
                let why = "can't recover: it is being undone; wait until that has ended".to_owned();
                return Err(StateError::refused("", self.status, why));
            }
            Status::Stopped => return Ok(()),
            _ => self.failed_undo(),
        };
        let first = match self.status {
            Status::Stuck => "`retry_undo`, `skip_undo` or `mark_undone` comes first",
            _ => "undo the execution, which tries that again, and recover it then",
        };
        match failed {
            Some((path, status)) => {
                let why = format!(
                    "can't recover: the undo of `{path}` failed, so its effect may still be \
                     there; {first}"
                );
                Err(StateError::refused(path, status, why))
            }
            None if self.status == Status::Stuck => {
                let why = "can't recover: its rollback is stuck, so effects may still be there; \
                           `retry_undo` comes first";
                Err(StateError::refused("", self.status, why.to_owned()))
            }
            None => Ok(()),
        }
    }

    /// Of a root: the time before which the execution must not begin, if it has not begun. It is
    /// kept while the execution is stopped or undone.
    pub(crate) fn time_to_begin(&self) -> Option<Timestamp> {
        match self.until {
            Some(Until::Time(time)) if self.status == Status::Pending || self.status.is_final() => {
                Some(time)
            }
            _ => None,
        }
    }

    /// Returns the path and status of the first step whose undo failed. What is done is passed
    /// over, with everything below it.
    pub(super) fn failed_undo(&self) -> Option<(String, Status)> {
        fn find<'a>(node: &'a State, names: &mut Vec<&'a str>) -> Option<Status> {
            for below in &node.states {
                if below.status == Status::Done {
                    continue;
                }
                names.push(&below.name);
                let found = find(below, names);
                if found.is_some() {
                    return found;
                }
                names.pop();
            }
            (node.status == Status::UndoFailed).then_some(node.status)
        }
        let mut names = Vec::new();
        let status = find(self, &mut names)?;
        Some((path::join(names), status))
    }
}

impl State {
    /// Returns whether the line of a `race` that was done first is still done.
    fn winner_is_done(&self) -> bool {
        let chosen = self.chosen.as_deref();
        let mut lines = self.states.iter();
        lines.any(|line| chosen == Some(&*line.name) && line.status == Status::Done)
    }

    /// Returns whether there is nothing to clear. Does not look at the children.
    #[inline]
    fn is_at_rest(&self) -> bool {
        match self.status {
            Status::Done => true,
            Status::Pending | Status::Running | Status::Waiting => self.states.is_empty(),
            _ => false,
        }
    }
}

/// The position of a node. The root keeps its input.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Root,
    Below,
}

/// Returns the status after clearing, if the state machine has a way to it.
pub(super) fn cleared(status: Status) -> Option<Status> {
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

/// Clears what failed in this node and below. `stale` says whether an earlier node, in order, was
/// undone. Then a node that is done may depend on the undone effect, and must run again.
fn recover(node: &mut State, place: Place, stale: &mut bool) -> usize {
    if node.status == Status::Done {
        return if *stale { wipe(node, place) } else { 0 };
    }
    let parallel = node.kind.is_parallel();
    let before = *stale;
    let mut count = 0;
    // Of a `parallel`: the lines that were cleared since an effect is gone.
    let mut gone: Vec<Cow<'static, str>> = Vec::new();
    for below in &mut node.states {
        if !*stale && below.is_at_rest() {
            continue;
        }
        let mut own = if parallel {
            before || below.needs.iter().any(|need| gone.contains(need))
        } else {
            *stale
        };
        count += recover(below, Place::Below, &mut own);
        if parallel && own {
            gone.push(below.name.clone());
        }
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
    if place == Place::Root && nothing_below && node.time_to_begin().is_some() {
        forget_but_time(node);
    } else if place == Place::Below && anew {
        forget(node, place);
        if node.kind.is_decided() {
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

/// Makes a stopped execution continue where it stopped.
fn go_on(root: &mut State) -> usize {
    root.ending = root.ending.filter(|ending| *ending != Ending::OnStopped);
    if root.started_at.is_some() {
        return usize::from(reopen(root));
    }
    if let Some(status) = cleared(root.status) {
        root.status = status;
    }
    root.done_at = None;
    root.clear_errors();
    1
}

/// Makes the node run again, and leaves its children as they are. Returns whether this changed
/// anything.
pub(super) fn reopen(node: &mut State) -> bool {
    let status = match node.status {
        Status::Pending | Status::Running => return false,
        Status::Waiting => Some(node.status),
        status => cleared(status),
    };
    let Some(Ok(status)) = status.map(|status| status.on(Transition::Begin)) else {
        return false;
    };
    node.status = status;
    node.clear_errors();
    node.cause = None;
    node.done_at = None;
    node.until = None;
    node.since = None;
    node.deadline = None;
    node.undo = None;
    node.output = None;
    node.after = None;
    node.after_err = None;
    if node.kind == Kind::Round {
        // Whether it is the last is decided anew at its end.
        node.decision = None;
    }
    if node.kind == Kind::Race && !node.winner_is_done() {
        node.chosen = None;
    }
    true
}

/// Makes the node pending, as if it had never begun. Keeps its `info` and its children.
fn forget(node: &mut State, place: Place) {
    if let Some(status) = cleared(node.status) {
        node.status = status;
    }
    node.clear_errors();
    node.started_at = None;
    node.done_at = None;
    node.until = None;
    node.since = None;
    node.deadline = None;
    node.attempts = 0;
    node.progress = None;
    node.undo = None;
    node.cause = None;
    node.verify_owed = false;
    node.failures = 0;
    node.parallel = false;
    node.deaths = 0;
    node.waited = None;
    node.step_kind = None;
    node.begun_after = None;
    node.chosen = None;
    node.needs.clear();
    forget_values(node, place);
}

/// Makes the root pending, which has not begun: the time before which it must not begin stays.
pub(super) fn forget_but_time(root: &mut State) {
    let until = root.until;
    forget(root, Place::Root);
    root.until = until;
}

/// Clears the values that the node recorded while it ran.
fn forget_values(node: &mut State, place: Place) {
    node.decision = None;
    node.output = None;
    node.before = None;
    node.after = None;
    node.after_err = None;
    node.task = None;
    node.ending = None;
    if place == Place::Below {
        node.input = None;
    }
}

/// Clears the node and everything below it. Returns how many of these nodes were not pending.
pub(super) fn wipe(node: &mut State, place: Place) -> usize {
    let mut count = usize::from(node.status != Status::Pending);
    count += node
        .states
        .iter_mut()
        .map(|below| wipe(below, Place::Below))
        .sum::<usize>();
    forget(node, place);
    node.info = None;
    if place == Place::Below {
        node.generation = None;
    }
    if node.kind.is_decided() {
        node.states.clear();
    }
    count
}

#[cfg(test)]
pub(super) mod tests;
