//! Limits the size of one execution. A step that exceeds a limit fails, with an error that names
//! the limit. The defaults are within the limits for reading a saved state.

use crate::{
    base::{error::StepError, json::Json},
    language::scope::{Answer, Entered},
    model::state::Limits,
};

/// Limits on the size of an execution: the size of each value, and the number of nodes.
///
/// ```
/// use steps::RunLimits;
/// let limits = RunLimits::DEFAULT.payload(64 * 1024).items(100);
/// assert_eq!(limits.nodes, RunLimits::DEFAULT.nodes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunLimits {
    /// The maximum size of one input, output, observed value or saved working data, in bytes of
    /// JSON. By default 8 MiB.
    pub payload: usize,
    /// The maximum number of items of one `for`. By default 100,000.
    pub items: usize,
    /// The maximum number of nodes in the whole tree: steps, groups, items and rounds. By default
    /// 1,000,000, the most that [`State`](crate::State) reads.
    pub nodes: usize,
}

impl RunLimits {
    /// The default limits.
    pub const DEFAULT: Self = Self {
        payload: 8 * 1024 * 1024,
        items: 100_000,
        nodes: Limits::DEFAULT.nodes,
    };

    /// Sets the maximum size of one value, in bytes of JSON.
    #[must_use]
    pub const fn payload(mut self, bytes: usize) -> Self {
        self.payload = bytes;
        self
    }

    /// Sets the maximum number of items of one `for`.
    #[must_use]
    pub const fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Sets the maximum number of nodes in the whole tree.
    #[must_use]
    pub const fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// Checks the size of one value.
    pub(crate) fn check(&self, what: &str, json: Option<&Json>) -> Result<(), StepError> {
        match json.map(|json| json.get().len()) {
            Some(bytes) if bytes > self.payload => Err(StepError::fatal(format!(
                "its {what} is {bytes} bytes of JSON, and the limit is {}: save it elsewhere, and \
                 only where it is here",
                self.payload
            ))),
            _ => Ok(()),
        }
    }

    /// Checks the size of what an operation of a step returned.
    #[inline]
    pub(super) fn check_answer(&self, answer: Answer) -> Result<Answer, StepError> {
        match &answer {
            Answer::Done(Some(json)) => self.check("output", Some(json))?,
            Answer::Seen(json) => self.check("observed value", Some(json))?,
            Answer::Done(None) | Answer::NotYet | Answer::Wait(_) | Answer::Undone => {}
        }
        Ok(answer)
    }

    /// Checks the size of what entering a scope evaluated.
    pub(super) fn check_entry(&self, entered: &Entered<'_>, nodes: usize) -> Result<(), StepError> {
        self.check("input", entered.input.as_ref())?;
        let items = entered
            .keys
            .as_ref()
            .map_or(0, crate::language::scope::Keys::len);
        if items > self.items {
            return Err(StepError::fatal(format!(
                "it has {items} items, and the limit is {}",
                self.items
            )));
        }
        self.check_nodes(nodes + items)
    }

    /// Checks the size of the tree.
    pub(super) fn check_nodes(&self, nodes: usize) -> Result<(), StepError> {
        if nodes > self.nodes {
            return Err(StepError::fatal(format!(
                "the execution has {nodes} nodes with it, and the limit is {}",
                self.nodes
            )));
        }
        Ok(())
    }
}

impl Default for RunLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
