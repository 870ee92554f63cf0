//! The SQL of one walk, while its conditions are added.

use rusqlite::types::Value;
use steps_core::store::ExecutionQuery;

use super::{Sql, Walk, trigger};
use crate::{ops::conditions, row::nanos::clamped};

/// A walk's SQL while its conditions are added.
pub(super) struct Part {
    pub(super) sql: Sql,
    has_condition: bool,
}

impl Part {
    pub(super) fn new(from: String) -> Self {
        let sql = Sql {
            sql: from,
            values: Vec::new(),
        };
        Self {
            sql,
            has_condition: false,
        }
    }

    pub(super) fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        let word = if self.has_condition {
            " AND "
        } else {
            " WHERE "
        };
        self.sql.sql.push_str(word);
        self.sql.sql.push_str(condition);
        self.sql.values.extend(values);
        self.has_condition = true;
    }

    pub(super) fn any(&mut self, column: &str, values: impl ExactSizeIterator<Item = Value>) {
        if values.len() > 0 {
            self.and(&conditions::is_one_of(column, values.len()), values);
        }
    }

    pub(super) fn ended(&mut self, query: &ExecutionQuery) {
        if let Some(range) = &query.ended {
            let values = [clamped(range.start).into(), clamped(range.end).into()];
            self.and("e.done_at >= ? AND e.done_at < ?", values);
        }
    }

    /// Adds the conditions that the walk does not answer by itself.
    pub(super) fn rest(mut self, query: &ExecutionQuery, walk: &Walk) -> Sql {
        if !matches!(walk, Walk::FlowAndStatus(_)) {
            let flows = query.flows.iter();
            self.any("e.flow", flows.map(|name| name.clone().into()));
            let status = query.status.iter();
            self.any(
                "e.status",
                status.map(|status| status.as_str().to_owned().into()),
            );
        }
        for (name, value) in &query.labels {
            if !matches!(walk, Walk::Label(own, _) if own == name) {
                self.and(
                    "EXISTS (SELECT 1 FROM labels o WHERE o.execution = e.key AND o.name = ? \
                     AND o.value = ?)",
                    [name.clone().into(), value.clone().into()],
                );
            }
        }
        let created_at = walk.created_at();
        if let Some(range) = &query.created {
            self.and(
                &format!("{created_at} >= ? AND {created_at} < ?"),
                [clamped(range.start).into(), clamped(range.end).into()],
            );
        }
        if !matches!(walk, Walk::Ended) {
            self.ended(query);
        }
        if let Some(parent) = &query.parent
            && !matches!(walk, Walk::Parent)
        {
            self.and("e.parent = ?", [parent.clone().into()]);
        }
        if query.without_parent {
            self.and(
                "(e.parent IS NULL OR NOT EXISTS (SELECT 1 FROM executions p WHERE p.id = e.parent))",
                [],
            );
        }
        match query.refused {
            Some(true) if matches!(walk, Walk::Refused) => {}
            Some(true) => self.and("e.refused IS NOT NULL", []),
            Some(false) => self.and("e.refused IS NULL", []),
            None => {}
        }
        for condition in &query.conditions {
            if matches!(walk, Walk::Trigger(own) if trigger(condition) == Some(own.as_str())) {
                continue;
            }
            let (sql, values) = conditions::condition(condition);
            self.and(&sql, values);
        }
        if let Some(place) = &query.after {
            let (sql, values) = conditions::after(query, place, created_at, walk.key());
            self.and(&sql, values);
        }
        self.sql
    }
}
