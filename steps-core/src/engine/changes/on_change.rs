//! Which changes a function is told of, and how.

use std::time::Duration;

use crate::{
    base::duration::AsDuration,
    engine::worker::served::ServedFlows,
    language::flow::Flow,
    model::status::Status,
    store::{ChangeKind, Subscription},
};

/// Which changes a function is told of, and how: by default all of all flows, eight at once, each for at
/// most a minute, and again after a failure, for ever, in pauses from a second to ten minutes.
///
/// ```
/// # use steps::prelude::*;
/// use steps::engine::OnChange;
///
/// # #[flow]
/// # async fn order() -> Result<(), String> { steps! {} Ok(()) }
/// let on = OnChange::new()
///     .flow::<order>()
///     .status(Status::Failed)
///     .status(Status::Stuck)
///     .pauses("5s", "1h")
///     .give_up_after("7d");
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is for an engine's builder: `.on_execution_change(…)`"]
pub struct OnChange {
    flows: Vec<String>,
    statuses: Vec<Status>,
    pub(super) at_once: usize,
    pub(super) timeout: Duration,
    pub(super) pauses: (Duration, Duration),
    pub(super) give_up_after: Option<Duration>,
    wrong: Option<String>,
}

impl Default for OnChange {
    fn default() -> Self {
        Self::new()
    }
}

impl OnChange {
    /// All changes, of all flows.
    pub const fn new() -> Self {
        Self {
            flows: Vec::new(),
            statuses: Vec::new(),
            at_once: 8,
            timeout: Duration::from_mins(1),
            pauses: (Duration::from_secs(1), Duration::from_mins(10)),
            give_up_after: None,
            wrong: None,
        }
    }

    /// Only those of this flow, under any of its names. Called again, it adds a flow.
    pub fn flow<F: Flow>(mut self) -> Self {
        let names = std::iter::once(&F::TABLE.name).chain(F::TABLE.aliases);
        self.flows.extend(names.map(|name| (*name).to_owned()));
        self
    }

    /// Only those of the flow of this name, which this program need not have; with a served flow's name,
    /// those that are saved under its other names, too. Called again, it adds a flow.
    pub fn flow_name(mut self, name: impl Into<String>) -> Self {
        self.flows.push(name.into());
        self
    }

    /// Only changes to this status. Called again, it adds a status.
    pub fn status(mut self, status: Status) -> Self {
        self.statuses.push(status);
        self
    }

    /// How many calls run at once, of different executions; at least 1, by default 8. Those of one execution
    /// come one after the other.
    pub fn at_once(mut self, calls: usize) -> Self {
        self.at_once = calls.max(1);
        self
    }

    /// How long one call may take, by default `"1m"`: then its future is dropped, and it counts as failed.
    pub fn timeout(mut self, time: impl AsDuration) -> Self {
        if let Some(time) = self.read(&time) {
            self.timeout = time;
        }
        self
    }

    /// The pause after a first failure, and the longest one, by default `"1s"` and `"10m"`. Each pause is
    /// twice the one before.
    pub fn pauses(mut self, first: impl AsDuration, longest: impl AsDuration) -> Self {
        if let (Some(first), Some(longest)) = (self.read(&first), self.read(&longest)) {
            self.pauses = (first, longest.max(first));
        }
        self
    }

    /// Gives a change up for good that can't be told for this long since it happened: this is an error in the
    /// log, and the next change of the execution is told. By default it is tried for ever.
    pub fn give_up_after(mut self, time: impl AsDuration) -> Self {
        if let Some(time) = self.read(&time) {
            self.give_up_after = Some(time);
        }
        self
    }

    fn read(&mut self, time: &impl AsDuration) -> Option<Duration> {
        match time.as_duration() {
            Ok(time) => Some(time),
            Err(error) => {
                self.wrong = Some(error.to_string());
                None
            }
        }
    }

    /// Returns the subscription, by an engine that knows other names of its flows; or what is wrong.
    pub(super) fn subscription(
        &self,
        name: &str,
        kind: ChangeKind,
        served: &ServedFlows,
    ) -> Result<Subscription, String> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        let mut flows = self.flows.clone();
        for flow in &self.flows {
            if let Some((_, served)) = served.get(flow) {
                flows.extend(served.names().map(str::to_owned));
            }
        }
        let (mut statuses, mut never) = (self.statuses.clone(), Vec::new());
        for status in &statuses {
            let is_never = match kind {
                ChangeKind::Execution => matches!(status, Status::Skipped | Status::UndoFailed),
                ChangeKind::Step => matches!(status, Status::Stuck | Status::Stopped),
            };
            never.extend(is_never.then_some(status.as_str()));
        }
        if !never.is_empty() {
            let what = match kind {
                ChangeKind::Execution => "an execution",
                ChangeKind::Step => "a step",
            };
            return Err(format!("{what} is never {}", never.join(" or ")));
        }
        flows.sort_unstable();
        flows.dedup();
        statuses.sort_unstable();
        statuses.dedup();
        Ok(Subscription {
            name: name.to_owned(),
            kind,
            flows,
            statuses,
        })
    }

    /// Returns the pause after so many failures.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let (first, longest) = self.pauses;
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        first.saturating_mul(doubled).min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let on = OnChange::new().pauses("2s", "15s");
        let pauses = [1, 2, 3, 4, 40, u32::MAX].map(|failures| on.pause(failures).as_secs());
        assert_eq!(pauses, [2, 4, 8, 15, 15, 15]);
    }
}
