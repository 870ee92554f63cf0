//! Changes to a saved execution from outside: sending a signal to a step, or an operator's decision
//! about a stuck rollback (retry the undo, leave the step as it is, or record that it was undone by
//! hand). Each change is recorded, and the next run continues from it.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{Resolved, Row, State, StateError, Until, path};
use crate::{
    base::json::Json,
    model::{
        signal::{SignalError, Target},
        status::{Status, Transition},
    },
};

impl State {
    /// Sends a value to the step at `path`, where a `*` stands for whichever item or round waits. The
    /// next run takes it.
    ///
    /// # Errors
    ///
    /// Changes nothing, and returns [`SignalError::NotWaiting`] if the step does not wait for a
    /// signal, or [`SignalError::TakesNone`] if it has been given one.
    pub fn signal(&mut self, path: &str, value: Json) -> Result<(), SignalError> {
        let target = Target::parse(path);
        let waiting = self.waiting_for_signal();
        let mut of_target = waiting.iter().filter(|at| target.fits(at)).peekable();
        if of_target.peek().is_none() {
            return Err(SignalError::NotWaiting {
                path: path.to_owned(),
                waiting: waiting.iter().map(path::join).collect(),
            });
        }
        let now = Timestamp::now();
        let mut late = false;
        let at = of_target.find(|at| {
            let node = self.get(&path::join(*at));
            let node = node.filter(|node| node.input.is_none());
            late |= node.is_some();
            node.is_some_and(|node| node.deadline.is_none_or(|deadline| now < deadline))
        });
        let at = at.ok_or_else(|| {
            if late {
                SignalError::late(path)
            } else {
                SignalError::given(path)
            }
        })?;
        if let Some(node) = self.get_mut(&path::join(at)) {
            node.input = Some(value);
        }
        Ok(())
    }

    /// Sends a value to the step at `path`, in the place of one that it was given before and that no
    /// run has taken yet.
    ///
    /// # Errors
    ///
    /// Changes nothing, and returns [`SignalError::NotWaiting`] if the step does not wait for a
    /// signal.
    pub fn replace_signal(&mut self, path: &str, value: Json) -> Result<(), SignalError> {
        let target = Target::parse(path);
        for at in self.waiting_for_signal() {
            if target.fits(&at)
                && let Some(node) = self.get_mut(&path::join(&at))
            {
                node.input = None;
            }
        }
        self.signal(path, value)
    }

    /// Returns the names in the paths of the steps that wait for a signal.
    fn waiting_for_signal(&self) -> Vec<Vec<Cow<'static, str>>> {
        let waiting = self.walk().filter(|(_, node)| node.waits_for_signal());
        let names = |path: String| {
            path::split(&path)
                .map(|it| it.into_owned().into())
                .collect()
        };
        waiting.map(|(path, _)| names(path)).collect()
    }

    /// Ends each pause in it: what sleeps, or waits for another attempt, poll or undo, or for the time
    /// to begin, goes on in the next run. What waits for a signal still does. Returns how many pauses
    /// there were.
    pub fn try_now(&mut self, now: Timestamp) -> usize {
        let mut ended = 0;
        if self.status == Status::Pending && matches!(self.until, Some(Until::Time(_))) {
            self.until = None;
            ended += 1;
        }
        ended + end_pauses(self, now)
    }

    /// Makes a rollback that is stuck, or that pauses before it tries an undo again, try each such
    /// undo again now, with a full number of attempts. The next run continues the rollback. Returns
    /// the number of steps whose undo is retried.
    ///
    /// Returns an error, and changes nothing, if the rollback is neither stuck nor in a pause.
    pub fn retry_undo(&mut self) -> Result<usize, StateError> {
        self.unstick()?;
        Ok(retry(self, Retried::Pausing))
    }

    /// Makes a rollback that is stuck, or that pauses before it tries this undo again, continue
    /// without the undo of the step at `path`; the step's effect stays. Other failed undos are
    /// retried.
    ///
    /// Returns an error, and changes nothing, if the rollback is neither stuck nor in a pause, or
    /// if the undo of this step has not failed.
    pub fn skip_undo(&mut self, path: &str) -> Result<(), StateError> {
        self.resolve(path, Resolved::Skipped)
    }

    /// Records that the step at `path` was undone by hand, in a rollback that is stuck, or that
    /// pauses before it tries this undo again. Other failed undos are retried.
    ///
    /// Returns an error, and changes nothing, if the rollback is neither stuck nor in a pause, or
    /// if the undo of this step has not failed.
    pub fn mark_undone(&mut self, path: &str) -> Result<(), StateError> {
        self.resolve(path, Resolved::Undone)
    }

    fn resolve(&mut self, path: &str, resolved: Resolved) -> Result<(), StateError> {
        self.check_stuck()?;
        let node = self.get(path).ok_or_else(|| StateError::NoSuchNode {
            path: path.to_owned(),
        })?;
        if node.status != Status::UndoFailed && !pauses(node) {
            let why = format!(
                "`{path}` is {}: only an undo that failed can be skipped or marked as made",
                node.status
            );
            return Err(StateError::refused(path, node.status, why));
        }
        let below = |node: &Self| node.states.iter().find_map(Self::failed_undo);
        if let Some((_, status)) = below(node) {
            let why = format!(
                "`{path}` could not be undone, as the undo of a step in it failed: name that step"
            );
            return Err(StateError::refused(path, status, why));
        }
        self.unstick()?;
        if let Some(node) = self.get_mut(path) {
            // The status has been checked.
            node.status = node
                .status
                .on(Transition::UndoFinish)
                .unwrap_or(node.status);
            let undo = node.undo.get_or_insert_default();
            undo.resolved = Some(resolved);
            undo.until = None;
        }
        retry(self, Retried::Failed);
        Ok(())
    }

    /// Returns whether the rollback has an undo whose next attempt is not due yet.
    pub(crate) fn pauses_undo(&self) -> bool {
        self.status == Status::Undoing && self.walk().any(|(_, node)| pauses(node))
    }

    fn check_stuck(&self) -> Result<(), StateError> {
        if self.status == Status::Stuck || self.pauses_undo() {
            return Ok(());
        }
        let why = format!("the execution is {}, not stuck", self.status);
        Err(StateError::refused("", self.status, why))
    }

    fn unstick(&mut self) -> Result<(), StateError> {
        self.check_stuck()?;
        self.status = self.status.on(Transition::Undo).unwrap_or(self.status);
        self.done_at = self.done_at.filter(|_| !self.errors.is_empty());
        // It said that the rollback was stopped by force.
        self.undo = None;
        self.row = Row::default();
        Ok(())
    }
}

/// Which undos are put under way again.
#[derive(Clone, Copy, PartialEq)]
enum Retried {
    Failed,
    /// Those that have failed or pause.
    Pausing,
}

/// Returns whether an attempt to undo the node has failed, and the next one is not due yet.
fn pauses(node: &State) -> bool {
    let until = node.undo.as_ref().and_then(|undo| undo.until);
    node.status == Status::Undoing && until.is_some()
}

/// Ends the pauses of these nodes, and of all below them. Returns how many there were.
fn end_pauses(node: &mut State, now: Timestamp) -> usize {
    let mut ended = 0;
    for below in &mut node.states {
        if let Some(Until::Time(until)) = below.until
            && below.status == Status::Waiting
            && below.states.is_empty()
            && until > now
        {
            below.until = Some(Until::Time(now));
            ended += 1;
        }
        if pauses(below)
            && let Some(undo) = &mut below.undo
        {
            undo.until = None;
            ended += 1;
        }
        ended += end_pauses(below, now);
    }
    ended
}

/// Puts undos under way again. Returns how many there were.
fn retry(node: &mut State, which: Retried) -> usize {
    let below = node.states.iter_mut();
    let below: usize = below.map(|node| retry(node, which)).sum();
    if node.status != Status::UndoFailed && !(which == Retried::Pausing && pauses(node)) {
        return below;
    }
    if let Ok(status) = node.status.on(Transition::Undo) {
        node.status = status;
    }
    match &mut node.undo {
        Some(undo) => {
            undo.attempts = 0;
            undo.deaths = 0;
            undo.done_at = None;
            undo.until = None;
            below + 1
        }
        None => below,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuck() -> State {
        State::from_json(
            r#"{"name":"f","err":"c: no","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:03Z","status":"stuck","states":[
                {"name":"a","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"},
                {"name":"g","startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02Z","status":"undo_failed","kind":"group","states":[
                    {"name":"b","startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02Z","status":"undo_failed",
                     "undo":{"err":"gone","startedAt":"2026-01-01T00:00:04Z","doneAt":"2026-01-01T00:00:05Z","attempts":3}}]},
                {"name":"c","err":"no","startedAt":"2026-01-01T00:00:02Z","doneAt":"2026-01-01T00:00:03Z"}]}"#,
        )
        .expect("a state")
    }

    #[test]
    fn a_retry_takes_the_failed_undos_up_again() {
        let mut state = stuck();
        assert_eq!(state.retry_undo().expect("it is stuck"), 1);
        let undo = state
            .get("g.b")
            .and_then(|b| b.undo.clone())
            .expect("its undo");
        assert_eq!(state.status, Status::Undoing);
        assert_eq!((undo.attempts, undo.done_at), (0, None));
        assert_eq!(state.get("g.b").map(|b| b.status), Some(Status::Undoing));
        assert_eq!(
            State::from_json(&state.to_json()).expect("it reads back"),
            state
        );
        assert!(state.retry_undo().is_err(), "it is stuck no more");
    }

    #[test]
    fn a_step_is_resolved_and_that_is_recorded() {
        for (resolve, resolved) in [
            (
                State::skip_undo as fn(&mut State, &str) -> _,
                Resolved::Skipped,
            ),
            (State::mark_undone, Resolved::Undone),
        ] {
            let mut state = stuck();
            resolve(&mut state, "g.b").expect("its undo failed");
            let b = state.get("g.b").expect("b");
            assert_eq!(b.status, Status::Undone);
            assert_eq!(
                b.undo.as_ref().and_then(|undo| undo.resolved),
                Some(resolved)
            );
            assert_eq!(state.get("g").map(|g| g.status), Some(Status::Undoing));
            assert_eq!(
                State::from_json(&state.to_json()).expect("it reads back"),
                state
            );
        }
    }

    #[test]
    fn only_an_undo_that_failed_can_be_resolved() {
        let mut state = stuck();
        assert!(state.skip_undo("a").is_err());
        assert!(state.mark_undone("nowhere").is_err());
        assert_eq!(state, stuck(), "nothing changed");
    }
}
