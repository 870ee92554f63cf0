//! Child executions in a saved tree: which one a line has started, or joins.

use std::collections::BTreeMap;

use super::{NodeData, StepKind};
use crate::base::json::Json;

impl NodeData {
    /// Returns the id of the child execution that this node has started, if it is a `start` line that is
    /// done, or waits for, if it is a `join` line that has begun.
    ///
    /// ```
    /// use steps::State;
    ///
    /// let text = r#"{"name":"bill","startedAt":"2026-01-01T00:00:00Z","status":"waiting",
    ///     "stepKind":"join","input":"bill-7","until":"child"}"#;
    /// assert_eq!(State::from_json(text)?.child_execution().as_deref(), Some("bill-7"));
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn child_execution(&self) -> Option<String> {
        let saved = match self.step_kind? {
            StepKind::Start => self.output.as_ref(),
            StepKind::Join => self.input.as_ref(),
            StepKind::Sleep
            | StepKind::Signal
            | StepKind::Volatile
            | StepKind::Let
            | StepKind::External
            | StepKind::Call => None,
        };
        saved.and_then(child_of)
    }
}

/// Returns the id in the saved form of a child: the id alone, or with the tree that it had where no
/// engine ran it.
pub(crate) fn child_of(saved: &Json) -> Option<String> {
    if let Ok(id) = saved.decode() {
        return Some(id);
    }
    let mut inline: BTreeMap<String, serde_json::Value> = saved.decode().ok()?;
    match inline.remove("id") {
        Some(serde_json::Value::String(id)) => Some(id),
        _ => None,
    }
}
