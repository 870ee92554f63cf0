//! Why something is no plan.

use std::fmt;

use crate::model::state::path;

/// Why a plan can't be made: all that is wrong with it.
///
/// ```
/// use steps::{Plan, prelude::*};
///
/// #[step]
/// async fn create_volume(gb: u32) -> Result<String, String> {
///     Ok(format!("vol-{gb}"))
/// }
///
/// #[plan]
/// async fn provision() {
///     steps! { create_volume(gb: u32); }
/// }
///
/// let json = r#"{"steps": [{"name": "disk", "step": "create_vloume", "args": {"gb": 10}}]}"#;
/// let error = Plan::<provision>::from_json(json).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "this is no plan: `disk`: there is no step `create_vloume`; did you mean `create_volume`?"
/// );
/// assert_eq!(error.problems().next().unwrap().path(), "disk");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    problems: Vec<PlanProblem>,
}

/// One thing that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanProblem {
    path: String,
    why: String,
}

/// How many problems the error tells in words.
const TOLD: usize = 20;

impl PlanError {
    pub(super) fn of(problems: Vec<PlanProblem>) -> Self {
        Self { problems }
    }

    /// Returns all that is wrong, in the order of the plan.
    pub fn problems(&self) -> impl Iterator<Item = &PlanProblem> {
        self.problems.iter()
    }
}

impl PlanProblem {
    pub(super) fn new(names: &[String], why: impl Into<String>) -> Self {
        Self {
            path: path::join(names),
            why: why.into(),
        }
    }

    /// Returns the path of the step in the plan, such as `links.a`: the names of the groups around it, and
    /// its own. It is empty if the plan as a whole is meant.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what is wrong with that step, and what to do.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.path {
            "" => f.write_str(&self.why),
            path => write!(f, "`{path}`: {}", self.why),
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no plan: ")?;
        for (index, problem) in self.problems.iter().take(TOLD).enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(f, "{between}{problem}")?;
        }
        match self.problems.len().checked_sub(TOLD) {
            Some(more @ 1..) => write!(f, "; and {more} more"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for PlanError {}

/// Returns why a value can't be read, without the line and the column: those are of the text of the one value.
pub(super) fn unreadable(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((why, _)) => why.to_owned(),
        None => text,
    }
}
