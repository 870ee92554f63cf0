//! The keys that executions have until they have ended, and no other of their flow meanwhile.

use super::{row::Row, rows::Rows};
use crate::{
    model::status::Status,
    store::{ErrorKind, NewExecution, NodeRow, StoreError},
};

impl Rows {
    /// Returns the execution of this flow that has the key.
    fn holder(&self, flow: &str, key: &str) -> Option<&Row> {
        let of_flow = self.singletons.get(flow)?;
        let row = self.by_key.get(of_flow.get(key)?)?;
        let has_it = row.info.singleton.as_deref() == Some(key) && !row.info.status.is_final();
        has_it.then_some(row)
    }

    /// Returns who has the key of a new execution.
    pub(super) fn taken_by(&self, new: &NewExecution, nodes: &[NodeRow]) -> Option<String> {
        let key = new.singleton.as_ref()?;
        let root = nodes.iter().find(|row| row.id == 0);
        if root.is_some_and(|row| row.node.status.is_final()) {
            return None;
        }
        Some(self.holder(&new.flow, key)?.info.id.clone())
    }

    /// Notes that an execution which has not ended has its key.
    pub(super) fn has_key(&mut self, execution: i64) {
        let Some(row) = self.by_key.get(&execution) else {
            return;
        };
        if let Some(key) = row.info.singleton.clone()
            && !row.info.status.is_final()
        {
            let flow = row.info.flow.clone();
            let of_flow = self.singletons.entry(flow).or_default();
            of_flow.insert(key, execution);
        }
    }

    /// Lets an execution that has ended have its key again, if these nodes let it go on. If another one
    /// has it, a rollback goes on without, and anything else is refused.
    pub(super) fn need_key(&mut self, execution: i64, nodes: &[NodeRow]) -> Result<(), StoreError> {
        let root = nodes.iter().find(|row| row.id == 0);
        let status = root.map(|row| row.node.status);
        let Some(status) = status.filter(|status| !status.is_final()) else {
            return Ok(());
        };
        let Some(row) = self.by_key.get(&execution) else {
            return Ok(());
        };
        let Some(key) = row.info.singleton.as_deref() else {
            return Ok(());
        };
        let id = &row.info.id;
        let other = self.holder(&row.info.flow, key);
        let Some(other) = other.filter(|other| other.info.id != *id) else {
            return Ok(());
        };
        if status == Status::Undoing {
            self.change(execution, |row| row.info.singleton = None);
            return Ok(());
        }
        let message = format!(
            "execution `{id}` can't go on, as its key `{key}` is that of execution `{}` now, which has \
             not ended: stop that one first, or leave this one as it is",
            other.info.id
        );
        Err(StoreError::new(ErrorKind::Taken, message))
    }
}
