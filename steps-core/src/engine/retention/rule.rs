//! What is kept: the newest of what a filter finds, or all for a time.

use std::{fmt, time::Duration};

use super::rules::Rule;
use crate::{
    base::duration::AsDuration,
    engine::{Engine, error::EngineError, handle::filter::Filter},
    language::flow::Flow,
};

/// How long executions are kept: of those that a [`Filter`] finds, the newest ones, or for some time after
/// their end, or both: then one is kept as long as either keeps it.
///
/// An execution goes by the first of the engine's rules by which it may go. What has not ended never does;
/// nor does one that a `start` line of another has started, as long as that one is there; nor does one
/// that is `stuck`, unless the filter names that status.
///
/// ```
/// use steps::{Status, engine::{Filter, Retention}};
///
/// // The newest 50, whatever their status, of which those that have not ended count.
/// let scans = Retention::of(Filter::new().flow_name("scan")).newest(50);
/// let tests = Retention::of(Filter::new().label("env", "test")).for_time("1d");
/// let done = Retention::of(Filter::new().status(Status::Done)).for_time("30d").newest(1000);
/// assert_eq!(done.to_string(), "status=done: the newest 1000, and for 30 d 0 h");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "it is for an engine's builder: `.retain(…)`"]
pub struct Retention {
    filter: Filter,
    newest: Option<usize>,
    per: Option<String>,
    for_time: Option<Duration>,
    wrong: Option<String>,
}

impl Retention {
    /// A rule for all that the filter finds. Without [`newest`](Self::newest) or
    /// [`for_time`](Self::for_time) it is refused when the engine starts, as it would keep nothing.
    pub fn of(filter: Filter) -> Self {
        Self {
            filter,
            newest: None,
            per: None,
            for_time: None,
            wrong: None,
        }
    }

    /// A rule for all executions of a flow.
    pub fn of_flow<F: Flow>() -> Self {
        Self::of(Filter::new().flow::<F>())
    }

    /// Keeps the newest of what the filter finds, by the time of their creation: so many, with those that
    /// have not ended. 0 keeps none that has ended.
    pub fn newest(mut self, count: usize) -> Self {
        self.newest = Some(count);
        self
    }

    /// Keeps so many [newest](Self::newest) of each value of this label, in place of so many in all. What
    /// has no such label, this rule leaves alone.
    ///
    /// ```
    /// use steps::engine::{Filter, Retention};
    ///
    /// // The last 10 scans of each project.
    /// let rule = Retention::of(Filter::new().flow_name("scan")).newest(10).per("project");
    /// assert_eq!(rule.to_string(), "flow=scan: the newest 10 of each project");
    /// ```
    pub fn per(mut self, label: impl Into<String>) -> Self {
        self.per = Some(label.into());
        self
    }

    /// Keeps each for this time after its end, such as `"30d"`.
    pub fn for_time(mut self, time: impl AsDuration) -> Self {
        match time.as_duration() {
            Ok(time) => self.for_time = Some(time),
            Err(error) => self.wrong = Some(error.to_string()),
        }
        self
    }

    /// Returns the rule as an engine has it, which knows other names of its flows.
    pub(in crate::engine) fn rule(&self, engine: &Engine) -> Result<Rule, EngineError> {
        let refuse = |why: &str| {
            let why = format!("the retention of `{}`: {why}", self.filter);
            Err(EngineError::Filter { why })
        };
        if let Some(why) = &self.wrong {
            return refuse(why);
        }
        if self.newest.is_none() && self.for_time.is_none() {
            return refuse(
                "it says neither how many are kept, by `.newest(…)`, nor how long, by `.for_time(…)`",
            );
        }
        if let (Some(label), None) = (&self.per, self.newest) {
            return refuse(&format!(
                "it says `.per({label:?})`, but not how many of each are kept, by `.newest(…)`"
            ));
        }
        let query = self.filter.clone().query(engine)?;
        if !query.sort.is_empty() || query.limit.is_some() || query.after.is_some() {
            return refuse("its filter has a limit, a place or an order, which mean nothing here");
        }
        Ok(Rule {
            text: self.to_string(),
            query,
            newest: self.newest,
            per: self.per.clone(),
            for_time: self.for_time,
        })
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::base::took::Took;
        let filter = self.filter.to_string();
        f.write_str(if filter.is_empty() { "all" } else { &filter })?;
        let mut between = ": ";
        if let Some(count) = self.newest {
            write!(f, "{between}the newest {count}")?;
            between = ", and ";
        }
        if let Some(label) = &self.per {
            write!(f, " of each {label}")?;
        }
        match self.for_time {
            Some(time) => write!(f, "{between}for {}", Took(time)),
            None => Ok(()),
        }
    }
}
