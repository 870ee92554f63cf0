//! Making executions, any number of them as one statement, with their nodes and labels.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use steps_core::{
    Json, Status,
    store::{Due, LeaseAfter, NewExecution, Notes, Write},
};

use super::put::{bind_data, bind_nodes, root_of, time_of};
use crate::{
    error::{Fail, Result},
    row::{
        columns::Columns,
        nanos::{clamped, nanos},
        node::{DataLists, NodeLists, usual},
        past, refusers,
    },
    server::{
        lists::Rows,
        tidings::{self, Tell},
        txn::{Database, Statement},
    },
};

/// An execution whose id is in use is left out, and of those with limits or of which somebody is told all that are not
/// made alone. Of what is due now or at a time, those who listen are told, once of each flow. The largest number of 64 bits is the
/// end of time.
const MAKE: &str = concat!(
    "WITH asked AS ( \
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[], \
        $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::text[], \
        $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], \
        $24::bigint[], $25::bigint[], $26::bigint[], $27::text[], $28::text[], $29::text[], $48::text[]) \
    AS a (n, id, flow, priority, created_at, lease, at_once, due_at, worker, refused, refused_why, input, form, parent, \
        singleton, past, gate, attrs, trigger_name, message, acts, name, status, attempts, started_at, done_at, error, \
        output, more, trace) \
), clock AS MATERIALIZED (SELECT %.nanoseconds() AS now \
), made AS ( \
    INSERT INTO %.executions (id, flow, priority, created_at, updated_at, due_at, worker, fence, refused, refused_why, \
        input, form, parent, singleton, past, gate, attrs, trigger_name, message, acts, name, status, attempts, \
        started_at, done_at, error, output, more, trace) \
    SELECT a.id, a.flow, a.priority, coalesce(a.created_at, c.now), coalesce(a.created_at, c.now), \
        CASE WHEN a.lease IS NOT NULL THEN c.now + least(a.lease, 9223372036854775807 - c.now) \
            WHEN a.at_once THEN c.now ELSE a.due_at END, \
        a.worker, 1, a.refused, a.refused_why, a.input, a.form, a.parent, a.singleton, a.past, a.gate, a.attrs, \
        a.trigger_name, a.message, a.acts, a.name, a.status, a.attempts, a.started_at, a.done_at, a.error, a.output, \
        a.more, a.trace \
    FROM asked a CROSS JOIN clock c \
    WHERE $30 OR NOT (EXISTS (SELECT 1 FROM %.subscriptions WHERE ended IS NULL) \
        OR EXISTS (SELECT 1 FROM %.flow_limits l WHERE l.flow = a.flow)) \
    ON CONFLICT (id) DO NOTHING RETURNING key, id \
), nodes AS ( \
    INSERT INTO %.node_rows (execution, node, parent, name, kind, status, attempts, started_at, done_at, decision, error, \
        input, output, more) \
    SELECT m.key, n.node, ",
    usual!(),
    " FROM unnest($31::bigint[], $32::bigint[], $33::bigint[], $34::text[], $35::text[], $36::text[], $37::bigint[], \
        $38::bigint[], $39::bigint[], $40::boolean[], $41::text[], $42::text[], $43::text[], $44::text[]) \
    AS n (n, node, parent, name, kind, status, attempts, started_at, done_at, decision, error, input, output, more) \
    JOIN asked a ON a.n = n.n JOIN made m ON m.id = a.id \
), labels AS ( \
    INSERT INTO %.labels (execution, name, value) \
    SELECT m.key, l.name, l.value FROM unnest($45::bigint[], $46::text[], $47::text[]) AS l (n, name, value) \
    JOIN asked a ON a.n = l.n JOIN made m ON m.id = a.id \
) \
SELECT a.n, m.key, t.told FROM made m JOIN asked a ON a.id = m.id CROSS JOIN ( \
    SELECT count(pg_notify($50, $51 || d.flow)) AS told FROM (SELECT DISTINCT a.flow FROM made m JOIN asked a ON a.id = m.id \
        WHERE $49 AND (a.at_once OR a.due_at IS NOT NULL) AND a.lease IS NULL) d \
) t"
);

/// An execution to be made.
pub(crate) struct Making<'a> {
    pub(crate) new: &'a NewExecution,
    pub(crate) write: &'a Write,
    /// The gate that it waits behind.
    pub(crate) gate: Option<String>,
}

/// Whom a statement makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// All: it was looked at what limits their flow, and who is told.
    All,
    /// Those of which nobody is told, and that nothing limits.
    Free,
}

/// Returns whether a write that makes an execution has nothing but what one statement takes with others.
pub(crate) fn is_plain(new: &NewExecution, write: &Write) -> bool {
    let keeps_nothing = write.then == LeaseAfter::Keep && new.held.is_none();
    !keeps_nothing && new.singleton.is_none() && write.children.is_empty() && write.tells.is_empty()
}

/// What is noted, as columns.
pub(super) struct NoteColumns {
    pub(super) attrs: Option<String>,
    pub(super) trigger: Option<String>,
    pub(super) message: Option<String>,
    pub(super) acts: Option<String>,
}

impl NoteColumns {
    pub(super) fn of(notes: &Notes) -> Result<Self> {
        let acts = match &*notes.acts {
            [] => None,
            acts => {
                let text = serde_json::to_string(acts);
                Some(text.map_err(|error| Fail::Row(error.to_string()))?)
            }
        };
        let trigger = Some(notes.trigger.as_str()).filter(|name| *name != "manual");
        Ok(Self {
            attrs: notes.attrs.to_json().map(|json| Json::get(json).to_owned()),
            trigger: trigger.map(str::to_owned),
            message: notes.status_message.clone(),
            acts,
        })
    }
}

/// Returns the statement that makes these. No id may be among them twice.
pub(crate) fn statement(
    database: &Database,
    makings: &[Making<'_>],
    whom: Whom,
    tell: Tell,
) -> Result<Statement> {
    let mut nodes = NodeLists::default();
    let mut roots = DataLists::default();
    let mut columns = Vec::new();
    let (mut label_of, mut names, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (mut numbers, mut dues, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (n, making) in (0_i64..).zip(makings) {
        let Making { new, write, .. } = making;
        numbers.push(n);
        nodes.push(n, &write.nodes, None)?;
        match root_of(&write.nodes) {
            Some(root) => roots.push_root(&root.node),
            None => roots.push_none(Status::Pending),
        }
        let mut all_noted = new.notes.clone();
        all_noted.change(&write.notes);
        columns.push(NoteColumns::of(&all_noted)?);
        for (name, value) in &new.labels {
            label_of.push(n);
            names.push(name.as_str());
            values.push(value.as_str());
        }
        dues.push(DueColumns::of(making));
        refused.push(match &write.then {
            LeaseAfter::Refuse(refused) => (refusers::column(&refused.by), Some(&*refused.why)),
            _ => (None, None),
        });
    }
    let (refused, why): (Vec<_>, Vec<_>) = refused.into_iter().unzip();
    let rows = Rows::Many;
    let mut statement = database.query(MAKE).bind(numbers);
    macro_rules! columns {
        ($($of:ident: $column:expr),* $(,)?) => {
            $(statement = rows.bind(statement, $of.iter().map($column).collect());)*
        };
    }
    columns! {
        makings: |it| Some(it.new.id.as_str()),
        makings: |it| Some(it.new.flow.as_str()),
        makings: |it| Some(i64::from(it.new.priority)),
        makings: |it| it.new.created_at.map(clamped),
        dues: |due| due.lease,
        dues: |due| Some(due.at_once),
        dues: |due| due.due_at,
        dues: |due| due.worker,
    }
    statement = rows.bind(rows.bind(statement, refused), why);
    columns! {
        makings: |it| Some(it.new.input.get()),
        makings: |it| it.new.form,
        makings: |it| it.new.parent.as_deref(),
        makings: |it| it.new.singleton.as_deref(),
        makings: |it| it.write.past.as_ref().and_then(past::column),
        makings: |it| it.gate.as_deref(),
        columns: |it| it.attrs.as_deref(),
        columns: |it| it.trigger.as_deref(),
        columns: |it| it.message.as_deref(),
        columns: |it| it.acts.as_deref(),
    }
    statement = bind_data(rows, statement, roots).bind(whom == Whom::All);
    statement = bind_nodes(rows, statement, nodes);
    statement = statement.bind(label_of).bind(names).bind(values);
    columns! { makings: |it| it.new.trace.as_ref().map(ToString::to_string) }
    let channel = database.schema.clone();
    Ok(statement
        .bind(tell == Tell::Listeners)
        .bind(channel)
        .bind(tidings::DUE))
}

/// When an execution is due that is made.
struct DueColumns<'a> {
    worker: Option<&'a str>,
    lease: Option<i64>,
    at_once: bool,
    due_at: Option<i64>,
}

impl<'a> DueColumns<'a> {
    fn of(making: &Making<'a>) -> Self {
        let at = |due| Self {
            worker: None,
            lease: None,
            at_once: due == Due::Now,
            due_at: time_of(due),
        };
        match (&making.write.then, &making.new.held) {
            (LeaseAfter::Keep, Some((worker, lease))) => Self {
                worker: Some(worker),
                lease: Some(nanos(*lease)),
                ..at(Due::Never)
            },
            (LeaseAfter::Release { due, .. }, _) => at(*due),
            _ => at(Due::Now),
        }
    }
}

/// Reads the answer: which of the list were made, and their keys.
pub(crate) fn answer(rows: &[PgRow]) -> Result<HashMap<usize, i64>> {
    let read = |row| {
        let mut columns = Columns::of(row);
        let number = columns.key()?;
        Ok((
            usize::try_from(number).unwrap_or(usize::MAX),
            columns.key()?,
        ))
    };
    rows.iter().map(read).collect()
}
