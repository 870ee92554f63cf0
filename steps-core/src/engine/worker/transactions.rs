//! The transactions that steps of a turn are made in, under the turn's lease.

use super::turn_journal::TurnJournal;
use crate::{
    base::json::Json,
    journal::{InTransaction, NoTransaction, Transacted},
    store::{ErrorKind, Lease, StoreError},
};

impl TurnJournal {
    /// Has work done in a transaction.
    pub(super) async fn in_transaction<'a>(
        &'a self,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> Result<Transacted, NoTransaction> {
        let lease = self.lease_for_transaction()?;
        let transacted = self.engine.store.transact(lease, name, work).await;
        transacted.map_err(no_transaction)
    }

    /// Returns what is kept of a transaction.
    pub(super) async fn of_transaction(
        &self,
        name: String,
    ) -> Result<Option<Option<Json>>, NoTransaction> {
        let lease = self.lease_for_transaction()?;
        let found = self.engine.store.transacted(lease, name).await;
        found.map_err(no_transaction)
    }

    /// Returns the lease: no step begins without one.
    fn lease_for_transaction(&self) -> Result<Lease, NoTransaction> {
        let lost = || NoTransaction::Lost("the execution was not created".to_owned());
        self.lease().ok_or_else(lost)
    }
}

/// What the store's error means to whoever wants a transaction.
fn no_transaction(error: StoreError) -> NoTransaction {
    let why = error.to_string();
    match error.kind() {
        ErrorKind::Rejected => NoTransaction::Unsupported(why),
        ErrorKind::Busy | ErrorKind::Full | ErrorKind::Exists => NoTransaction::Unknown(why),
        _ => NoTransaction::Lost(why),
    }
}
