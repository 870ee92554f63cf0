//! Why there can be no such schedule.

use std::time::Duration;

use jiff::Timestamp;

/// A schedule can't be, or there is none. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The name is no text of 1 to 200 bytes without control characters.
    #[error("this can't be its name: {why}")]
    Name {
        /// What is wrong with it.
        why: &'static str,
    },
    /// It was not said when it has its ticks.
    #[error("it is not said when it has its ticks: add `.cron(…)`, `.every(…)` or `.at(…)`")]
    NoTime,
    /// A field of a cron expression is none, or would mean something else than it seems to.
    #[error("the {field} of the cron expression `{expression}`: {why}")]
    Cron {
        /// The whole expression.
        expression: String,
        /// Which part of it.
        field: &'static str,
        /// What is wrong, and what to write.
        why: String,
    },
    /// There is no time zone of this name.
    #[error("`{zone}` is no time zone: write its name, such as `Europe/Berlin`, or `UTC`")]
    Zone {
        /// What was given.
        zone: String,
    },
    /// The interval is shorter than a second, or too long.
    #[error("{every:?} can't be the time between two ticks, which is a second at least")]
    Interval {
        /// The interval.
        every: Duration,
    },
    /// A text is none of a duration.
    #[error(transparent)]
    Duration(#[from] crate::base::duration::DurationError),
    /// It would never have a tick.
    #[error("{timing} has no tick after {now}")]
    NeverFires {
        /// When it has its ticks.
        timing: String,
        /// The time.
        now: Timestamp,
    },
    /// [`Missed::All`](super::Missed::All) is none from 1 to 1000.
    #[error("{most} missed ticks can't be made: write from 1 to 1000")]
    TooMany {
        /// The number.
        most: usize,
    },
    /// The input can't be saved, or is too large.
    #[error("{why}")]
    Input {
        /// What is wrong.
        why: String,
    },
    /// A label of its executions is one that they have anyway.
    #[error("its executions have the label `{label}` of their own")]
    Label {
        /// The name of the label.
        label: String,
    },
    /// The schedule is kept in a form that this program does not know.
    #[error("it can't be read: {why}")]
    Unreadable {
        /// What is wrong.
        why: String,
    },
    /// There is no schedule of this name.
    #[error("there is none of this name")]
    Unknown,
}
