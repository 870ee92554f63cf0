//! One write with all that it may bring, in a transaction of its own: it creates an execution, or changes the nodes
//! and the lease of one.

use steps_core::{
    Status,
    store::{Child, ErrorKind, Existing, Lease, LeaseAfter, NewExecution, Target, Write, Written},
};

use super::{
    execution, inbox, limits, make, notes, put, singleton,
    watch::{self, Watched},
};
use crate::{
    error::{Fail, Result, fenced},
    row::{columns::Columns, past},
    server::{tidings::Tell, txn::Txn},
};

/// The execution, and those that the write sends messages to: in one order for all, so that two writes never wait for
/// each other.
const LOCK: &str = "SELECT key, id, flow, fence, worker IS NOT NULL, status, singleton, %.nanoseconds() \
    FROM %.executions WHERE key = $1 OR id = ANY($2) ORDER BY key FOR NO KEY UPDATE";

const REMOVE_ALL: &str = "DELETE FROM %.node_rows WHERE execution = $1";
const FORGET_PAST: &str = "UPDATE %.executions SET past = NULL WHERE key = $1";
const NO_ROOT: &str =
    "UPDATE %.executions SET attempts = NULL, name = NULL, more = NULL WHERE key = $1";
/// Gives a step that has only begun its row, if the row that names it is deleted; and takes its name from a row that
/// stays, if it is deleted itself.
const PART: &str = "UPDATE %.node_rows n SET next = NULL FROM unnest($2::bigint[], $3::bigint[]) AS r (first, last) \
    WHERE n.execution = $1 AND n.node BETWEEN r.first - 1 AND r.last AND n.next IS NOT NULL";
const REMOVE: &str = "DELETE FROM %.node_rows n USING unnest($2::bigint[], $3::bigint[]) AS r (first, last) \
    WHERE n.execution = $1 AND n.node BETWEEN r.first AND r.last";
const FORM: &str =
    "UPDATE %.executions SET form = $2 WHERE key = $1 AND (form IS NULL OR form < $2)";
const END_TRANSACTIONS: &str = "DELETE FROM %.transactions WHERE execution = $1 \
    AND digest IN (SELECT md5(name) FROM unnest($2::text[]) AS ended (name))";
const PAST: &str = "UPDATE %.executions SET past = $2 WHERE key = $1";

/// Makes one write.
pub(crate) async fn write(txn: &mut Txn<'_>, write: &Write) -> Result<Written> {
    match &write.target {
        Target::New(new) => {
            let made = make_one(txn, new, write, Tell::Listeners).await?;
            if matches!(made, Written::Created(_)) {
                go_with(txn, write).await?;
            }
            Ok(made)
        }
        Target::Held(lease) => change(txn, *lease, write).await,
    }
}

async fn change(txn: &mut Txn<'_>, lease: Lease, write: &Write) -> Result<Written> {
    let key = lease.key;
    let told: Vec<&str> = write.tells.iter().map(|message| &*message.id).collect();
    let statement = txn.query(LOCK).bind(key).bind(told);
    let rows = txn.rows(statement).await?;
    let mut found = None;
    for row in &rows {
        if Columns::of(row).key()? == key {
            found = Some(row);
        }
    }
    let row = found.ok_or_else(|| fenced("an execution"))?;
    let mut columns = Columns::of(row);
    columns.key()?;
    let id = columns.owned()?.unwrap_or_default();
    let flow = columns.owned()?.unwrap_or_default();
    let is_newest = columns.key()? == lease.fence;
    if !(columns.is()? && is_newest) {
        return Err(fenced(&format!("execution {id:?}")));
    }
    let of = Watched {
        key,
        id: &id,
        flow: &flow,
        status: columns.status()?,
        now: 0,
    };
    let singleton = columns.owned()?;
    let of = Watched {
        now: columns.key()?,
        ..of
    };
    let watch = watch::before(txn, &of, write).await?;
    let root = put::root_of(&write.nodes);
    if let (Some(root), Some(singleton)) = (root, &singleton) {
        singleton::need(txn, key, &id, &flow, singleton, root.node.status).await?;
    }
    remove(txn, key, write).await?;
    if let Some(form) = write.form {
        let statement = txn.query(FORM).bind(key).bind(form);
        txn.execute(statement).await?;
    }
    if let Some(past) = &write.past {
        let statement = txn.query(PAST).bind(key).bind(past::column(past));
        txn.execute(statement).await?;
    }
    if !write.transactions.is_empty() {
        let statement = txn.query(END_TRANSACTIONS).bind(key);
        txn.execute(statement.bind(&write.transactions)).await?;
    }
    if !write.notes.is_empty() {
        notes::change(txn, key, &write.notes).await?;
    }
    inbox::taken(txn, key, write).await?;
    if let Some(watch) = watch {
        watch::keep(txn, watch, &of, write);
    }
    go_with(txn, write).await?;
    let writes = [(lease, write)];
    let statement = put::statement(&txn.database, &writes, put::LeaveOut::Nobody)?;
    let answer = put::answer(&txn.rows(statement).await?)?;
    txn.changed += put::rows_of(write) as u64;
    let recalled = *answer
        .get(&key)
        .ok_or_else(|| fenced(&format!("execution {id:?}")))?;
    Ok(if recalled {
        Written::Recalled
    } else {
        Written::Kept
    })
}

/// Deletes the nodes that the write says are gone.
async fn remove(txn: &mut Txn<'_>, key: i64, write: &Write) -> Result<()> {
    if write.replace {
        for sql in [REMOVE_ALL, FORGET_PAST] {
            let statement = txn.query(sql).bind(key);
            txn.execute(statement).await?;
        }
        if put::root_of(&write.nodes).is_none() {
            let statement = txn.query(NO_ROOT).bind(key);
            txn.execute(statement).await?;
        }
    }
    if !write.removed.is_empty() {
        let ends = write.removed.ranges().map(|range| {
            let (first, last) = range.into_inner();
            (i64::from(first), i64::from(last))
        });
        let (first, last): (Vec<i64>, Vec<i64>) = ends.unzip();
        let statement = txn.query(PART).bind(key).bind(&first).bind(&last);
        txn.rows(statement).await?;
        let statement = txn.query(REMOVE).bind(key).bind(first).bind(last);
        txn.execute(statement).await?;
    }
    Ok(())
}

/// Makes what a write makes besides its own execution: its children, and messages to others.
async fn go_with(txn: &mut Txn<'_>, write: &Write) -> Result<()> {
    start(txn, &write.children).await?;
    for message in &write.tells {
        inbox::send(txn, message, Tell::Nobody).await?;
    }
    Ok(())
}

/// Creates executions that nobody holds.
pub(super) async fn start(txn: &mut Txn<'_>, children: &[Child]) -> Result<()> {
    for Child { new, nodes, due } in children {
        let then = LeaseAfter::Release {
            due: *due,
            last_message: 0,
        };
        let new = NewExecution {
            held: None,
            ..new.clone()
        };
        let child = Write {
            nodes: nodes.clone(),
            ..Write::new(Target::New(Box::new(new.clone())), then)
        };
        if let Written::Exists(_) = make_one(txn, &new, &child, Tell::Nobody).await? {
            return Err(Fail::new(
                ErrorKind::Exists,
                format!("the id of the child {:?} is in use", new.id),
            ));
        }
    }
    Ok(())
}

async fn make_one(
    txn: &mut Txn<'_>,
    new: &NewExecution,
    write: &Write,
    tell: Tell,
) -> Result<Written> {
    if let Some(existing) = existing(txn, &new.id).await? {
        return Ok(existing);
    }
    if write.then == LeaseAfter::Keep && new.held.is_none() {
        let why = format!(
            "execution {:?}: nobody has a lease that could be kept; say when it is due",
            new.id
        );
        return Err(Fail::new(ErrorKind::Rejected, why));
    }
    let root = put::root_of(&write.nodes);
    if let Some(singleton) = &new.singleton
        && root.is_none_or(|root| !root.node.status.is_final())
        && let Some(by) = singleton::holder(txn, &new.flow, singleton).await?
    {
        let new = Box::new(new.clone());
        return Ok(Written::Taken { by, new });
    }
    let limits = limits::of_flow(txn, &new.flow).await?;
    if limits.is_some() && new.held.is_some() {
        return Ok(Written::Limited(Box::new(new.clone())));
    }
    let gate = limits.and_then(|limits| limits.gate(&new.labels));
    // One with a time of its own was changed elsewhere.
    let watch = match new.created_at {
        None => watch::before_new(txn).await?,
        Some(_) => None,
    };
    let making = [make::Making { new, write, gate }];
    let statement = make::statement(&txn.database, &making, make::Whom::All, tell)?;
    let made = make::answer(&txn.rows(statement).await?)?;
    let Some(&key) = made.get(&0) else {
        let found = existing(txn, &new.id).await?;
        return found
            .ok_or_else(|| Fail::new(ErrorKind::Busy, "an execution is there and is not found"));
    };
    txn.changed += put::rows_of(write) as u64;
    if let Some(watch) = watch {
        let of = Watched {
            key,
            id: &new.id,
            flow: &new.flow,
            status: Status::Pending,
            now: txn.now().await?,
        };
        watch::keep(txn, watch, &of, write);
    }
    Ok(Written::Created(Lease { key, fence: 1 }))
}

/// Returns the execution that has a new one's id, if there is one.
async fn existing(txn: &mut Txn<'_>, id: &str) -> Result<Option<Written>> {
    let found = execution::by_id(txn, id, "").await?;
    Ok(found.map(|found| {
        Written::Exists(Box::new(Existing {
            info: found.info,
            input: found.input,
        }))
    }))
}
