//! Which index a query walks, and the SQL for it.
//!
//! SQLite's planner does not know how many rows have a value, and takes an index by the columns alone:
//! so it reads a million rows that are done for the one that is stuck. Here the choice is made by
//! counting, up to [`FEW`], and written into the SQL. All walks but that by the time of the end are in
//! the order of a list, so a page costs its own rows and those that other conditions reject between
//! them; it is sorted only where several walks are merged, each of one page.

mod part;

use rusqlite::{Connection, params_from_iter, types::Value};
use steps_core::{
    Status,
    store::{Column, Condition, ExecutionQuery, Field, Test, Value as Asked},
};

use super::conditions;
use crate::error::Result;
use part::Part;

/// If there are fewer, they are all read, whatever else is asked for.
const FEW: i64 = 500;

/// The most walks of one flow and one status that are merged.
const MERGED: usize = 200;

/// Some SQL with its values.
#[derive(Debug, Default)]
pub(crate) struct Sql {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

/// In which order keys are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

impl Order {
    fn sql(self) -> &'static str {
        match self {
            Self::NewestFirst => "ORDER BY created_at DESC, key DESC",
            Self::OldestFirst => "ORDER BY created_at, key",
        }
    }
}

/// The index that a query walks.
#[derive(Debug)]
pub(crate) enum Walk {
    /// None: one execution by its key, which is the first value of the SQL.
    Key,
    /// That of ids.
    Id,
    /// That of what started them, by this trigger.
    Trigger(String),
    /// That of parents.
    Parent,
    /// That of labels, by this one.
    Label(String, String),
    /// That of the executions that do not fit.
    Refused,
    /// That of the times at which executions ended.
    Ended,
    /// That of flows and statuses: one walk for each pair.
    FlowAndStatus(Vec<(String, Status)>),
    /// That of the times at which executions were created.
    Created,
}

impl Walk {
    /// Chooses the index for a query. `is_page` says whether only the first few in order are wanted.
    pub(crate) fn choose(conn: &Connection, query: &ExecutionQuery, is_page: bool) -> Result<Self> {
        if query.id.is_some() || ids(query).is_some() {
            return Ok(Self::Id);
        }
        if query.parent.is_some() {
            return Ok(Self::Parent);
        }
        // A list in another order is sorted, and all that is found is read for it.
        let by_creation = query
            .sort
            .first()
            .is_none_or(|sort| sort.column == Column::Created);
        let is_page = is_page && by_creation;
        let pairs = pairs(conn, query)?;
        // Of several of which there are many, the first is taken. What is done is most of a large file,
        // so other statuses come before labels. An end is not in the order of a list, and so comes
        // first only where all is wanted anyway.
        let labels = query.labels.iter();
        let mut walks: Vec<Self> = labels
            .map(|(name, value)| Self::Label(name.clone(), value.clone()))
            .collect();
        walks.extend((query.refused == Some(true)).then_some(Self::Refused));
        let triggers = query.conditions.iter().filter_map(trigger);
        walks.extend(triggers.take(1).map(|name| Self::Trigger(name.to_owned())));
        let is_rare = !query.status.is_empty() && !query.status.contains(&Status::Done);
        let place = if is_rare { 0 } else { walks.len() };
        walks.splice(place..place, pairs.map(Self::FlowAndStatus));
        if query.ended.is_some() {
            let place = if is_page { walks.len() } else { 0 };
            walks.insert(place, Self::Ended);
        }
        if is_page && matches!(walks[..], [Self::Ended]) {
            walks.insert(0, Self::Created);
        }
        if walks.len() <= 1 {
            return Ok(walks.pop().unwrap_or(Self::Created));
        }
        let mut best: Option<(i64, Self)> = None;
        for walk in walks {
            let count = walk.count_up_to_few(conn, query)?;
            if best.as_ref().is_none_or(|(least, _)| count < *least) {
                best = Some((count, walk));
            }
        }
        Ok(best.map_or(Self::Created, |(_, walk)| walk))
    }

    fn count_up_to_few(&self, conn: &Connection, query: &ExecutionQuery) -> Result<i64> {
        if matches!(self, Self::Created) {
            return Ok(FEW);
        }
        let mut parts = Vec::new();
        let mut values = Vec::new();
        for part in self.parts(query, false) {
            parts.push(format!("SELECT * FROM (SELECT 1 {} LIMIT {FEW})", part.sql));
            values.extend(part.values);
        }
        if parts.is_empty() {
            return Ok(0);
        }
        let sql = format!(
            "SELECT count(*) FROM (SELECT * FROM ({}) LIMIT {FEW})",
            parts.join(" UNION ALL ")
        );
        let mut statement = conn.prepare_cached(&sql)?;
        Ok(statement.query_row(params_from_iter(values), |row| row.get(0))?)
    }

    /// Returns a query for the keys of a page.
    pub(crate) fn keys(&self, query: &ExecutionQuery, order: Order) -> Sql {
        self.keys_where(query, order, &Sql::default())
    }

    /// The same, of those that meet another condition, too, which begins with ` AND `.
    pub(crate) fn keys_where(&self, query: &ExecutionQuery, order: Order, also: &Sql) -> Sql {
        let limit = query
            .limit
            .map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1));
        let order = if query.sort.is_empty() {
            order.sql().to_owned()
        } else {
            conditions::sorted_order(query)
        };
        let sorted = conditions::sorted_columns(query);
        let mut found = Sql::default();
        let parts = self.parts(query, true);
        let selects = parts.into_iter().map(|part| {
            found.values.extend(part.values);
            found.values.extend(also.values.iter().cloned());
            let (part, also) = (part.sql, &also.sql);
            let created_at = self.created_at();
            let key = self.key();
            format!(
                "SELECT * FROM (SELECT {key} AS key, {created_at} AS created_at{sorted} {part}{also} \
                 {order} LIMIT {limit})"
            )
        });
        let selects: Vec<String> = selects.collect();
        found.sql = match &selects[..] {
            [] => "SELECT key FROM executions WHERE 0".to_owned(),
            [_] => format!("SELECT key FROM ({})", selects[0]),
            _ => format!(
                "SELECT key FROM ({}) {order} LIMIT {limit}",
                selects.join(" UNION ALL ")
            ),
        };
        found
    }

    /// Returns a query for how many there are, on all pages.
    pub(crate) fn count(&self, query: &ExecutionQuery) -> Sql {
        let mut found = Sql::default();
        let parts = self.parts(query, true);
        let selects = parts.into_iter().map(|part| {
            found.values.extend(part.values);
            format!("SELECT count(*) AS count {}", part.sql)
        });
        let selects: Vec<String> = selects.collect();
        found.sql = match &selects[..] {
            [] => "SELECT 0".to_owned(),
            [one] => one.clone(),
            _ => format!("SELECT sum(count) FROM ({})", selects.join(" UNION ALL ")),
        };
        found
    }

    fn key(&self) -> &'static str {
        match self {
            Self::Label(..) => "l.execution",
            _ => "e.key",
        }
    }

    fn created_at(&self) -> &'static str {
        match self {
            Self::Label(..) => "l.created_at",
            _ => "e.created_at",
        }
    }

    /// Returns `FROM … WHERE …` for each walk: with all conditions, or only with those that the index
    /// itself answers.
    fn parts(&self, query: &ExecutionQuery, whole: bool) -> Vec<Sql> {
        let by = |index: &str| Part::new(format!("FROM executions e INDEXED BY {index}"));
        let one = |mut part: Part, condition: &str, values: Vec<Value>| {
            part.and(condition, values);
            vec![part]
        };
        let parts = match self {
            Self::Key => {
                let part = Part::new("FROM executions e".to_owned());
                one(part, "e.key = ?", vec![Value::Null])
            }
            Self::Id => {
                let mut part = Part::new("FROM executions e".to_owned());
                match (&query.id, ids(query)) {
                    (Some(id), _) => part.and("e.id = ?", [id.clone().into()]),
                    (None, ids) => part.any("e.id", ids.unwrap_or_default().into_iter()),
                }
                vec![part]
            }
            Self::Parent => {
                let parent = query.parent.clone().unwrap_or_default();
                one(by("executions_parent"), "e.parent = ?", vec![parent.into()])
            }
            Self::Label(name, value) => {
                let mut from = "FROM labels l INDEXED BY labels_value".to_owned();
                if whole {
                    from += " CROSS JOIN executions e ON e.key = l.execution";
                }
                let values = vec![name.clone().into(), value.clone().into()];
                one(Part::new(from), "l.name = ? AND l.value = ?", values)
            }
            Self::Trigger(name) => one(
                by("executions_trigger"),
                "e.trigger_name = ?",
                vec![name.clone().into()],
            ),
            Self::Refused => one(
                by("executions_refused"),
                "e.refused IS NOT NULL",
                Vec::new(),
            ),
            Self::Ended => {
                let mut part = by("executions_done");
                part.ended(query);
                vec![part]
            }
            Self::FlowAndStatus(pairs) => pairs
                .iter()
                .flat_map(|(flow, status)| {
                    let values = vec![flow.clone().into(), status.as_str().to_owned().into()];
                    one(by("executions_flow"), "e.flow = ? AND e.status = ?", values)
                })
                .collect(),
            Self::Created => vec![by("executions_created")],
        };
        let parts = parts.into_iter();
        parts
            .map(|part| {
                if whole {
                    part.rest(query, self)
                } else {
                    part.sql
                }
            })
            .collect()
    }
}

/// Returns the trigger that a condition demands, if an index has it: `manual` is in none.
fn trigger(condition: &Condition) -> Option<&str> {
    match (&condition.field, &condition.test) {
        (Field::Column(Column::Trigger), Test::AnyOf(all)) => match &all[..] {
            [Asked::Text(name)] if name != "manual" => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the ids that a query asks for, if it does.
fn ids(query: &ExecutionQuery) -> Option<Vec<Value>> {
    query
        .conditions
        .iter()
        .find_map(|condition| match (&condition.field, &condition.test) {
            (Field::Column(Column::Id), Test::AnyOf(all)) => {
                let texts = all.iter().filter_map(|asked| match asked {
                    Asked::Text(id) => Some(id.clone().into()),
                    _ => None,
                });
                let texts: Vec<Value> = texts.collect();
                (!texts.is_empty()).then_some(texts)
            }
            _ => None,
        })
}

/// Returns the pairs of flow and status that a query asks for, unless it asks for neither or there are
/// too many.
fn pairs(conn: &Connection, query: &ExecutionQuery) -> Result<Option<Vec<(String, Status)>>> {
    if query.flows.is_empty() && query.status.is_empty() {
        return Ok(None);
    }
    let mut flows = if query.flows.is_empty() {
        all_flows(conn)?
    } else {
        query.flows.clone()
    };
    flows.sort();
    flows.dedup();
    let status = if query.status.is_empty() {
        &Status::ALL[..]
    } else {
        &query.status[..]
    };
    let mut pairs = Vec::new();
    for flow in &flows {
        for (index, each) in status.iter().enumerate() {
            if !status[..index].contains(each) {
                pairs.push((flow.clone(), *each));
            }
        }
    }
    Ok((pairs.len() <= MERGED).then_some(pairs))
}

/// Returns the names of the flows in the file, by one search for each.
fn all_flows(conn: &Connection) -> Result<Vec<String>> {
    let mut statement = conn.prepare_cached(
        "WITH RECURSIVE f(flow) AS (
             SELECT min(flow) FROM executions
             UNION ALL
             SELECT (SELECT min(flow) FROM executions WHERE flow > f.flow) FROM f
             WHERE f.flow IS NOT NULL
         )
         SELECT flow FROM f WHERE flow IS NOT NULL",
    )?;
    let flows = statement.query_map([], |row| row.get(0))?;
    Ok(flows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
