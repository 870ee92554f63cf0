//! The lanes that a claim looks at, and the queries about each.
//!
//! What may be claimed freely is in the *open* lanes. What has not begun, of a flow with limits, waits in
//! *gated* ones, one for each gate, flow, priority and set of those who have refused it.

use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, types::Value};
use steps_core::store::{Claim, Gates, Refuser};

use crate::{error::Result, file::clock::Now, row::refusers};

/// The queries about those that go by one clock. Those about gated lanes have the gate as their last
/// parameter.
pub(crate) struct Queries {
    /// The next of those sets of flows that have refused an execution of the flow.
    pub(crate) refused: &'static str,
    /// The next lower priority of the flow.
    pub(crate) priority: &'static str,
    /// The executions at the beginning of a lane that are due.
    pub(crate) due: &'static str,
    /// The time of the first execution of a lane that the worker does not hold itself. Those that
    /// it holds are skipped within the index.
    pub(crate) next: &'static str,
}

/// More queries about gated lanes.
pub(crate) struct GateQueries {
    /// The next gate of the flow.
    pub(crate) gates: &'static str,
    /// How many of a lane are held.
    pub(crate) held: &'static str,
    /// When the first lease of another worker ends.
    pub(crate) ends: &'static str,
}

macro_rules! queries {
    ($column:literal, $refused:literal, $priority:literal, $due:literal, $next:literal) => {
        Queries {
            refused: concat!(
                "SELECT refused FROM executions WHERE flow = ?1 AND ",
                $refused,
                " AND ",
                $column,
                " IS NOT NULL AND refused > ?2 ORDER BY refused LIMIT 1"
            ),
            priority: concat!(
                "SELECT priority FROM executions WHERE flow = ?1 AND ",
                $priority,
                " AND refused IS ?2 AND ",
                $column,
                " IS NOT NULL AND priority < ?3 ORDER BY priority DESC LIMIT 1"
            ),
            due: concat!(
                "SELECT key, ",
                $column,
                " FROM executions WHERE flow = ?1 AND ",
                $due,
                " AND refused IS ?2 AND priority = ?3 AND ",
                $column,
                " <= ?4 ORDER BY ",
                $column,
                " LIMIT ?5"
            ),
            next: concat!(
                "SELECT ",
                $column,
                " FROM executions WHERE flow = ?1 AND ",
                $next,
                " AND refused IS ?2 AND priority = ?3 AND ",
                $column,
                " IS NOT NULL AND (worker IS NOT ?4 OR ",
                $column,
                " <= ?5) ORDER BY ",
                $column,
                " LIMIT 1"
            ),
        }
    };
    (open $column:literal) => {
        queries!(
            $column,
            "(gate IS NULL OR status <> 'pending')",
            "(gate IS NULL OR status <> 'pending')",
            "(gate IS NULL OR status <> 'pending')",
            "(gate IS NULL OR status <> 'pending')"
        )
    };
    (gated $column:literal) => {
        queries!(
            $column,
            "status = 'pending' AND gate = ?3",
            "status = 'pending' AND gate = ?4",
            "status = 'pending' AND gate = ?6",
            "status = 'pending' AND gate = ?6"
        )
    };
}

macro_rules! gate_queries {
    ($column:literal) => {
        GateQueries {
            gates: concat!(
                "SELECT gate FROM executions WHERE flow = ?1 AND status = 'pending' AND ",
                $column,
                " IS NOT NULL AND gate > ?2 ORDER BY gate LIMIT 1"
            ),
            held: concat!(
                "SELECT count(*) FROM executions WHERE flow = ?1 AND status = 'pending' AND ",
                "gate = ?5 AND refused IS ?2 AND priority = ?3 AND ",
                $column,
                " > ?4 AND worker IS NOT NULL"
            ),
            ends: concat!(
                "SELECT ",
                $column,
                " FROM executions WHERE flow = ?1 AND status = 'pending' AND gate = ?6 AND ",
                "refused IS ?2 AND priority = ?3 AND ",
                $column,
                " > ?5 AND worker IS NOT NULL AND worker <> ?4 ORDER BY ",
                $column,
                " LIMIT 1"
            ),
        }
    };
}

/// Those that wait for a time.
pub(crate) const WAITS: Queries = queries!(open "due_at");
/// Those that are free from a moment on.
pub(crate) const FREE: Queries = queries!(open "free_at");
/// Those behind a gate that wait for a time.
pub(crate) const GATED_WAITS: Queries = queries!(gated "due_at");
/// Those behind a gate that are free from a moment on.
pub(crate) const GATED_FREE: Queries = queries!(gated "free_at");
/// The gates of those that wait for a time.
pub(crate) const WAITS_GATES: GateQueries = gate_queries!("due_at");
/// The gates of those that are free from a moment on.
pub(crate) const FREE_GATES: GateQueries = gate_queries!("free_at");

/// An index of executions that may be claimed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    /// Those that wait for a time.
    Waits,
    /// Those that are free from a moment on.
    Free,
}

impl Index {
    fn queries(self, gate: Option<&String>) -> &'static Queries {
        match (self, gate) {
            (Self::Waits, None) => &WAITS,
            (Self::Free, None) => &FREE,
            (Self::Waits, Some(_)) => &GATED_WAITS,
            (Self::Free, Some(_)) => &GATED_FREE,
        }
    }

    fn gate_queries(self) -> &'static GateQueries {
        match self {
            Self::Waits => &WAITS_GATES,
            Self::Free => &FREE_GATES,
        }
    }

    /// Returns what its clock shows.
    pub(crate) fn now(self, now: Now) -> Option<i64> {
        match self {
            Self::Waits => Some(now.wall),
            Self::Free => now.boot,
        }
    }

    /// Returns the time by the wall clock of what it has.
    pub(crate) fn time(self, indexed: i64, now: Now) -> i64 {
        match self {
            Self::Waits => indexed,
            Self::Free => now.wall_at(indexed),
        }
    }
}

/// The executions of one flow and one priority that were refused by the same ones, or by none, and wait
/// behind one gate, or none.
#[derive(Clone)]
pub(crate) struct Lane<'a> {
    pub(crate) by: Index,
    /// The index of the flow in the claim.
    pub(crate) flow: usize,
    pub(crate) name: &'a str,
    pub(crate) gate: Option<String>,
    /// The column; `NULL` if nobody has refused them.
    pub(crate) refused: Value,
    pub(crate) priority: i64,
}

impl<'a> Lane<'a> {
    /// Returns a lane of those that nobody has refused.
    fn first(by: Index, flow: usize, name: &'a str, gate: Option<String>) -> Self {
        Self {
            by,
            flow,
            name,
            gate,
            refused: Value::Null,
            priority: 0,
        }
    }

    pub(crate) fn queries(&self) -> &'static Queries {
        self.by.queries(self.gate.as_ref())
    }

    /// Returns the parameters of a query about the lane: these, between the lane's own.
    pub(crate) fn params<'p>(&'p self, more: &[&'p dyn ToSql]) -> Vec<&'p dyn ToSql> {
        let mut params: Vec<&dyn ToSql> = vec![&self.name, &self.refused, &self.priority];
        params.extend(more);
        params.extend(self.gate.as_ref().map(|gate| gate as &dyn ToSql));
        params
    }

    /// Returns how many are held, of a gated lane.
    fn held(&self, conn: &Connection, now: Now) -> Result<u32> {
        let mut statement = conn.prepare_cached(self.by.gate_queries().held)?;
        let now = self.by.now(now);
        Ok(statement.query_row(&self.params(&[&now])[..], |row| row.get(0))?)
    }

    /// Returns when the first lease of another worker ends, of a gated lane.
    pub(crate) fn end(&self, conn: &Connection, worker: &str, now: Now) -> Result<Option<i64>> {
        let mut statement = conn.prepare_cached(self.by.gate_queries().ends)?;
        let shown = self.by.now(now);
        let end = number(&mut statement, &self.params(&[&worker, &shown]))?;
        Ok(end.map(|end| self.by.time(end, now)))
    }
}

/// Returns all lanes that the claim may take executions from, if there is room.
pub(crate) fn lanes<'a>(
    conn: &Connection,
    claim: &'a Claim,
    gates: &Gates,
) -> Result<Vec<Lane<'a>>> {
    let mut lanes = Vec::new();
    for by in [Index::Waits, Index::Free] {
        for (flow, of) in claim.flows.iter().enumerate() {
            for name in &of.names {
                if gates.is_paused(name) {
                    continue;
                }
                let mut lane = Lane::first(by, flow, name, None);
                add_all(conn, &lane, Some(of.refuser), &mut lanes)?;
                if !gates.has_limits(name) {
                    continue;
                }
                for gate in all_gates(conn, by, name)? {
                    lane.gate = Some(gate);
                    add_all(conn, &lane, Some(of.refuser), &mut lanes)?;
                }
            }
        }
    }
    Ok(lanes)
}

/// Counts the executions of a flow that are held, and have not begun: in all lanes, also in those that the
/// claim may take nothing from.
pub(crate) fn count_held(conn: &Connection, flow: &str, gates: &mut Gates, now: Now) -> Result<()> {
    // Where leases go by the wall clock, they are among those that wait for a time.
    let by = if now.boot.is_some() {
        Index::Free
    } else {
        Index::Waits
    };
    for gate in all_gates(conn, by, flow)? {
        let mut lanes = Vec::new();
        let first = Lane::first(by, 0, flow, Some(gate.clone()));
        add_all(conn, &first, None, &mut lanes)?;
        for lane in lanes {
            gates.count(flow, &gate, lane.held(conn, now)?);
        }
    }
    Ok(())
}

/// Returns the gates of a flow behind which executions wait.
pub(crate) fn all_gates(conn: &Connection, by: Index, flow: &str) -> Result<Vec<String>> {
    let mut statement = conn.prepare_cached(by.gate_queries().gates)?;
    // None is empty.
    let mut last = String::new();
    let mut all = Vec::new();
    loop {
        let next = statement.query_row([flow, &last], |row| row.get::<_, String>(0));
        let Some(next) = next.optional()? else {
            return Ok(all);
        };
        last.clone_from(&next);
        all.push(next);
    }
}

/// Adds the lanes of all priorities, of those that nobody has refused and of those that others than this one
/// have.
fn add_all<'a>(
    conn: &Connection,
    like: &Lane<'a>,
    refuser: Option<Refuser>,
    lanes: &mut Vec<Lane<'a>>,
) -> Result<()> {
    let mut priorities = conn.prepare_cached(like.queries().priority)?;
    add_lanes(&mut priorities, like, lanes)?;
    for refused in refusals(conn, like.by, like.name, like.gate.as_ref())? {
        if !refuser.is_some_and(|one| has_refused(&refused, one)) {
            let lane = Lane {
                refused,
                ..like.clone()
            };
            add_lanes(&mut priorities, &lane, lanes)?;
        }
    }
    Ok(())
}

/// Returns who have refused executions of a flow, each set of them once, as it is in the column: of those
/// behind this gate, or of those that may be claimed freely but for that.
pub(crate) fn refusals(
    conn: &Connection,
    by: Index,
    flow: &str,
    gate: Option<&String>,
) -> Result<Vec<Value>> {
    let mut statement = conn.prepare_cached(by.queries(gate).refused)?;
    // Older versions of this library wrote numbers, which come before texts.
    let mut last = Value::Integer(i64::MIN);
    let mut all = Vec::new();
    loop {
        let mut params: Vec<&dyn ToSql> = vec![&flow, &last];
        params.extend(gate.map(|gate| gate as &dyn ToSql));
        let next = statement.query_row(&params[..], |row| row.get::<_, Value>(0));
        let Some(next) = next.optional()? else {
            return Ok(all);
        };
        all.push(next.clone());
        last = next;
    }
}

/// Returns the text of the column.
pub(crate) fn refused_by(refused: &Value) -> &str {
    match refused {
        Value::Text(all) => all,
        _ => "",
    }
}

/// Returns whether this flow is one of those who have refused an execution.
pub(crate) fn has_refused(refused: &Value, flow: Refuser) -> bool {
    refused_by(refused).contains(&refusers::one(flow))
}

/// Adds the lanes of all priorities.
fn add_lanes<'a>(
    priorities: &mut CachedStatement<'_>,
    like: &Lane<'a>,
    lanes: &mut Vec<Lane<'a>>,
) -> Result<()> {
    let mut last = Lane {
        priority: i64::MAX,
        ..like.clone()
    };
    while let Some(priority) = number(priorities, &last.params(&[]))? {
        last.priority = priority;
        lanes.push(last.clone());
    }
    Ok(())
}

pub(crate) fn number(
    statement: &mut CachedStatement<'_>,
    params: &[&dyn ToSql],
) -> Result<Option<i64>> {
    Ok(statement.query_row(params, |row| row.get(0)).optional()?)
}
