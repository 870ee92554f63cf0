//! What is kept of transactions. Here it is all that there is of one: the store has no database.

use super::rows::Rows;
use crate::{
    base::json::Json,
    store::{ErrorKind, Lease, StoreError},
};

impl Rows {
    /// Keeps what was done in a transaction.
    pub(super) fn commit(
        &mut self,
        lease: Lease,
        name: String,
        output: Option<Json>,
    ) -> Result<(), StoreError> {
        let id = &self.need_lease(lease)?.info.id;
        let message = format!("execution {id:?}: the transaction {name:?} was committed before");
        let was_there = self.change(lease.key, |row| {
            let was_there = row.transactions.contains_key(&name);
            row.transactions.entry(name).or_insert(output);
            was_there
        });
        match was_there {
            Some(true) => Err(StoreError::new(ErrorKind::Exists, message)),
            _ => Ok(()),
        }
    }

    /// Returns what is kept of a transaction.
    pub(super) fn committed(
        &self,
        lease: Lease,
        name: &str,
    ) -> Result<Option<Option<Json>>, StoreError> {
        Ok(self.need_lease(lease)?.transactions.get(name).cloned())
    }
}
