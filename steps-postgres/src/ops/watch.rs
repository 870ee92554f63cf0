//! Which changes a write makes that somebody has subscribed to. What the core's rule asks for is read before, as it
//! asks at once and a server answers later; what is there afterwards is that with the nodes of the write.

use std::{collections::HashMap, convert::Infallible};

use steps_core::{
    Status,
    store::{Before, Changed, NodeReader, NodeRow, Rewrite, Subscription, Write},
};

use super::{changes, execution::Ranges};
use crate::{
    error::{Fail, Result},
    row::{columns::Columns, nanos::time},
    server::txn::Txn,
};

/// The nodes that a write brings, as they are, and those above them.
/// A node above another one has a row.
const PLACES: &str = "WITH RECURSIVE up AS (( \
    SELECT n.node, n.parent, n.name, n.status FROM %.node_rows n WHERE n.execution = $1 AND n.node = ANY($2) \
    UNION ALL SELECT n.node + 1, n.parent, n.next, 'running' FROM %.node_rows n \
    WHERE n.execution = $1 AND n.node = ANY($3) AND n.next IS NOT NULL AND (SELECT true FROM %.node_rows o \
        WHERE o.execution = $1 AND o.node = n.node + 1) IS NULL \
    ) UNION SELECT n.node, n.parent, n.name, n.status \
    FROM up JOIN %.node_rows n ON n.execution = $1 AND n.node = up.parent \
    ) SELECT node, parent, name, status FROM up";

/// What is known of an execution's nodes.
struct Known {
    execution: Status,
    nodes: HashMap<u32, (Status, u32, String)>,
    all: Vec<NodeRow>,
}

impl NodeReader for Known {
    type Error = Infallible;

    fn execution_status(&self) -> Result<Status, Infallible> {
        Ok(self.execution)
    }

    fn status(&self, node: u32) -> Result<Option<Status>, Infallible> {
        Ok(self.nodes.get(&node).map(|(status, ..)| *status))
    }

    fn place(&self, node: u32) -> Result<Option<(u32, String)>, Infallible> {
        let node = self.nodes.get(&node);
        Ok(node.map(|(_, parent, name)| (*parent, name.clone())))
    }

    fn all(&self) -> Result<Vec<NodeRow>, Infallible> {
        Ok(self.all.clone())
    }
}

/// What a write is compared with.
pub(super) struct Watch {
    subscriptions: Vec<Subscription>,
    known: Known,
    how: Rewrite,
}

/// An execution that is written to, which is locked.
pub(super) struct Watched<'a> {
    pub(super) key: i64,
    pub(super) id: &'a str,
    pub(super) flow: &'a str,
    pub(super) status: Status,
    pub(super) now: i64,
}

/// Reads what a write to an execution is compared with; `None` if nobody has subscribed to anything.
pub(super) async fn before(
    txn: &mut Txn<'_>,
    of: &Watched<'_>,
    write: &Write,
) -> Result<Option<Watch>> {
    let subscriptions = changes::open(txn).await?;
    if subscriptions.is_empty() {
        return Ok(None);
    }
    let mut known = Known {
        execution: of.status,
        nodes: HashMap::new(),
        all: Vec::new(),
    };
    let how = if write.replace {
        let mut ranges = Ranges::default();
        ranges.push(of.key, None);
        let all = ranges.nodes(txn).await?.remove(&of.key);
        let all = all.unwrap_or(Ok(Vec::new()));
        known.all = all.map_err(|why| Fail::Row(why).of_execution(of.id))?;
        Rewrite::All
    } else {
        let rows = write.nodes.iter().flat_map(|row| [row.id, row.parent]);
        let rows: Vec<i64> = rows.map(i64::from).collect();
        let before: Vec<i64> = rows.iter().map(|row| row - 1).collect();
        let statement = txn.query(PLACES).bind(of.key).bind(rows).bind(before);
        for row in txn.rows(statement).await? {
            let mut columns = Columns::of(&row);
            let (node, parent) = (columns.count()?, columns.count()?);
            let (node, parent) = (columns.some(node)?, columns.some(parent)?);
            let name = columns.owned()?.unwrap_or_default();
            let status = columns.status()?;
            known.nodes.insert(node, (status, parent, name));
        }
        Rewrite::Some
    };
    Ok(Some(Watch {
        subscriptions,
        known,
        how,
    }))
}

/// The same of a write that makes the execution.
pub(super) async fn before_new(txn: &mut Txn<'_>) -> Result<Option<Watch>> {
    let subscriptions = changes::open(txn).await?;
    Ok((!subscriptions.is_empty()).then(|| Watch {
        subscriptions,
        known: Known {
            execution: Status::Pending,
            nodes: HashMap::new(),
            all: Vec::new(),
        },
        how: Rewrite::New,
    }))
}

/// Keeps what the write has changed, until the end of the transaction.
pub(super) fn keep(txn: &mut Txn<'_>, watch: Watch, of: &Watched<'_>, write: &Write) {
    let Watch {
        subscriptions,
        mut known,
        how,
    } = watch;
    let changed = Changed {
        id: of.id,
        flow: of.flow,
        at: time(of.now),
        nodes: &write.nodes,
        how,
    };
    let Ok(before) = Before::of(&subscriptions, &changed, &known);
    let Some(before) = before else { return };
    for row in &write.nodes {
        let place = (row.node.status, row.parent, row.node.name.to_string());
        known.nodes.insert(row.id, place);
    }
    let Ok(found) = before.changes(&subscriptions, &changed, &known);
    let found = found.into_iter();
    txn.changes
        .extend(found.map(|(name, change)| (name.to_owned(), change)));
}
