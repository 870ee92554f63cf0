//! Writes, and what is kept with transactions: encoded on their way in.

use std::{
    any::Any,
    sync::{Arc, Mutex},
};

use super::{
    Codec, CodecStore, Owner,
    passage::{Passage, Way},
};
use crate::{
    base::{json::Json, sync::lock},
    store::{
        Abandoned, BoxFuture, ErrorKind, InTransaction, Lease, LeaseAfter, Store, StoreError,
        Target, Transacted, Write, Written,
    },
};

impl CodecStore {
    /// Encodes a write, and has it made by a method of the store.
    pub(super) fn written_by<'a>(
        &'a self,
        mut write: Write,
        make: impl FnOnce(&'a dyn Store, Write) -> BoxFuture<'a, Result<Written, StoreError>>,
    ) -> BoxFuture<'a, Result<Written, StoreError>> {
        let is_raw = matches!(write.target, Target::Held(lease) if self.held.is_raw(lease));
        if let Err(error) = self.inward().write(&mut write, is_raw) {
            return Box::pin(std::future::ready(Err(error)));
        }
        let keeps = write.then == LeaseAfter::Keep;
        let lease = match &write.target {
            Target::Held(lease) => Some(*lease),
            Target::New(_) => None,
        };
        let id: Option<Arc<str>> = match &write.target {
            Target::New(new) if keeps => Some(new.id.as_str().into()),
            _ => None,
        };
        let written = make(&*self.inner, write);
        Box::pin(async move {
            let written = written.await.inspect_err(|error| {
                // Whoever has it now is no business of this one.
                if let Some(lease) = lease.filter(|_| error.kind() == ErrorKind::Fenced) {
                    self.held.let_go(lease);
                }
            });
            let mut written = written?;
            match &mut written {
                Written::Created(lease) => {
                    if let Some(id) = id {
                        self.held.hold(*lease, &id, false);
                    }
                }
                Written::Exists(existing) => self.outward().existing(existing)?,
                Written::Limited(new) | Written::Taken { new, .. } => {
                    self.outward().given_back(new)?;
                }
                Written::Kept | Written::Recalled => {}
            }
            if let Some(lease) = lease.filter(|_| !keeps) {
                self.held.let_go(lease);
            }
            Ok(written)
        })
    }

    /// Has work done in a transaction, and encodes what is kept with it.
    pub(super) async fn transact_encoded<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> Result<Transacted, StoreError> {
        let failed = Mutex::new(None);
        let encoded = Encoded {
            work,
            codec: self.inward().codec,
            key: lease.key,
            name: name.clone(),
            failed: &failed,
        };
        let transacted = self.inner.transact(lease, name, Box::new(encoded)).await?;
        match lock(&failed).take() {
            Some(error) => Err(error),
            None => Ok(transacted),
        }
    }

    /// Returns what is kept of a transaction.
    pub(super) async fn transacted_decoded(
        &self,
        lease: Lease,
        name: String,
    ) -> Result<Option<Option<Json>>, StoreError> {
        let mut found = self.inner.transacted(lease, name.clone()).await?;
        if let Some(Some(output)) = &mut found {
            let id = self.held.id(lease).unwrap_or_default();
            let passage = Passage {
                codec: self.outward().codec,
                way: Way::Out {
                    id: &id,
                    key: lease.key,
                },
            };
            let passed = passage.transaction(&name, output);
            passed.map_err(|fault| fault.told(&format!("execution `{id}`"), None))?;
        }
        Ok(found)
    }
}

/// Work whose output is encoded before it is kept.
struct Encoded<'a, 'k> {
    work: Box<dyn InTransaction + 'a>,
    codec: &'a dyn Codec,
    key: i64,
    name: String,
    /// Why it could not be encoded.
    failed: &'k Mutex<Option<StoreError>>,
}

impl InTransaction for Encoded<'_, '_> {
    fn run<'t>(
        self: Box<Self>,
        connection: &'t mut (dyn Any + Send),
    ) -> BoxFuture<'t, Result<Option<Json>, Abandoned>>
    where
        Self: 't,
    {
        Box::pin(async move {
            let mut output = self.work.run(connection).await?;
            if let Some(output) = &mut output {
                let passage = Passage {
                    codec: self.codec,
                    way: Way::In {
                        owner: Owner::Key(self.key),
                        is_raw: false,
                    },
                };
                if let Err(fault) = passage.transaction(&self.name, output) {
                    *lock(self.failed) = Some(fault.not_written("an execution"));
                    return Err(Abandoned);
                }
            }
            Ok(output)
        })
    }
}
