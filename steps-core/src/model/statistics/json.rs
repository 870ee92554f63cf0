//! Statistics as JSON.

use serde::{Serialize, Serializer};

use super::{
    HourStatistics, PeriodStatistics, Quantiles, SlowExecution, Statistics, StepStatistics,
};
use crate::model::{
    report::json::{Object, nanos},
    status::Status,
};

impl Serialize for Quantiles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::new(serializer)?;
        object
            .field("count", &self.count)?
            .field("p50Nanos", &nanos(self.p50))?
            .field("p90Nanos", &nanos(self.p90))?
            .field("p99Nanos", &nanos(self.p99))?
            .field("longestNanos", &nanos(self.longest))?
            .field("meanNanos", &nanos(self.mean))?;
        object.end()
    }
}

impl Serialize for StepStatistics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::new(serializer)?;
        object
            .field("path", &self.path)?
            .field("count", &self.count)?
            .field("failed", &self.failed)?
            .field("retried", &self.retried)?
            .field("undone", &self.undone)?
            .field("failureRate", &self.failure_rate())?
            .field("retryRate", &self.retry_rate())?
            .field("undoRate", &self.undo_rate())?
            .field("times", &self.times)?
            .field("time", &self.time)?;
        object.end()
    }
}

impl Serialize for PeriodStatistics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_status = self.by_status.iter();
        let by_status: Vec<(&str, u64)> = by_status
            .map(|(status, count)| (status.as_str(), *count))
            .collect();
        let mut object = Object::new(serializer)?;
        object
            .field("executions", &self.executions)?
            .field("byStatus", &Counts(&by_status))?
            .field("failureRate", &self.failure_rate())?
            .field("times", &self.times)?
            .field("queue", &self.queue)?
            .field("sampled", &self.sampled)?
            .field("steps", &self.steps)?;
        object.end()
    }
}

struct Counts<'a>(&'a [(&'a str, u64)]);

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

impl Serialize for SlowExecution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::new(serializer)?;
        object
            .field("id", &self.id)?
            .field("status", Status::as_str(self.status))?
            .field("createdAt", &self.created_at)?
            .field("tookNanos", &nanos(self.took))?;
        object.end()
    }
}

impl Serialize for HourStatistics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::new(serializer)?;
        object
            .field("from", &self.from)?
            .field("created", &self.created)?
            .field("done", &self.done)?
            .field("failed", &self.failed)?
            .field("times", &self.times)?;
        object.end()
    }
}

impl Serialize for Statistics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::new(serializer)?;
        object
            .field("flow", &self.flow)?
            .field("since", &self.period.start)?
            .field("until", &self.period.end)?
            .field("current", &self.current)?
            .field("before", &self.before)?
            .field("slowest", &self.slowest)?
            .field("hours", &self.hours)?;
        object.end()
    }
}
