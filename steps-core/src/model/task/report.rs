//! What whoever runs an external task reports on it, and its JSON.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use crate::base::{error::within, json::Json, read_back::record_unread};

/// How an external task is doing, as it was reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskStatus {
    /// It has not begun, or nothing was reported yet.
    #[default]
    Pending,
    /// It begins at a time.
    Scheduled,
    /// It is being done.
    Running,
    /// It has ended well.
    Done,
    /// It has failed.
    Failed,
    /// It was stopped.
    Stopped,
}

impl TaskStatus {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Scheduled,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Stopped,
    ];

    /// How far this is on the way to an end: of two reports on one run of a task, the one with the higher
    /// rank is the later one. The three ends have the same.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Scheduled => 1,
            Self::Running => 2,
            Self::Done | Self::Failed | Self::Stopped => 3,
        }
    }

    /// Whether this is an end.
    pub const fn is_final(self) -> bool {
        self.rank() == 3
    }

    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// Returns the one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A report on an external task: [`Engine::report`](crate::Engine::report).
///
/// Its JSON has the same fields; what says nothing is left out:
/// `{"revision":1,"status":"done","output":…}`, `{"revision":1,"status":"failed","error":"…"}`,
/// `{"revision":1,"status":"running","checkIn":…}`.
///
/// ```
/// use steps::{TaskReport, TaskStatus};
///
/// let report = TaskReport::running(1).check_in(&"half of it")?;
/// assert_eq!(report.to_json(), r#"{"revision":1,"status":"running","checkIn":"half of it"}"#);
/// assert_eq!(TaskReport::from_json(&report.to_json()), Ok(report));
/// let error = TaskReport::from_json(r#"{"revision":1,"status":"over"}"#).unwrap_err();
/// assert!(error.to_string().contains("`over`"));
/// # Ok::<_, steps::ReportError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskReport {
    /// Which run of the task at the other side this is about: 1, and one more each time it is begun anew
    /// there. A counter and not a time, as two runs may begin in one second. Of a lower one than was
    /// reported already, a report is late, and changes nothing.
    pub revision: u64,
    /// How that run is doing.
    pub status: TaskStatus,
    /// Of a run that is done: what came of it. `null` if missing.
    pub output: Option<Json>,
    /// Of a run that has failed: why.
    pub error: Option<String>,
    /// A message about its progress, for the step's `#[on_check_in]`.
    pub check_in: Option<Json>,
}

/// A report can't be taken. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It is not the JSON of a report, or contradicts itself.
    #[error("this is no report: {why}")]
    Malformed {
        /// What is wrong.
        why: String,
    },
    /// The output is not what the step gives, can't be saved, or is too large.
    #[error("the output that was reported for `{path}` {why}")]
    Output {
        /// The step.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The check-in is not what the step's `#[on_check_in]` takes, can't be saved, or is too large.
    #[error("the check-in for `{path}` {why}")]
    CheckIn {
        /// The step.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The step has no `#[on_check_in]`.
    #[error("`{path}` takes no check-ins: there is no `#[on_check_in]` for its function")]
    NoCheckIns {
        /// The step.
        path: String,
    },
    /// As many reports on this task wait to be looked at as may. Report again later.
    #[error(
        "{most} reports on the task of `{path}` have not been looked at yet, the most that may be: report again later"
    )]
    Full {
        /// The step.
        path: String,
        /// The most that may wait.
        most: usize,
    },
}

impl ReportError {
    fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed { why: why.into() }
    }
}

impl TaskReport {
    /// That this run of the task is in this status.
    pub fn new(revision: u64, status: TaskStatus) -> Self {
        Self {
            revision,
            status,
            output: None,
            error: None,
            check_in: None,
        }
    }

    /// That this run of the task has begun, or goes on.
    pub fn running(revision: u64) -> Self {
        Self::new(revision, TaskStatus::Running)
    }

    /// That this run of the task is done, with this output: the step is done with it.
    ///
    /// # Errors
    ///
    /// [`ReportError::Malformed`] where the output can't be saved as JSON.
    pub fn done<T: Serialize + ?Sized>(revision: u64, output: &T) -> Result<Self, ReportError> {
        let saved = record_unread(output);
        let saved = saved.map_err(|error| {
            ReportError::malformed(format!("its output can't be saved as JSON: {error}"))
        })?;
        Ok(Self {
            output: Some(saved),
            ..Self::new(revision, TaskStatus::Done)
        })
    }

    /// That the task has failed for good: the attempt of the step has failed, and its `retry` decides
    /// whether it is submitted again, as a new task. One that the other side begins anew by itself has not
    /// failed, but is running, with the next revision.
    pub fn failed(revision: u64, error: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            ..Self::new(revision, TaskStatus::Failed)
        }
    }

    /// That the task was stopped: the attempt of the step has failed, and is not made again.
    pub fn stopped(revision: u64) -> Self {
        Self::new(revision, TaskStatus::Stopped)
    }

    /// Adds a message about the progress.
    ///
    /// # Errors
    ///
    /// [`ReportError::Malformed`] where it can't be saved as JSON.
    pub fn check_in<T: Serialize + ?Sized>(mut self, message: &T) -> Result<Self, ReportError> {
        let saved = record_unread(message);
        let saved = saved.map_err(|error| {
            ReportError::malformed(format!("its check-in can't be saved as JSON: {error}"))
        })?;
        self.check_in = Some(saved);
        Ok(self)
    }

    /// Reads the JSON of a report, as it came over a network.
    ///
    /// # Errors
    ///
    /// [`ReportError::Malformed`] says what is wrong: it is not JSON, a field is missing, of another type
    /// or not known, or the fields contradict each other.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        let report: Self = serde_json::from_str(text)
            .map_err(|error| ReportError::malformed(error.to_string()))?;
        Ok(report)
    }

    /// Returns the report as JSON.
    pub fn to_json(&self) -> String {
        checked(serde_json::to_string(self))
    }

    /// Checks that its fields go together. The text of an error is cut to what is recorded of one.
    pub(crate) fn checked(mut self) -> Result<Self, ReportError> {
        let Self {
            revision,
            status,
            output,
            error,
            check_in,
        } = &self;
        let why = if *revision == 0 {
            "`revision` is 0: the first run of a task is 1"
        } else if output.is_some() && *status != TaskStatus::Done {
            "it has an `output`, and is not `done`"
        } else if error.is_some() && *status != TaskStatus::Failed {
            "it has an `error`, and is not `failed`"
        } else if *status == TaskStatus::Failed
            && error.as_ref().is_none_or(|error| error.trim().is_empty())
        {
            "it is `failed`, and has no `error`"
        } else if check_in
            .as_ref()
            .is_some_and(|message| matches!(message.get(), "null" | "\"\""))
        {
            "its `checkIn` is empty"
        } else {
            self.error = self.error.map(within);
            return Ok(self);
        };
        Err(ReportError::malformed(why))
    }
}

/// Unwraps the JSON: writing to memory can't fail, and every key is text.
fn checked(written: serde_json::Result<String>) -> String {
    written.expect("a report is always JSON")
}

impl Serialize for TaskReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("revision", &self.revision)?;
        map.serialize_entry("status", self.status.as_str())?;
        if let Some(output) = &self.output {
            map.serialize_entry("output", output)?;
        }
        if let Some(error) = &self.error {
            map.serialize_entry("error", error)?;
        }
        if let Some(check_in) = &self.check_in {
            map.serialize_entry("checkIn", check_in)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for TaskReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const KNOWN: &[&str] = &["revision", "status", "output", "error", "checkIn"];
        let mut fields = BTreeMap::<String, Json>::deserialize(deserializer)?;
        let status = fields
            .remove("status")
            .ok_or_else(|| de::Error::missing_field("status"))?;
        let status: String = field("status", &status)?;
        let status = TaskStatus::from_name(&status).ok_or_else(|| {
            let known = TaskStatus::ALL.map(TaskStatus::as_str).join("`, `");
            de::Error::custom(format_args!(
                "there is no status `{status}`: they are `{known}`"
            ))
        })?;
        let revision = fields
            .remove("revision")
            .ok_or_else(|| de::Error::missing_field("revision"))?;
        let mut report = Self::new(field("revision", &revision)?, status);
        report.output = fields.remove("output");
        report.error = match fields.remove("error") {
            Some(error) => field("error", &error)?,
            None => None,
        };
        report.check_in = fields.remove("checkIn");
        if let Some(name) = fields.keys().next() {
            return Err(de::Error::unknown_field(name, KNOWN));
        }
        report.checked().map_err(|error| match error {
            ReportError::Malformed { why } => de::Error::custom(why),
            other => de::Error::custom(other),
        })
    }
}

fn field<T: de::DeserializeOwned, E: de::Error>(name: &str, value: &Json) -> Result<T, E> {
    let read = value.decode();
    read.map_err(|error| E::custom(format_args!("`{name}`: {error}")))
}

#[cfg(test)]
mod tests;
