//! What steps log, as a store keeps and finds it.

use jiff::Timestamp;

use crate::model::log::{LogLevel, LogLimits, LogLine};

/// Lines to be kept, of any number of executions: see [`Store::log`](super::Store::log).
#[derive(Clone, Debug, PartialEq)]
pub struct NewLines {
    /// The lines, those of each execution in their order.
    pub lines: Vec<NewLine>,
    /// How many lines of a step are kept: [`LogLimits::per_step`].
    pub per_step: usize,
    /// How many lines of an execution are kept: [`LogLimits::per_execution`].
    pub per_execution: usize,
}

impl NewLines {
    /// These lines, within the default limits.
    pub fn new(lines: Vec<NewLine>) -> Self {
        let LogLimits {
            per_step,
            per_execution,
            ..
        } = LogLimits::DEFAULT;
        Self {
            lines,
            per_step,
            per_execution,
        }
    }
}

/// A line to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLine {
    /// The [key](super::ExecutionInfo::key) of its execution.
    pub key: i64,
    /// How many lines of its step were left out just before it.
    pub left_out: u64,
    /// When it was logged; kept to the nanosecond.
    pub at: Timestamp,
    /// How much it matters.
    pub level: LogLevel,
    /// The step's path.
    pub path: String,
    /// Which attempt it was.
    pub attempt: u32,
    /// Whether the step was being undone.
    pub is_undo: bool,
    /// The text.
    pub message: String,
}

impl NewLine {
    /// Returns the line as it is kept, behind the line with the last number of its execution, and behind the
    /// last of its step.
    pub fn behind(self, last: i64, last_of_step: i64) -> LogLine {
        let left_out = i64::try_from(self.left_out).unwrap_or(i64::MAX);
        LogLine::new(
            last.saturating_add(1),
            last_of_step.saturating_add(left_out).saturating_add(1),
            self.at,
            self.level,
            self.path,
            self.attempt,
            self.is_undo,
            self.message,
        )
    }
}

/// Which lines of an execution's log to read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogQuery {
    /// The execution's id.
    pub id: String,
    /// The path of a step, or of what has steps below it: only lines of these. `None` for all.
    pub step: Option<String>,
    /// Only lines with a larger [number](LogLine::number).
    pub after: Option<i64>,
    /// How many lines at most.
    pub limit: Option<usize>,
    /// Of more lines than that, the newest rather than the oldest.
    pub newest: bool,
}

impl LogQuery {
    /// Returns the first path of what is below the step, and the first behind all of it: a path is below if
    /// it is between them, by its bytes.
    pub fn below(step: &str) -> (String, String) {
        (format!("{step}."), format!("{step}/"))
    }

    /// Returns whether a line is of the step, or of one below it.
    pub fn is_of_step(&self, path: &str) -> bool {
        match self.step.as_deref() {
            None | Some("") => true,
            Some(step) => {
                let (first, behind) = Self::below(step);
                path == step || (path >= &*first && path < &*behind)
            }
        }
    }
}

/// Lines of an execution's log.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLog {
    /// The execution's [key](super::ExecutionInfo::key).
    pub key: i64,
    /// The lines, the oldest first.
    pub lines: Vec<LogLine>,
}
