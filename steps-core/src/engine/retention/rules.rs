//! The rules as a sweep follows them.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    model::status::Status,
    store::{Cursor, ExecutionQuery, Store, StoreError},
};

/// How often an engine sweeps, unless it is told otherwise.
pub(in crate::engine) const EVERY: Duration = Duration::from_hours(1);

/// What a rule deletes that names no status: what is stuck waits for an operator.
const OVER: [Status; 4] = [
    Status::Done,
    Status::Failed,
    Status::Undone,
    Status::Stopped,
];

/// A rule, as a sweep follows it.
#[derive(Debug)]
pub(in crate::engine) struct Rule {
    pub(super) text: String,
    pub(super) query: ExecutionQuery,
    pub(super) newest: Option<usize>,
    pub(super) for_time: Option<Duration>,
}

impl Rule {
    /// Returns the query for what it deletes now, if that can be anything: with those that have a parent
    /// who is there left out.
    pub(super) async fn deletes(
        &self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Option<ExecutionQuery>, StoreError> {
        let mut query = self.query.clone();
        query.without_parent = true;
        if query.status.is_empty() {
            query.status = OVER.to_vec();
        }
        if let Some(time) = self.for_time {
            let until = now.checked_sub(time).unwrap_or(Timestamp::MIN);
            let ended = query.ended.unwrap_or(Timestamp::MIN..until);
            query.ended = Some(ended.start..ended.end.min(until));
        }
        if let Some(count) = self.newest {
            match place_of(store, &self.query, count).await? {
                Place::All => {}
                Place::After(place) => query.after = Some(place),
                Place::None => return Ok(None),
            }
        }
        Ok(Some(query))
    }
}

/// The rules of an engine, and how often it sweeps.
#[derive(Debug)]
pub(in crate::engine) struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) every: Duration,
}

/// No rules.
impl Default for Rules {
    fn default() -> Self {
        Self::new(Vec::new(), EVERY)
    }
}

impl Rules {
    pub(in crate::engine) fn new(rules: Vec<Rule>, every: Duration) -> Self {
        Self { rules, every }
    }
}

/// What a rule that keeps the newest may delete.
enum Place {
    All,
    After(Cursor),
    None,
}

/// Returns the place in the list after which nothing is kept for being among the newest.
async fn place_of(
    store: &dyn Store,
    query: &ExecutionQuery,
    count: usize,
) -> Result<Place, StoreError> {
    if count == 0 {
        return Ok(Place::All);
    }
    let mut query = query.clone();
    query.brief = true;
    let mut left = count;
    loop {
        query.limit = Some(left.min(1000));
        let page = store.list(query.clone()).await?;
        let Some(last) = page.last() else {
            return Ok(Place::None);
        };
        query.after = Some(last.cursor());
        left = left.saturating_sub(page.len());
        if left == 0 {
            return Ok(Place::After(last.cursor()));
        }
    }
}
