//! Finding nodes of a state by their path, and asking what they are doing.
//!
//! For tools. A flow's own code has typed fields and references for this.

use super::{Kind, State, Until, path};
use crate::model::status::Status;

impl State {
    /// The node directly below that has this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.states.iter().find(|state| state.name == name)
    }

    /// The node directly below that has this name.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.states.iter_mut().find(|state| state.name == name)
    }

    /// The node at this [`path`]; at the empty path this one.
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

    /// The node at this [`path`]; at the empty path this one.
    pub fn get_mut(&mut self, path: &str) -> Option<&mut Self> {
        path::split(path).try_fold(self, |state, name| state.child_mut(&name))
    }

    /// Whether there is a node at this [`path`]. Nodes come into being when they are begun or
    /// passed over, so a step that the flow has may be missing here.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// The path of the node that was begun last; of several begun at the same time the last in
    /// order, the deepest first. `None` where nothing below this node has begun.
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

    /// The result of a node that is done: its output, or where there is none its `info`, which
    /// is where the Go library's steps put it. `None` also where the output is `null`.
    pub fn result(&self) -> Option<&crate::base::json::Json> {
        match self.status {
            Status::Done => self.output.as_ref().or(self.info.as_ref()),
            _ => None,
        }
    }

    /// Whether the node at this [`path`] has been begun, whatever became of it.
    pub fn started(&self, path: &str) -> bool {
        self.is(path, |status| {
            !matches!(status, Status::Pending | Status::Skipped)
        })
    }

    /// Whether the node at this [`path`] has been begun and has not ended: it runs or waits.
    pub fn proceeding(&self, path: &str) -> bool {
        self.is(path, |status| {
            matches!(status, Status::Running | Status::Waiting)
        })
    }

    /// Whether the node at this [`path`] has ended well, and was not taken back since.
    pub fn succeeded(&self, path: &str) -> bool {
        self.is(path, |status| status == Status::Done)
    }

    /// Whether the node at this [`path`] has ended with an error, and was not taken back since.
    pub fn failed(&self, path: &str) -> bool {
        self.is(path, |status| status == Status::Failed)
    }

    /// Whether this node is a step that waits for a [signal](struct@crate::signal).
    pub fn waits_for_signal(&self) -> bool {
        self.kind == Kind::Step
            && self.status == Status::Waiting
            && self.until == Some(Until::Signal)
    }

    fn is(&self, path: &str, what: impl Fn(Status) -> bool) -> bool {
        self.get(path).is_some_and(|state| what(state.status))
    }

    /// This node and all below it with their [`path`]s, each before what is below it.
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
    /// The path of the node that was given last.
    path: String,
    /// For each level: the nodes that are left, and the length of the path of the node above.
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
