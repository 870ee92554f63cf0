//! Which executions to find: a filter, in code. As text it is in `text`, and what is done with what it
//! finds in `bulk`.

mod text;

use std::ops::Range;

use jiff::Timestamp;

use crate::{
    engine::{Engine, error::EngineError},
    language::flow::Flow,
    model::{attrs::path::AttrPath, status::Status},
    store::{
        Column, Condition, Cursor, Direction, ExecutionQuery, Field, Sort, Test, Value,
        condition::text::during,
    },
};
pub use text::InvalidFilter;

/// Selects executions: those that meet all of its conditions. Without any, all executions.
///
/// Conditions that no execution can meet at once are an [`EngineError::Filter`] when the filter is
/// used, such as `.status(Status::Done).unfinished()`.
///
/// ```
/// use steps::{Status, engine::Filter};
///
/// let stuck = Filter::new().status(Status::Stuck).label("project", "atlas").limit(20);
/// let same = Filter::parse("status=stuck,label.project=atlas,limit=20")?;
/// assert_eq!(stuck, same);
/// # Ok::<_, steps::engine::InvalidFilter>(())
/// ```
///
/// [`parse`](Self::parse) has the whole language, and so has [`matching`](Self::matching) in code.
#[derive(Clone, Debug, Default, PartialEq)]
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

    /// Only executions that the one with this id has started by `start` lines: its children.
    pub fn children_of(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        if let Some(other) = &self.query.parent
            && *other != id
        {
            self.contradiction = Some(format!(
                "no execution is a child of both `{other}` and `{id}`"
            ));
        }
        self.query.parent = Some(id);
        self
    }

    /// Only executions that did not fit the program that took them up.
    pub fn incompatible(mut self) -> Self {
        self.query.refused = Some(true);
        self
    }

    /// Only executions that meet this condition. Called again, it demands both. Of a label or an
    /// attribute, see [`label`](Self::label) and [`attr`](Self::attr) first.
    ///
    /// A condition on a flow, a status, a label's value or a time of creation or end has methods of its
    /// own, which are answered by an index. For this one, each execution that meets the others is looked
    /// at.
    ///
    /// ```
    /// use steps::{engine::Filter, store::{Column, Condition, Field, Test}};
    ///
    /// let slow = Filter::new().matching(Condition {
    ///     field: Field::Column(Column::StatusMessage),
    ///     test: Test::Contains("100%".to_owned()),
    /// });
    /// assert_eq!(slow, Filter::parse(r#"status_message=~"100%""#)?);
    /// # Ok::<_, steps::engine::InvalidFilter>(())
    /// ```
    pub fn matching(mut self, condition: Condition) -> Self {
        self.query.conditions.push(condition);
        self
    }

    /// Only executions with this attribute, at a [path](crate::Attrs::get) such as `image.size`: a text,
    /// a boolean or a number, which are never equal to one another. Called again, it demands both. There
    /// is no index of attributes: together with a flow, a status, a label or a time, fewer are looked at.
    ///
    /// ```
    /// use steps::engine::Filter;
    ///
    /// let filter = Filter::new().attr("image.size", 9_007_199_254_740_993_u64).attr("scan.ok", true);
    /// assert_eq!(filter.to_string(), "attrs.image.size=9007199254740993,attrs.scan.ok=true");
    /// ```
    pub fn attr(mut self, path: &str, value: impl Into<Value>) -> Self {
        match path.parse::<AttrPath>() {
            Ok(path) => self.query.conditions.push(Condition {
                field: Field::Attr(path),
                test: Test::AnyOf(vec![match value.into() {
                    // As serde saves it.
                    Value::Time(time) => Value::Text(time.to_string()),
                    value => value,
                }]),
            }),
            Err(why) => self.contradiction = Some(why),
        }
        self
    }

    /// Only executions that this started. Called again with another, none.
    pub fn trigger(self, trigger: impl Into<crate::Trigger>) -> Self {
        let trigger: crate::Trigger = trigger.into();
        self.matching(Condition {
            field: Field::Column(Column::Trigger),
            test: Test::AnyOf(vec![trigger.as_str().into()]),
        })
    }

    /// Only executions that first began in this range: from its start on, and before its end.
    pub fn started(self, when: Range<Timestamp>) -> Self {
        self.in_time(Column::Started, when)
    }

    /// Only executions that were last changed in this range: from its start on, and before its end.
    /// See [`ExecutionInfo::updated_at`](crate::store::ExecutionInfo::updated_at).
    pub fn updated(self, when: Range<Timestamp>) -> Self {
        self.in_time(Column::Updated, when)
    }

    fn in_time(mut self, column: Column, when: Range<Timestamp>) -> Self {
        if when.start >= when.end {
            self.contradiction = Some(format!(
                "`{column}(…)` is from {} to {}, which is not after that",
                when.start, when.end
            ));
        }
        self.matching(Condition {
            field: Field::Column(column),
            test: during(&when),
        })
    }

    /// Sorts a list by this column, the least first. Called again, or together with
    /// [`descending`](Self::descending), it sorts those that are the same in the columns before. What
    /// has no value in a column comes last; what is the same in all comes as in a list that is not
    /// sorted, the newest first. Texts are sorted byte by byte.
    ///
    /// ```
    /// use steps::{engine::Filter, store::Column};
    ///
    /// let filter = Filter::new().ascending(Column::Flow).descending(Column::Ended);
    /// assert_eq!(filter.to_string(), "sort={flow -ended}");
    /// ```
    pub fn ascending(self, column: Column) -> Self {
        self.sorted(column, Direction::Ascending)
    }

    /// Sorts a list by this column, the largest first: see [`ascending`](Self::ascending).
    pub fn descending(self, column: Column) -> Self {
        self.sorted(column, Direction::Descending)
    }

    fn sorted(mut self, column: Column, direction: Direction) -> Self {
        self.query.sort.push(Sort { column, direction });
        self
    }

    /// At most this many, in a list or a deletion: 0 is none. By default 100 in a list, and all in
    /// a deletion. A [count](Engine::count) is that of all pages.
    pub fn limit(mut self, limit: usize) -> Self {
        self.query.limit = Some(limit);
        self
    }

    /// The limit, if one was set.
    pub fn most(&self) -> Option<usize> {
        self.query.limit
    }

    /// The [conditions](Self::matching) that no index answers, those on attributes among them: for who
    /// must know what is asked for.
    pub fn conditions(&self) -> &[Condition] {
        &self.query.conditions
    }

    /// Whether it has an order of its own.
    pub fn is_sorted(&self) -> bool {
        !self.query.sort.is_empty()
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
    pub(in crate::engine) fn query(self, engine: &Engine) -> Result<ExecutionQuery, EngineError> {
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
        if let Some(after) = &query.after
            && after.by.len() != query.sort.len()
        {
            return refuse("its place `after` is one of a list in another order".to_owned());
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

#[cfg(test)]
mod tests;
