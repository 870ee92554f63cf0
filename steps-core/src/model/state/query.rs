//! Finding nodes of a state by their path, and querying their status.
//!
//! These methods are for tools. A flow's own code uses typed fields and references instead.

use super::{Kind, Resolved, State, Until, path};
use crate::model::status::Status;

impl State {
    /// Returns how many rounds a `loop` has begun.
    pub(crate) fn rounds_begun(&self) -> usize {
        let last = self.states.last().and_then(State::round);
        last.unwrap_or(self.states.len())
    }

    /// Returns how many rounds a `loop` has begun before the first that is here.
    pub(crate) fn rounds_missing(&self) -> usize {
        let first = self.states.first().and_then(State::round);
        first.unwrap_or(1).saturating_sub(1)
    }

    fn round(&self) -> Option<usize> {
        let number = (self.kind == Kind::Round).then(|| self.name.parse().ok());
        number.flatten()
    }

    /// Returns whether something in this node or below it was undone: by its `#[undo]`, or by hand.
    pub(crate) fn is_taken_back(&self) -> bool {
        let own = self.undo.as_ref().is_some_and(|undo| {
            let by_itself = undo.done_at.is_some() && undo.err.is_empty();
            match undo.resolved {
                None => by_itself,
                Some(resolved) => resolved == Resolved::Undone,
            }
        });
        self.status == Status::Undone && own || self.states.iter().any(Self::is_taken_back)
    }

    /// Returns the child with this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.states.iter().find(|state| state.name == name)
    }

    /// Returns the child with this name, mutably.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.states.iter_mut().find(|state| state.name == name)
    }

    /// Returns the node at this [`path`]. The empty path is this node.
    ///
    /// ```
    /// # use steps::state::State;
    /// let state = State::from_json(
    ///     r#"{"name":"MoveToVPC","states":[{"name":"preFlight","states":[{"name":"chkNetwork"}]}]}"#,
    /// )?;
    /// assert!(state.has("preFlight.chkNetwork"));
    /// assert!(state.get("inFlight").is_none());
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn get(&self, path: &str) -> Option<&Self> {
        path::split(path).try_fold(self, |state, name| state.child(&name))
    }

    /// Returns the node at this [`path`], mutably. The empty path is this node.
    pub fn get_mut(&mut self, path: &str) -> Option<&mut Self> {
        path::split(path).try_fold(self, |state, name| state.child_mut(&name))
    }

    /// Returns whether there is a node at this [`path`]. A node is created when its step begins or
    /// is passed over, so a step of the flow may have no node yet.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Returns the path of the node that began last. If several began at the same time, it is the
    /// last of them in order, and a child comes after its parent. Returns `None` if nothing below
    /// this node has begun.
    ///
    /// ```
    /// # use steps::state::State;
    /// let state = State::from_json(
    ///     r#"{"name":"f","startedAt":"2026-01-01T00:00:00Z","states":[
    ///         {"name":"a","startedAt":"2026-01-01T00:00:00Z","states":[
    ///             {"name":"b","startedAt":"2026-01-01T00:00:01Z"},
    ///             {"name":"c"}]}]}"#,
    /// )?;
    /// assert_eq!(state.last_path().as_deref(), Some("a.b"));
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn last_path(&self) -> Option<String> {
        fn last<'a>(
            state: &'a State,
            names: &mut Vec<&'a str>,
            best: &mut (Option<jiff::Timestamp>, Vec<&'a str>),
        ) {
            for child in &state.states {
                names.push(&child.name);
                if child.started_at.is_some() && child.started_at >= best.0 {
                    best.0 = child.started_at;
                    best.1.clone_from(names);
                }
                last(child, names, best);
                names.pop();
            }
        }
        let mut best = (None, Vec::new());
        last(self, &mut Vec::new(), &mut best);
        best.0.map(|_| path::join(best.1))
    }

    /// Returns the result of a node that is done: its output, or its `info` if it has no output,
    /// because the Go library's steps put their results there. Also returns `None` if the output is
    /// `null`.
    pub fn result(&self) -> Option<&crate::base::json::Json> {
        match self.status {
            Status::Done => self.output.as_ref().or(self.info.as_ref()),
            _ => None,
        }
    }

    /// Returns whether the node at this [`path`] has begun, whatever happened to it later.
    pub fn started(&self, path: &str) -> bool {
        self.is(path, |status| {
            !matches!(status, Status::Pending | Status::Skipped)
        })
    }

    /// Returns whether the node at this [`path`] has begun and not yet ended: it runs or waits.
    pub fn proceeding(&self, path: &str) -> bool {
        self.is(path, |status| {
            matches!(status, Status::Running | Status::Waiting)
        })
    }

    /// Returns whether the node at this [`path`] ended successfully and was not undone.
    pub fn succeeded(&self, path: &str) -> bool {
        self.is(path, |status| status == Status::Done)
    }

    /// Returns whether the node at this [`path`] ended with an error and was not undone.
    pub fn failed(&self, path: &str) -> bool {
        self.is(path, |status| status == Status::Failed)
    }

    /// Returns whether this node is a step that waits for a [signal](struct@crate::signal).
    pub fn waits_for_signal(&self) -> bool {
        self.kind == Kind::Step
            && self.status == Status::Waiting
            && self.until == Some(Until::Signal)
    }

    fn is(&self, path: &str, what: impl Fn(Status) -> bool) -> bool {
        self.get(path).is_some_and(|state| what(state.status))
    }

    /// Returns an iterator over this node and all nodes below it with their [`path`]s. Each node
    /// comes before its children.
    pub fn walk(&self) -> Walk<'_> {
        Walk {
            root: Some(self),
            path: String::new(),
            levels: Vec::new(),
        }
    }
}

/// The nodes of a state, from [`State::walk`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Walk<'a> {
    root: Option<&'a State>,
    /// The path of the node that was returned last.
    path: String,
    /// For each level: the remaining nodes, and the length of their parent's path.
    levels: Vec<(std::slice::Iter<'a, State>, usize)>,
}

impl<'a> Iterator for Walk<'a> {
    type Item = (String, &'a State);

    fn next(&mut self) -> Option<(String, &'a State)> {
        if let Some(root) = self.root.take() {
            self.levels.push((root.states.iter(), 0));
            return Some((String::new(), root));
        }
        loop {
            let (nodes, above) = self.levels.last_mut()?;
            self.path.truncate(*above);
            let Some(node) = nodes.next() else {
                self.levels.pop();
                continue;
            };
            path::push(&mut self.path, &node.name);
            self.levels.push((node.states.iter(), self.path.len()));
            return Some((self.path.clone(), node));
        }
    }
}

#[cfg(test)]
mod tests;
