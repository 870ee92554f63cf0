//! Finding and counting executions, and deleting those that have ended.

use std::ops::Range;

use jiff::Timestamp;

use super::execution::Handle;
use crate::{
    engine::{Engine, error::EngineError},
    language::flow::Flow,
    model::status::Status,
    store::{Cursor, ExecutionInfo, ExecutionQuery},
};

/// Selects executions: those that meet all of its conditions. Without any, all executions.
///
/// Conditions that no execution can meet at once are an [`EngineError::Filter`] when the filter is
/// used, such as `.status(Status::Done).unfinished()`.
///
/// ```
/// use steps::{Status, engine::Filter};
///
/// let stuck = Filter::new().status(Status::Stuck).label("project", "atlas").limit(20);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a filter finds nothing by itself"]
pub struct Filter {
    query: ExecutionQuery,
    /// Only those that have ended, and only those that have not: each with the name of the method
    /// that demands it.
    ended: Option<&'static str>,
    unfinished: Option<&'static str>,
    /// What contradicts an earlier condition.
    contradiction: Option<String>,
}

impl Filter {
    /// Selects all executions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only executions of this flow, under any of its names. Called again, it adds a flow.
    pub fn flow<F: Flow>(mut self) -> Self {
        let names = std::iter::once(&F::TABLE.name).chain(F::TABLE.aliases);
        self.query
            .flows
            .extend(names.map(|name| (*name).to_owned()));
        self
    }

    /// Only executions of the flow of this name. If the engine serves a flow that has or had this
    /// name, those that are saved under its other names, too. Called again, it adds a flow.
    pub fn flow_name(mut self, name: impl Into<String>) -> Self {
        self.query.flows.push(name.into());
        self
    }

    /// Only executions in this status. Called again, it adds a status.
    pub fn status(mut self, status: Status) -> Self {
        self.query.status.push(status);
        self
    }

    /// Only executions that have not ended.
    pub fn unfinished(mut self) -> Self {
        self.unfinished = Some("unfinished()");
        self
    }

    /// Only executions that have ended.
    pub fn ended(mut self) -> Self {
        self.ended = Some("ended()");
        self
    }

    /// Only executions with this label. Called again, it demands both.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        if let Some(other) = self.query.labels.get(&name)
            && *other != value
        {
            self.contradiction = Some(format!(
                "the label `{name}` can't be both {other:?} and {value:?}"
            ));
        }
        self.query.labels.insert(name, value);
        self
    }

    /// Only executions that were made in this range: from its start on, and before its end. Called
    /// again, it demands both.
    pub fn created(mut self, when: Range<Timestamp>) -> Self {
        self.query.created = Some(self.both("created", self.query.created.clone(), when));
        self
    }

    /// Only executions that have ended, in this range: from its start on, and before its end. Called
    /// again, it demands both.
    pub fn ended_within(mut self, when: Range<Timestamp>) -> Self {
        self.ended = Some("ended_within(…)");
        self.query.ended = Some(self.both("ended_within", self.query.ended.clone(), when));
        self
    }

    /// Returns what is in both ranges of time.
    fn both(
        &mut self,
        what: &str,
        one: Option<Range<Timestamp>>,
        other: Range<Timestamp>,
    ) -> Range<Timestamp> {
        if other.start > other.end {
            self.contradiction = Some(format!(
                "`{what}(…)` is from {} to {}, which is before that",
                other.start, other.end
            ));
        }
        let Some(one) = one else { return other };
        let both = one.start.max(other.start)..one.end.min(other.end);
        if both.start >= both.end {
            self.contradiction = Some(format!(
                "`{what}(…)` is both from {} to {} and from {} to {}",
                one.start, one.end, other.start, other.end
            ));
        }
        both
    }

    /// Only executions that did not fit the program that took them up.
    pub fn incompatible(mut self) -> Self {
        self.query.refused = Some(true);
        self
    }

    /// At most this many, in a list or a deletion: 0 is none. By default 100 in a list, and all in
    /// a deletion. A [count](Engine::count) is that of all pages.
    pub fn limit(mut self, limit: usize) -> Self {
        self.query.limit = Some(limit);
        self
    }

    /// Only executions that a list has after this place: the next page, after the last execution of
    /// the one before, which may be gone by now. A [count](Engine::count) is that of all pages.
    ///
    /// ```
    /// # use steps::{Engine, engine::{EngineError, Filter}};
    /// # async fn pages(engine: &Engine) -> Result<(), EngineError> {
    /// let mut filter = Filter::new().ended().limit(50);
    /// loop {
    ///     let page = engine.list(filter.clone()).await?;
    ///     let Some(last) = page.last() else { break };
    ///     filter = filter.after(last);
    ///     for info in page {
    ///         println!("{} {}", info.id, info.status);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(mut self, place: impl Into<Cursor>) -> Self {
        self.query.after = Some(place.into());
        self
    }
}

impl Filter {
    /// Returns what the store is asked for, by an engine that knows other names of its flows.
    pub(super) fn query(self, engine: &Engine) -> Result<ExecutionQuery, EngineError> {
        let Self {
            mut query,
            ended,
            unfinished,
            contradiction,
        } = self;
        let refuse = |why| Err(EngineError::Filter { why });
        if let Some(why) = contradiction {
            return refuse(why);
        }
        if let Some(never) = query.status.iter().find(|status| is_of_nodes(**status)) {
            return refuse(format!("only steps are ever {never}"));
        }
        let half = match (ended, unfinished) {
            (Some(ended), Some(unfinished)) => {
                return refuse(format!("it is both `{ended}` and `{unfinished}`"));
            }
            (Some(method), None) => Some((method, true)),
            (None, Some(method)) => Some((method, false)),
            (None, None) => None,
        };
        if let Some((method, is_final)) = half {
            let asked = std::mem::take(&mut query.status);
            let all = Status::ALL.into_iter();
            let all = all.filter(|status| status.is_final() == is_final);
            query.status = all
                .filter(|status| asked.is_empty() || asked.contains(status))
                .collect();
            if query.status.is_empty() {
                let asked: Vec<_> = asked.iter().map(|status| status.as_str()).collect();
                return refuse(format!("it is `{method}`, and {}", asked.join(" or ")));
            }
        }
        let mut others = Vec::new();
        for name in &query.flows {
            if let Some((_, served)) = engine.flows.get(name) {
                let names = served.names();
                others.extend(names.map(ToOwned::to_owned));
            }
        }
        others.retain(|name| !query.flows.contains(name));
        query.flows.append(&mut others);
        query.flows.sort_unstable();
        query.flows.dedup();
        Ok(query)
    }
}

/// Returns whether nodes have this status, and executions never.
fn is_of_nodes(status: Status) -> bool {
    matches!(status, Status::Skipped | Status::UndoFailed)
}

impl Engine {
    /// Returns the executions that a filter finds, the newest first.
    pub async fn list(&self, filter: Filter) -> Result<Vec<ExecutionInfo>, EngineError> {
        let mut query = filter.query(self)?;
        query.limit.get_or_insert(100);
        Ok(self.core.store.list(query).await?)
    }

    /// Returns how many executions a filter finds on all its pages: whatever its
    /// [`limit`](Filter::limit) and [`after`](Filter::after).
    pub async fn count(&self, filter: Filter) -> Result<u64, EngineError> {
        Ok(self.core.store.count(filter.query(self)?).await?)
    }

    /// Deletes the executions that a filter finds and that have ended, with all that is recorded of
    /// them, the oldest first, up to its [`limit`](Filter::limit). Others are passed over: stop or
    /// undo them first. Returns how many were deleted.
    pub async fn delete_where(&self, filter: Filter) -> Result<u64, EngineError> {
        Ok(self.core.store.delete(filter.query(self)?).await?)
    }
}

impl Handle {
    /// Deletes the execution with all that is recorded of it. Its id may be used again.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where it has not ended, [`EngineError::Busy`] where a worker still
    /// holds it.
    pub async fn delete(&self) -> Result<(), EngineError> {
        let query = ExecutionQuery {
            id: Some(self.id.to_string()),
            ..ExecutionQuery::default()
        };
        let mut tries = 0..2;
        loop {
            if self.engine.core.store.delete(query.clone()).await? > 0 {
                return Ok(());
            }
            let info = self.brief().await?;
            let id = || self.id.to_string();
            let is_left = tries.next().is_some();
            if !info.status.is_final() || !is_left {
                return Err(EngineError::Status {
                    id: id(),
                    wanted: "deleted",
                    status: info.status,
                });
            }
            // It was given back since.
            let (Some(worker), Some(until)) = (info.worker, info.due) else {
                continue;
            };
            return Err(EngineError::Busy {
                id: id(),
                worker,
                until,
                status: info.status,
            });
        }
    }
}
