//! The key that an execution has until it has ended, and that no other of its flow has meanwhile. Whoever comes in
//! between is found by a unique index, and the transaction is made again.

use steps_core::{Status, store::ErrorKind};

use crate::{
    error::{Fail, Result},
    row::columns::Columns,
    server::txn::Txn,
};

const HOLDER: &str = "SELECT id FROM %.executions WHERE flow = $1 AND singleton = $2 \
    AND status IN ('pending', 'running', 'waiting', 'undoing')";
const FORGET: &str = "UPDATE %.executions SET singleton = NULL WHERE key = $1";

/// Returns the id of the execution that has a key.
pub(super) async fn holder(txn: &mut Txn<'_>, flow: &str, key: &str) -> Result<Option<String>> {
    let statement = txn.query(HOLDER).bind(flow).bind(key);
    let row = txn.row(statement).await?;
    row.map_or(Ok(None), |row| Columns::of(&row).owned())
}

/// Lets an execution have its key again that may have ended, if its root has this status now. If another one has the
/// key, a rollback goes on without; anything else is refused.
pub(super) async fn need(
    txn: &mut Txn<'_>,
    execution: i64,
    id: &str,
    flow: &str,
    key: &str,
    status: Status,
) -> Result<()> {
    if status.is_final() {
        return Ok(());
    }
    let other = holder(txn, flow, key).await?;
    let Some(other) = other.filter(|other| other != id) else {
        return Ok(());
    };
    if status == Status::Undoing {
        let statement = txn.query(FORGET).bind(execution);
        txn.execute(statement).await?;
        return Ok(());
    }
    Err(Fail::new(
        ErrorKind::Taken,
        format!(
            "execution `{id}` can't go on, as its key `{key}` is that of execution `{other}` now, which has not ended: \
             stop that one first, or leave this one as it is"
        ),
    ))
}
