//! Conditions and the order of a list as SQL, of the table `executions` as `e`.

use rusqlite::types::Value as Sql;
use steps_core::store::{Column, Condition, Cursor, Direction, ExecutionQuery, Field, Test, Value};

use crate::row::nanos::clamped;

/// Returns the SQL of a column.
fn column(column: Column) -> &'static str {
    match column {
        Column::Id => "e.id",
        Column::Flow => "e.flow",
        Column::Status => "e.status",
        Column::Trigger => "ifnull(e.trigger_name, 'manual')",
        Column::StatusMessage => "e.message",
        Column::Error => "e.error",
        Column::Worker => "e.worker",
        Column::Priority => "e.priority",
        Column::Started => "e.started_at",
        Column::Ended => "e.done_at",
        Column::Updated => {
            "max(ifnull(e.updated_at, e.created_at), ifnull((SELECT max(u.started_at) FROM nodes u \
             WHERE u.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215), e.created_at), \
             ifnull((SELECT max(u.done_at) FROM nodes u \
             WHERE u.id BETWEEN e.key << 24 AND (e.key << 24) + 16777215), e.created_at))"
        }
        _ => "e.created_at",
    }
}

/// Returns a value as the column has it; `None` if the column has none of its kind.
fn value(column: Column, value: &Value) -> Option<Sql> {
    let is_time = matches!(
        column,
        Column::Created | Column::Started | Column::Updated | Column::Ended
    );
    match value {
        Value::Time(time) if is_time => Some(clamped(*time).into()),
        Value::Number(number) if column == Column::Priority => {
            let text = number.to_string();
            let whole = text.parse::<i64>().map(Sql::from);
            whole.or_else(|_| text.parse::<f64>().map(Sql::from)).ok()
        }
        Value::Text(text) if !is_time && column != Column::Priority => Some(text.clone().into()),
        _ => None,
    }
}

/// Returns the SQL of a condition, and its values.
pub(crate) fn condition(condition: &Condition) -> (String, Vec<Sql>) {
    match &condition.field {
        Field::Column(of) => test(column(*of), *of, &condition.test),
        Field::Label(name) => {
            // A label is a text, as an id is.
            let (sql, mut values) = test("o.value", Column::Id, &condition.test);
            values.insert(0, name.clone().into());
            let sql = format!(
                "EXISTS (SELECT 1 FROM labels o WHERE o.execution = e.key AND o.name = ? AND {sql})"
            );
            (sql, values)
        }
        _ => {
            let text = condition.to_string();
            ("steps_attrs(?, e.attrs)".to_owned(), vec![text.into()])
        }
    }
}

fn test(sql: &str, of: Column, test: &Test) -> (String, Vec<Sql>) {
    let never = || ("0".to_owned(), Vec::new());
    match test {
        Test::AnyOf(all) => {
            let values: Vec<Sql> = all.iter().filter_map(|it| value(of, it)).collect();
            if values.is_empty() {
                return never();
            }
            (is_one_of(sql, values.len()), values)
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
            if parts.len() > 1 {
                parts.remove(0);
            }
            (format!("({})", parts.join(" AND ")), values)
        }
        Test::Contains(part) if value(of, &Value::Text(String::new())).is_some() => {
            let part = part.to_ascii_lowercase();
            (format!("instr(lower({sql}), ?) > 0"), vec![part.into()])
        }
        _ => never(),
    }
}

/// Returns the SQL of a condition that something is one of so many values.
pub(crate) fn is_one_of(sql: &str, count: usize) -> String {
    format!("{sql} IN ({})", vec!["?"; count].join(", "))
}

/// Whether a column may have no value.
fn may_be_missing(column: Column) -> bool {
    matches!(
        column,
        Column::StatusMessage | Column::Error | Column::Worker | Column::Started | Column::Ended
    )
}

/// The columns that a list is sorted by, as `s0`, `s1`, … of a selection, each after a comma.
pub(crate) fn sorted_columns(query: &ExecutionQuery) -> String {
    let columns = query.sort.iter().enumerate();
    let columns = columns.map(|(index, sort)| format!(", {} AS s{index}", column(sort.column)));
    columns.collect()
}

/// The order of a list that is sorted, of these columns.
pub(crate) fn sorted_order(query: &ExecutionQuery) -> String {
    order(query, |index| format!("s{index}"), "created_at", "key")
}

/// The order of any list, of the table itself.
pub(crate) fn list_order(query: &ExecutionQuery) -> String {
    let of = |index: usize| column(query.sort[index].column).to_owned();
    order(query, of, "e.created_at", "e.key")
}

fn order(
    query: &ExecutionQuery,
    of: impl Fn(usize) -> String,
    created_at: &str,
    key: &str,
) -> String {
    let mut parts = Vec::new();
    for (index, sort) in query.sort.iter().enumerate() {
        // NULL is the least, and so the last of a descending order.
        parts.push(match sort.direction {
            Direction::Descending => format!("{} DESC", of(index)),
            Direction::Ascending if may_be_missing(sort.column) => {
                format!("{} NULLS LAST", of(index))
            }
            Direction::Ascending => of(index),
        });
    }
    let tie = match query.tie() {
        Direction::Ascending => "",
        Direction::Descending => " DESC",
    };
    // A time of creation that is sorted by is not repeated, so that an index has the order.
    let last = query.sort.last();
    if last.is_none_or(|sort| sort.column != Column::Created) {
        parts.push(format!("{created_at}{tie}"));
    }
    parts.push(format!("{key}{tie}"));
    format!("ORDER BY {}", parts.join(", "))
}

/// The condition that an execution comes after a place in the list.
pub(crate) fn after(
    query: &ExecutionQuery,
    place: &Cursor,
    created_at: &str,
    key: &str,
) -> (String, Vec<Sql>) {
    let operator = match query.tie() {
        Direction::Ascending => ">",
        Direction::Descending => "<",
    };
    let mut sql = format!("({created_at}, {key}) {operator} (?, ?)");
    let mut values: Vec<Sql> = vec![clamped(place.created_at).into(), place.key.into()];
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
