//! Stores that break their word on the transactions of steps.

use std::any::Any;

use super::{SOUND, Twist};
use crate::{
    base::{future::BoxFuture, json::Json},
    store::{Abandoned, ErrorKind, InTransaction, Lease, Store, StoreError, Transacted},
};

/// Does nothing, and is to be committed.
struct Nothing;

impl InTransaction for Nothing {
    fn run<'t>(
        self: Box<Self>,
        _: &'t mut (dyn Any + Send),
    ) -> BoxFuture<'t, Result<Option<Json>, Abandoned>>
    where
        Self: 't,
    {
        Box::pin(std::future::ready(Ok(None)))
    }
}

pub(super) const ALL: &[Twist] = &[
    Twist {
        what: "forgets what is kept with a transaction",
        breaks: &["transactions_are_kept"],
        transacted: |sound, (lease, name)| {
            Box::pin(async move {
                let found = sound.transacted(lease, name).await?;
                Ok(found.map(|_| None))
            })
        },
        ..SOUND
    },
    Twist {
        what: "keeps transactions by the beginning of their names",
        breaks: &["transactions_are_kept"],
        transact: |sound, lease, name, work| {
            sound.transact(lease, name.chars().take(2).collect(), work)
        },
        transacted: |sound, (lease, name)| sound.transacted(lease, name.chars().take(2).collect()),
        ..SOUND
    },
    Twist {
        what: "says that a transaction was abandoned which was committed",
        breaks: &["transactions_are_kept", "transactions_are_made_once"],
        transact: |sound, lease, name, work| {
            Box::pin(async move {
                sound.transact(lease, name, work).await?;
                Ok(Transacted::Abandoned)
            })
        },
        ..SOUND
    },
    Twist {
        what: "commits what is abandoned",
        breaks: &["abandoned_transactions_leave_nothing"],
        transact: |sound, lease, name, work| {
            Box::pin(async move {
                let transacted = sound.transact(lease, name.clone(), work).await?;
                if transacted == Transacted::Abandoned {
                    sound.transact(lease, name, Box::new(Nothing)).await?;
                }
                Ok(transacted)
            })
        },
        ..SOUND
    },
    Twist {
        what: "makes a transaction twice",
        breaks: &["transactions_are_made_once"],
        transact: |sound, lease, name, work| {
            Box::pin(async move {
                match sound.transact(lease, name, work).await {
                    Err(error) if error.kind() == ErrorKind::Exists => Ok(Transacted::Committed),
                    other => other,
                }
            })
        },
        ..SOUND
    },
    Twist {
        what: "does not look at the lease of a transaction",
        breaks: &["transactions_are_fenced"],
        transact: |sound, lease, name, work| {
            Box::pin(async move {
                match sound.transact(lease, name, work).await {
                    Err(error) if error.kind() == ErrorKind::Fenced => Ok(Transacted::Committed),
                    other => other,
                }
            })
        },
        ..SOUND
    },
    Twist {
        what: "tells anyone of a transaction",
        breaks: &["transactions_are_fenced"],
        transacted: |sound, (lease, name)| {
            Box::pin(async move {
                let newer = |lease: Lease| Lease {
                    fence: lease.fence + 1,
                    ..lease
                };
                match sound.transacted(lease, name.clone()).await {
                    Err(error) if error.kind() == ErrorKind::Fenced => {
                        sound.transacted(newer(lease), name).await
                    }
                    other => other,
                }
            })
        },
        ..SOUND
    },
    Twist {
        what: "keeps transactions for ever",
        breaks: &["writes_end_transactions"],
        write: |sound, mut write| {
            write.transactions.clear();
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "ends no transaction of a write that names one it does not know",
        breaks: &["writes_end_transactions"],
        write: |sound, mut write| {
            if write.transactions.iter().any(|name| name == "unknown") {
                write.transactions.clear();
            }
            sound.write(write)
        },
        ..SOUND
    },
    Twist {
        what: "has no transactions",
        breaks: &[
            "transactions_are_kept",
            "abandoned_transactions_leave_nothing",
            "transactions_are_made_once",
            "transactions_are_fenced",
            "writes_end_transactions",
        ],
        transact: |_, _, _, _| {
            let error = StoreError::new(ErrorKind::Rejected, "there are none");
            Box::pin(std::future::ready(Err(error)))
        },
        ..SOUND
    },
];
