//! External tasks: what somebody else runs for a step, and reports on.
//!
//! [`Task`] is what a step's node keeps of its task, and [`Task::take`] the one rule by which a report
//! changes it: whatever order the reports come in, and however often each, the record is the same in the
//! end. How reports come to a run is left to `interpreter/reports` and the engine.

mod id;
mod report;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use crate::base::json::Json;
pub use id::{TaskId, TaskIdError};
pub use report::{ReportError, TaskReport, TaskStatus};

/// The external task of a step, as its node keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Task {
    /// Its id. It is recorded before the task is submitted.
    pub id: TaskId,
    /// The highest run of it that was reported; 0 before the first report. So it is how often the other
    /// side has begun it.
    pub revision: u64,
    /// How that run is doing.
    pub status: TaskStatus,
    /// The output, from when it was reported until the step is done: then it is the step's.
    pub output: Option<Json>,
    /// Why it has failed.
    pub error: Option<String>,
    /// The last message about its progress.
    pub check_in: Option<Json>,
    /// Whether it was asked to stop, by the step's `#[stop]`.
    pub stop_asked: bool,
    /// Why that failed.
    pub stop_err: Option<String>,
}

/// What a report changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Whether the status or the revision changes.
    pub(crate) status: bool,
    /// Whether there is a new message.
    pub(crate) check_in: bool,
}

impl Change {
    pub(crate) const fn is_none(self) -> bool {
        !self.status && !self.check_in
    }
}

impl Task {
    /// A task on which nothing was reported.
    pub(crate) fn new(id: TaskId) -> Self {
        Self {
            id,
            revision: 0,
            status: TaskStatus::Pending,
            output: None,
            error: None,
            check_in: None,
            stop_asked: false,
            stop_err: None,
        }
    }

    /// Returns what a report changes.
    ///
    /// * A report on a lower revision changes nothing.
    /// * One on the same revision changes the status if that comes [later](TaskStatus::rank): so the first end
    ///   that is reported stays.
    /// * One on a higher revision changes the status to whatever it says.
    /// * A message is taken unless it belongs to a lower revision, comes after the end, or is the last one
    ///   once more.
    pub(crate) fn changes(&self, report: &TaskReport) -> Change {
        let same = report.revision == self.revision;
        let status =
            report.revision > self.revision || same && report.status.rank() > self.status.rank();
        let may_tell = status || same && !self.status.is_final();
        let check_in = report.check_in.is_some() && may_tell && report.check_in != self.check_in;
        Change { status, check_in }
    }

    /// Takes a report, by the rule by which a step takes it. Returns whether it has changed anything: for whoever keeps
    /// reports on their way to a run.
    ///
    /// ```
    /// use steps::{State, TaskReport};
    ///
    /// let text = r#"{"name":"scan","status":"waiting","until":"report",
    ///     "task":{"id":"3b241101e2bb42558caf4136c566a962.order-7","revision":0,"status":"pending"}}"#;
    /// let mut task = State::from_json(text)?.task.clone().expect("it has one");
    /// assert!(task.report(&TaskReport::running(1)));
    /// assert!(!task.report(&TaskReport::running(1)));
    /// assert!(task.report(&TaskReport::done(1, &3)?));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn report(&mut self, report: &TaskReport) -> bool {
        !self.take(report).is_none()
    }

    /// Takes a report. Returns what it has changed.
    pub(crate) fn take(&mut self, report: &TaskReport) -> Change {
        let change = self.changes(report);
        if change.status {
            self.revision = report.revision;
            self.status = report.status;
            self.output.clone_from(&report.output);
            self.error.clone_from(&report.error);
        }
        if change.check_in {
            self.check_in.clone_from(&report.check_in);
        }
        change
    }
}

/// What became of a report: [`Engine::report`](crate::Engine::report). Whatever it is, the sender need not
/// send this report again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a task that is gone is one that nobody waits for"]
#[non_exhaustive]
pub enum Reported {
    /// It is recorded, and takes effect.
    Taken,
    /// It changes nothing: it was reported before, or is older than what was.
    Stale,
    /// Nobody waits for the task any more: it may be ended, and no further report on it is of use.
    Gone(Gone),
}

/// Why nobody waits for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Gone {
    /// There is no execution with this task: it was deleted, the step was begun anew with another task, or
    /// the id was made up.
    Unknown,
    /// The execution has ended, or is being undone.
    Ended,
    /// The attempt that has submitted it has ended: its end was reported, or it was given up.
    Over,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such task",
            Self::Ended => "the execution has ended, or is being undone",
            Self::Over => "the attempt that has submitted it has ended",
        })
    }
}

/// An attempt of a step failed, as its external task did: the error of the [failure](crate::failure).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskFailed {
    /// The task.
    pub task: TaskId,
    /// Why, as it was reported; `None` where it was stopped.
    pub error: Option<String>,
}

impl fmt::Display for TaskFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            self.error
                .as_deref()
                .unwrap_or("the external task was stopped"),
        )
    }
}

impl std::error::Error for TaskFailed {}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
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
        if self.stop_asked {
            map.serialize_entry("stopAsked", &true)?;
        }
        if let Some(error) = &self.stop_err {
            map.serialize_entry("stopErr", error)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = BTreeMap::<String, Json>::deserialize(deserializer)?;
        let id = fields
            .remove("id")
            .ok_or_else(|| de::Error::missing_field("id"))?;
        let mut task = Self::new(id.decode().map_err(de::Error::custom)?);
        for (name, value) in fields {
            let read: Result<(), serde_json::Error> = (|| {
                match &*name {
                    "revision" => task.revision = value.decode()?,
                    "status" => {
                        let status: String = value.decode()?;
                        task.status = TaskStatus::from_name(&status)
                            .ok_or_else(|| de::Error::custom("it is not known"))?;
                    }
                    "output" => task.output = Some(value),
                    "error" => task.error = value.decode()?,
                    "checkIn" => task.check_in = Some(value),
                    "stopAsked" => task.stop_asked = value.decode()?,
                    "stopErr" => task.stop_err = value.decode()?,
                    _ => return Err(de::Error::custom("it is not known")),
                }
                Ok(())
            })();
            read.map_err(|error| de::Error::custom(format_args!("`{name}` of a task: {error}")))?;
        }
        Ok(task)
    }
}
