//! The rules as a sweep follows them.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    model::status::Status,
    store::{Cursor, ExecutionQuery, LabelQuery, Store, StoreError},
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

/// How many values of a label are looked at together.
const VALUES: usize = 1000;

/// A rule, as a sweep follows it.
#[derive(Debug)]
pub(in crate::engine) struct Rule {
    pub(super) text: String,
    pub(super) query: ExecutionQuery,
    pub(super) newest: Option<usize>,
    /// So many of each value of this label.
    pub(super) per: Option<String>,
    pub(super) for_time: Option<Duration>,
}

impl Rule {
    /// Returns the parts that it is followed in.
    pub(super) fn parts(&self) -> Parts<'_> {
        Parts {
            rule: self,
            values: Vec::new().into_iter(),
            after: None,
            is_over: false,
        }
    }

    /// Returns the query for what it deletes of all these now, if that can be anything: with those that
    /// have a parent who is there left out.
    async fn deletes(
        &self,
        all: &ExecutionQuery,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Option<ExecutionQuery>, StoreError> {
        let mut query = all.clone();
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
            match place_of(store, all, count).await? {
                Place::All => {}
                Place::After(place) => query.after = Some(place),
                Place::None => return Ok(None),
            }
        }
        Ok(Some(query))
    }
}

/// The parts of a rule: one for each value of the label that it goes by, or a single one.
pub(super) struct Parts<'r> {
    rule: &'r Rule,
    /// The values that were found.
    values: std::vec::IntoIter<String>,
    /// The last of them.
    after: Option<String>,
    is_over: bool,
}

impl Parts<'_> {
    /// Returns the query for what the next part deletes now, of those that may delete something.
    pub(super) async fn next(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Option<ExecutionQuery>, StoreError> {
        let rule = self.rule;
        loop {
            let found = match &rule.per {
                // One value is all that the filter finds.
                Some(label) if !rule.query.labels.contains_key(label) => {
                    let Some(value) = self.value(label, store).await? else {
                        return Ok(None);
                    };
                    let mut all = rule.query.clone();
                    all.labels.insert(label.clone(), value);
                    rule.deletes(&all, store, now).await?
                }
                _ if self.is_over => return Ok(None),
                _ => {
                    self.is_over = true;
                    rule.deletes(&rule.query, store, now).await?
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Returns the next value that more executions have than are kept.
    async fn value(
        &mut self,
        label: &str,
        store: &dyn Store,
    ) -> Result<Option<String>, StoreError> {
        if self.values.len() == 0 && !self.is_over {
            let kept = self.rule.newest.unwrap_or_default();
            let values = store.label_values(LabelQuery {
                name: label.to_owned(),
                at_least: u64::try_from(kept).unwrap_or(u64::MAX).saturating_add(1),
                after: self.after.take(),
                limit: Some(VALUES),
            });
            let values = values.await?;
            self.is_over = values.len() < VALUES;
            self.after = values.last().cloned();
            self.values = values.into_iter();
        }
        Ok(self.values.next())
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
