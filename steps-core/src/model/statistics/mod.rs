//! Statistics of a flow: how many of its executions were created in a time, how they ended, and how long
//! they and their steps took.
//!
//! A store gives what it has to a [`Collector`], so that the same executions have the same statistics
//! in every store. Counts of executions are of all of them. What is said of steps is of a
//! [sample](StatisticsQuery::sample) where there are more: always the same one, and spread evenly.
//! Lengths of time are exact up to 4096 of them, and otherwise within 1/64 (1.6 %).
//!
//! | file | job |
//! |---|---|
//! | `collector`, `steps`, `times` | collecting: executions; their steps; lengths of time |
//! | `show`, `json` | as a document, and as JSON |

mod collector;
mod json;
mod show;
mod steps;
mod times;

use std::{collections::BTreeMap, ops::Range, time::Duration};

use jiff::Timestamp;

pub(crate) use collector::nanos_of;
pub use collector::{Collector, Seen};

use crate::{
    base::json::Json,
    model::{
        report::{Html, Markdown, Text, TimeUse, json::encoded},
        status::Status,
    },
};

/// What statistics are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatisticsQuery {
    /// Of the flow that was saved under one of these names.
    pub flows: Vec<String>,
    /// Of executions that were created from its start on, and before its end; and, to compare, in the same
    /// length of time before that.
    pub period: Range<Timestamp>,
    /// The steps of how many executions are looked at, of each of the two periods: at most.
    pub sample: usize,
    /// How many of the slowest executions are told.
    pub slowest: usize,
}

/// Statistics of the executions of a flow that were created in a time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// The flow's name.
    pub flow: String,
    /// From when on, and until before when, they were created.
    pub period: Range<Timestamp>,
    /// What they did.
    pub current: PeriodStatistics,
    /// What those did that were created in the same length of time before.
    pub before: PeriodStatistics,
    /// Those of the current period that took longest, the longest first.
    pub slowest: Vec<SlowExecution>,
    /// Hour by hour, those in which something was created or ended.
    pub hours: Vec<HourStatistics>,
}

/// What the executions of one period did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PeriodStatistics {
    /// How many there are.
    pub executions: u64,
    /// How many of them are in which status.
    pub by_status: BTreeMap<Status, u64>,
    /// How long those took that have ended, from their beginning on.
    pub times: Option<Quantiles>,
    /// How long those that have begun waited for that, from their creation on.
    pub queue: Option<Quantiles>,
    /// The steps of how many executions were looked at.
    pub sampled: u64,
    /// The steps, in the order of their paths. Rounds of a `loop`, and items of a `for`, are one step:
    /// their paths have `*` in place of the number or key.
    pub steps: Vec<StepStatistics>,
}

/// Of many lengths of time, those that 50, 90 and 99 per cent do not exceed, the longest, and the mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
#[non_exhaustive]
pub struct Quantiles {
    /// Of how many.
    pub count: u64,
    pub p50: Duration,
    pub p90: Duration,
    pub p99: Duration,
    pub longest: Duration,
    pub mean: Duration,
}

/// What one step did, in all executions that were looked at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StepStatistics {
    /// Its path, with `*` for any round or item.
    pub path: String,
    /// How often it has begun.
    pub count: u64,
    /// How often it failed, whatever was done then.
    pub failed: u64,
    /// How often it had more than one attempt, or asked more than once in a `poll`.
    pub retried: u64,
    /// How often it was undone, or that was tried.
    pub undone: u64,
    /// How long it took each time that it ended, with its pauses.
    pub times: Option<Quantiles>,
    /// Where that time went, in sum.
    pub time: TimeUse,
}

/// One of the executions that took longest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlowExecution {
    /// Its id.
    pub id: String,
    /// Its status.
    pub status: Status,
    /// When it was created.
    pub created_at: Timestamp,
    /// From its beginning to its end.
    pub took: Duration,
}

/// One hour, in UTC.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HourStatistics {
    /// When it begins.
    pub from: Timestamp,
    /// How many executions were created.
    pub created: u64,
    /// How many of the period's executions ended as done.
    pub done: u64,
    /// How many of the period's executions ended otherwise.
    pub failed: u64,
    /// How long those took that ended in this hour.
    pub times: Option<Quantiles>,
}

impl StatisticsQuery {
    /// Returns a query for all names of a flow, with a sample of 10,000 and the ten slowest.
    pub fn new(flows: Vec<String>, period: Range<Timestamp>) -> Self {
        Self {
            flows,
            period,
            sample: 10_000,
            slowest: 10,
        }
    }

    /// Returns both periods, the one before first.
    pub fn both(&self) -> Range<Timestamp> {
        let length = self.period.end.duration_since(self.period.start);
        let start = self.period.start.checked_sub(length);
        start.unwrap_or(Timestamp::MIN)..self.period.end
    }
}

impl PeriodStatistics {
    /// Returns how many have ended otherwise than done, as a part of those that have ended.
    pub fn failure_rate(&self) -> Option<f64> {
        let of = |status: &Status| self.by_status.get(status).copied().unwrap_or_default();
        let ended = Status::ALL.iter().filter(|status| status.is_final());
        let ended: u64 = ended.map(of).sum();
        rate(ended - of(&Status::Done), ended)
    }
}

impl StepStatistics {
    /// Returns how often it failed, as a part of how often it began.
    pub fn failure_rate(&self) -> f64 {
        rate(self.failed, self.count).unwrap_or_default()
    }

    /// Returns how often it had more than one attempt, as a part of how often it began.
    pub fn retry_rate(&self) -> f64 {
        rate(self.retried, self.count).unwrap_or_default()
    }

    /// Returns how often it was undone, as a part of how often it began.
    pub fn undo_rate(&self) -> f64 {
        rate(self.undone, self.count).unwrap_or_default()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a part of a whole needs no more digits"
)]
fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Statistics {
    /// Returns them as text, for a terminal or a log.
    pub fn text(&self) -> Text {
        Text(self.document())
    }

    /// Returns them as Markdown.
    pub fn markdown(&self) -> Markdown {
        Markdown(self.document())
    }

    /// Returns them as an HTML page.
    pub fn html(&self) -> Html {
        Html(self.document())
    }

    /// Returns them as JSON: the fields of this type in `camelCase`, lengths of time as nanoseconds in
    /// fields that end with `Nanos`, and rates from 0 to 1.
    pub fn json(&self) -> Json {
        encoded(self)
    }
}
