//! What is done to a saved execution from outside: a signal is given to a step, or an operator tries
//! a stuck rollback again, leaves a step as it is, or says that it was undone by hand. Each is
//! recorded, and the next run goes on from it.

use super::{Resolved, Row, State, StateError};
use crate::{
    base::json::Json,
    model::status::{Status, Transition},
};

impl State {
    /// Gives a value to the step at `path`, if it waits for a signal. Whether it does.
    pub fn signal(&mut self, path: &str, value: Json) -> bool {
        match self.get_mut(path) {
            Some(node) if node.waits_for_signal() => {
                node.input = Some(value);
                true
            }
            _ => false,
        }
    }

    /// Lets a stuck rollback try again each undo that failed, with a new allowance of attempts.
    /// The next run goes on with the rollback. Gives the number of steps it tries again.
    ///
    /// Fails, and changes nothing, where the execution is not stuck.
    pub fn retry_undo(&mut self) -> Result<usize, StateError> {
        self.unstick()?;
        Ok(retry(self))
    }

    /// Lets a stuck rollback go on without the undo of the step at `path`, whose effect stays.
    /// Other undos that failed are tried again.
    ///
    /// Fails, and changes nothing, where the execution is not stuck, or where it was not the undo
    /// of this step that failed.
    pub fn skip_undo(&mut self, path: &str) -> Result<(), StateError> {
        self.resolve(path, Resolved::Skipped)
    }

    /// Tells a stuck rollback that somebody has undone the step at `path`. Other undos that failed
    /// are tried again.
    ///
    /// Fails, and changes nothing, where the execution is not stuck, or where it was not the undo
    /// of this step that failed.
    pub fn mark_undone(&mut self, path: &str) -> Result<(), StateError> {
        self.resolve(path, Resolved::Undone)
    }

    fn resolve(&mut self, path: &str, resolved: Resolved) -> Result<(), StateError> {
        let illegal = |source| StateError::Illegal {
            path: path.to_owned(),
            source,
        };
        let node = self.get(path).ok_or_else(|| StateError::NoSuchNode {
            path: path.to_owned(),
        })?;
        if node.status != Status::UndoFailed {
            // What is not an undo that failed can't be resolved; say so in the machine's words.
            return Err(illegal(crate::model::status::IllegalTransition {
                from: node.status,
                transition: Transition::UndoFinish,
            }));
        }
        self.unstick()?;
        if let Some(node) = self.get_mut(path) {
            node.status = node.status.on(Transition::UndoFinish).map_err(illegal)?;
            node.undo.get_or_insert_default().resolved = Some(resolved);
        }
        retry(self);
        Ok(())
    }

    fn unstick(&mut self) -> Result<(), StateError> {
        let transition = Transition::Undo;
        let illegal = |from| StateError::Illegal {
            path: String::new(),
            source: crate::model::status::IllegalTransition { from, transition },
        };
        if self.status != Status::Stuck {
            return Err(illegal(self.status));
        }
        self.status = self
            .status
            .on(transition)
            .map_err(|_| illegal(self.status))?;
        self.done_at = self.done_at.filter(|_| !self.errors.is_empty());
        self.row = Row::default();
        Ok(())
    }
}

/// Makes each undo that failed one that is under way. Gives their number.
fn retry(node: &mut State) -> usize {
    let below: usize = node.states.iter_mut().map(retry).sum();
    if node.status != Status::UndoFailed {
        return below;
    }
    if let Ok(status) = node.status.on(Transition::Undo) {
        node.status = status;
    }
    match &mut node.undo {
        Some(undo) => {
            undo.attempts = 0;
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
