//! Queries as SQL, of the table `executions` as `e`: conditions, and the order of a list.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, postgres::PgArguments};
use steps_core::store::{Column, Condition, Cursor, Direction, ExecutionQuery, Field, Test, Value};

use super::holders;
use crate::{
    row::nanos::clamped,
    server::txn::{Database, Statement},
};

/// A value of a statement.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    Text(String),
    Texts(Vec<String>),
    Number(i64),
    Numbers(Vec<i64>),
    Float(f64),
}

/// Some SQL with its values, in which `?` stands for each.
#[derive(Debug, Default)]
pub(super) struct Sql {
    text: String,
    values: Vec<Bound>,
}

impl Sql {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds ` AND `, or ` WHERE ` before the first condition, and the condition.
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Bound>) {
        let word = if self.text.contains(" WHERE ") {
            " AND "
        } else {
            " WHERE "
        };
        self.text.push_str(word);
        self.text.push_str(condition);
        self.values.extend(values);
    }

    /// Adds the maximum number of rows.
    pub(super) fn limit(&mut self, limit: Option<usize>) {
        if let Some(limit) = limit {
            self.text.push_str(" LIMIT ?");
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            self.values.push(Bound::Number(limit));
        }
    }

    pub(super) fn statement(self, database: &Database) -> Statement {
        // The texts are ours: none has a `?` of its own.
        let mut text = String::new();
        for (n, part) in self.text.split('?').enumerate() {
            if n > 0 {
                let _ = write!(text, "${n}");
            }
            text.push_str(part);
        }
        let text = AssertSqlSafe(database.text(&text));
        let statement = sqlx::query_with(text, PgArguments::default());
        self.values
            .into_iter()
            .fold(statement, |it, value| match value {
                Bound::Text(value) => it.bind(value),
                Bound::Texts(values) => it.bind(values),
                Bound::Number(value) => it.bind(value),
                Bound::Numbers(values) => it.bind(values),
                Bound::Float(value) => it.bind(value),
            })
    }
}

/// What else a query has to meet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Also {
    /// Nothing.
    Nothing,
    /// It has ended, and nobody holds it: it may be deleted.
    IsOver,
}

/// Returns whether a query has conditions that the server can't decide: those on attributes compare numbers by their
/// digits, which no SQL does, and are written once for all stores.
pub(super) fn asks_for_attrs(query: &ExecutionQuery) -> bool {
    attrs(query).next().is_some()
}

/// The conditions on attributes.
pub(super) fn attrs(query: &ExecutionQuery) -> impl Iterator<Item = &Condition> {
    let conditions = query.conditions.iter();
    conditions.filter(|condition| !matches!(condition.field, Field::Column(_) | Field::Label(_)))
}

/// Adds all conditions of a query but those on attributes.
pub(super) fn add(sql: &mut Sql, query: &ExecutionQuery, also: Also) {
    if let Some(id) = &query.id {
        sql.and("e.id = ?", [Bound::Text(id.clone())]);
    }
    if !query.flows.is_empty() {
        sql.and("e.flow = ANY(?)", [Bound::Texts(query.flows.clone())]);
    }
    if !query.status.is_empty() {
        let status = query.status.iter().map(|status| status.as_str().to_owned());
        sql.and("e.status = ANY(?)", [Bound::Texts(status.collect())]);
    }
    for (name, value) in &query.labels {
        sql.and(
            "EXISTS (SELECT 1 FROM %.labels o WHERE o.execution = e.key AND o.name = ? AND o.value = ?)",
            [Bound::Text(name.clone()), Bound::Text(value.clone())],
        );
    }
    for (column, range) in [
        ("e.created_at", &query.created),
        ("e.done_at", &query.ended),
    ] {
        if let Some(range) = range {
            let ends = [range.start, range.end].map(|end| Bound::Number(clamped(end)));
            sql.and(&format!("{column} >= ? AND {column} < ?"), ends);
        }
    }
    if let Some(parent) = &query.parent {
        sql.and("e.parent = ?", [Bound::Text(parent.clone())]);
    }
    if query.without_parent {
        sql.and(
            "(e.parent IS NULL OR NOT EXISTS (SELECT 1 FROM %.executions p WHERE p.id = e.parent))",
            [],
        );
    }
    match query.refused {
        Some(true) => sql.and("e.refused IS NOT NULL", []),
        Some(false) => sql.and("e.refused IS NULL", []),
        None => {}
    }
    for condition in &query.conditions {
        if let Some((text, values)) = of_condition(condition) {
            sql.and(&text, values);
        }
    }
    if let Some(place) = &query.after {
        let (text, values) = after(query, place);
        sql.and(&text, values);
    }
    if also == Also::IsOver {
        let open = "e.status NOT IN ('pending', 'running', 'waiting', 'undoing')";
        sql.and(open, []);
        sql.and(
            concat!(
                "(e.worker IS NULL OR ",
                holders::due!(),
                " <= %.nanoseconds())"
            ),
            [],
        );
    }
}

/// Adds that it is one of these executions.
pub(super) fn add_keys(sql: &mut Sql, keys: &[i64]) {
    sql.and("e.key = ANY(?)", [Bound::Numbers(keys.to_vec())]);
}

/// Returns the SQL of a column.
fn column(column: Column) -> &'static str {
    match column {
        Column::Id => "e.id",
        Column::Flow => "e.flow",
        Column::Status => "e.status",
        Column::Trigger => "coalesce(e.trigger_name, 'manual')",
        Column::StatusMessage => "e.message",
        Column::Error => "e.error",
        Column::Worker => "e.worker",
        Column::Priority => "e.priority::float8",
        Column::Started => "e.started_at",
        Column::Ended => "e.done_at",
        Column::Updated => {
            "(SELECT greatest(e.updated_at, max(u.started_at), max(u.done_at)) FROM %.node_rows u \
             WHERE u.execution = e.key)"
        }
        _ => "e.created_at",
    }
}

/// Returns a value as the column has it; `None` if the column has none of its kind.
fn value(column: Column, value: &Value) -> Option<Bound> {
    let is_time = matches!(
        column,
        Column::Created | Column::Started | Column::Updated | Column::Ended
    );
    match value {
        Value::Time(time) if is_time => Some(Bound::Number(clamped(*time))),
        Value::Number(number) if column == Column::Priority => {
            number.to_string().parse().ok().map(Bound::Float)
        }
        Value::Text(text) if !is_time && column != Column::Priority => {
            Some(Bound::Text(text.clone()))
        }
        _ => None,
    }
}

fn of_condition(condition: &Condition) -> Option<(String, Vec<Bound>)> {
    match &condition.field {
        Field::Column(of) => Some(test(column(*of), *of, &condition.test)),
        Field::Label(name) => {
            // A label is a text, as an id is.
            let (sql, mut values) = test("o.value", Column::Id, &condition.test);
            values.insert(0, Bound::Text(name.clone()));
            let sql = format!(
                "EXISTS (SELECT 1 FROM %.labels o WHERE o.execution = e.key AND o.name = ? AND {sql})"
            );
            Some((sql, values))
        }
        _ => None,
    }
}

fn test(sql: &str, of: Column, test: &Test) -> (String, Vec<Bound>) {
    let never = || ("false".to_owned(), Vec::new());
    match test {
        Test::AnyOf(all) => {
            let values: Vec<Bound> = all.iter().filter_map(|it| value(of, it)).collect();
            if values.is_empty() {
                return never();
            }
            let places = vec!["?"; values.len()].join(", ");
            (format!("{sql} IN ({places})"), values)
        }
        Test::Within { from, to } => {
            let mut parts = vec![format!("{sql} IS NOT NULL")];
            let mut values = Vec::new();
            for (end, operator) in [(from, ">="), (to, "<=")] {
                let Some(end) = end else { continue };
                let Some(end) = value(of, end) else {
                    return never();
                };
                parts.push(format!("{sql} {operator} ?"));
                values.push(end);
            }
            (format!("({})", parts.join(" AND ")), values)
        }
        Test::Contains(part) if value(of, &Value::Text(String::new())).is_some() => {
            let part = Bound::Text(part.to_ascii_lowercase());
            // The columns have the collation "C", by which only ASCII letters have cases.
            (format!("strpos(lower({sql}), ?) > 0"), vec![part])
        }
        _ => never(),
    }
}

/// Whether a column may have no value.
fn may_be_missing(column: Column) -> bool {
    matches!(
        column,
        Column::StatusMessage | Column::Error | Column::Worker | Column::Started | Column::Ended
    )
}

/// The order of a list. What has no value comes last.
pub(super) fn order(query: &ExecutionQuery) -> String {
    let mut parts = Vec::new();
    for sort in &query.sort {
        let direction = match sort.direction {
            Direction::Ascending => "",
            Direction::Descending => " DESC",
        };
        let last = if may_be_missing(sort.column) {
            " NULLS LAST"
        } else {
            ""
        };
        parts.push(format!("{}{direction}{last}", column(sort.column)));
    }
    let tie = match query.tie() {
        Direction::Ascending => "",
        Direction::Descending => " DESC",
    };
    parts.push(format!("e.created_at{tie}, e.key{tie}"));
    format!(" ORDER BY {}", parts.join(", "))
}

/// The condition that an execution comes after a place in the list.
fn after(query: &ExecutionQuery, place: &Cursor) -> (String, Vec<Bound>) {
    let operator = match query.tie() {
        Direction::Ascending => ">",
        Direction::Descending => "<",
    };
    let mut sql = format!("(e.created_at, e.key) {operator} (?, ?)");
    let mut values = vec![
        Bound::Number(clamped(place.created_at)),
        Bound::Number(place.key),
    ];
    let sorted = query.sort.iter().zip(&place.by);
    for (sort, at) in sorted.rev() {
        let column_sql = column(sort.column);
        let at = at.as_ref().and_then(|at| value(sort.column, at));
        let Some(at) = at else {
            sql = format!("({column_sql} IS NULL AND {sql})");
            continue;
        };
        let operator = match sort.direction {
            Direction::Ascending => ">",
            Direction::Descending => "<",
        };
        let missing = if may_be_missing(sort.column) {
            format!("{column_sql} IS NULL OR ")
        } else {
            String::new()
        };
        sql = format!("({missing}{column_sql} {operator} ? OR ({column_sql} = ? AND {sql}))");
        values.splice(0..0, [at.clone(), at]);
    }
    (sql, values)
}
