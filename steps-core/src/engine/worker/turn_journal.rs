//! The journal of one turn: writes what the interpreter did to the store, under the lease.

use std::sync::{Arc, Mutex};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::oneshot,
};

use crate::engine::Inner;
use crate::{
    base::{error::JournalError, future::BoxFuture, sync::lock},
    journal::{Batch, Journal, Rest},
    model::status::Status,
    store::{Due, Existing, Lease, Message, StoreError, Target, Then, Write, Written, root},
};

/// What the first write of a new execution came to.
pub(in crate::engine) type Started = Result<Option<Box<Existing>>, StoreError>;

/// Where one turn's records go.
pub(in crate::engine) struct TurnJournal {
    pub(in crate::engine) inner: Arc<Inner>,
    pub(in crate::engine) id: Arc<str>,
    /// Whether the turn's thread may be blocked.
    in_place: bool,
    kept: Mutex<Kept>,
}

struct Kept {
    target: Target,
    /// Who waits to hear of the first write.
    started: Option<oneshot::Sender<Started>>,
    /// The newest message this turn has looked at.
    seen: i64,
    /// The newest that came, and what it was when the last write of the turn was made.
    newest: i64,
    last: i64,
    /// Requests that have not had their effect yet.
    requests: Vec<(i64, Message)>,
    /// Signals that were given to their steps since the last write.
    delivered: Vec<i64>,
    /// Why a write was lost.
    lost: Option<StoreError>,
    /// Whether a message that this turn does not know of has made the execution due again.
    recalled: bool,
}

impl TurnJournal {
    /// The journal of a turn that is begun on the tokio runtime that this is called in.
    pub(in crate::engine) fn new(
        inner: Arc<Inner>,
        id: Arc<str>,
        target: Target,
        started: Option<oneshot::Sender<Started>>,
    ) -> Self {
        let kept = Kept {
            target,
            started,
            seen: 0,
            newest: 0,
            last: 0,
            requests: Vec::new(),
            delivered: Vec::new(),
            lost: None,
            recalled: false,
        };
        Self {
            inner,
            id,
            in_place: Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread,
            kept: Mutex::new(kept),
        }
    }

    /// The lease, once there is one.
    pub(in crate::engine) fn lease(&self) -> Option<Lease> {
        match lock(&self.kept).target {
            Target::Held(lease) => Some(lease),
            Target::New(_) => None,
        }
    }

    /// A message has come. `false` if it is known.
    pub(in crate::engine) fn came(&self, number: i64) -> bool {
        let mut kept = lock(&self.kept);
        let is_new = number > kept.newest;
        kept.newest = kept.newest.max(number);
        is_new
    }

    /// The newest message that has come, or 0.
    pub(in crate::engine) fn newest(&self) -> i64 {
        lock(&self.kept).newest
    }

    /// Whether a message has come since the last write of the turn was made.
    pub(in crate::engine) fn is_late(&self) -> bool {
        let kept = lock(&self.kept);
        kept.newest > kept.last
    }

    /// Takes note of a request that has come: the write that records its effect takes it out of the
    /// inbox.
    pub(in crate::engine) fn requested(&self, number: i64, message: Message) {
        lock(&self.kept).requests.push((number, message));
    }

    /// All messages that have come have been looked at: what comes later makes the execution due as
    /// soon as it rests.
    pub(in crate::engine) fn has_seen_all(&self) {
        let mut kept = lock(&self.kept);
        kept.seen = kept.newest;
    }

    /// The next write says that this signal was given to its step.
    pub(in crate::engine) fn delivered(&self, number: i64) {
        lock(&self.kept).delivered.push(number);
    }

    /// Why the store took no more records, if it was that.
    pub(in crate::engine) fn lost(&self) -> Option<StoreError> {
        lock(&self.kept).lost.clone()
    }

    /// Whether a message that came too late for this turn has made the execution due again.
    pub(in crate::engine) fn recalled(&self) -> bool {
        lock(&self.kept).recalled
    }

    /// Gives the lease back without a record.
    pub(in crate::engine) async fn give_back(&self, then: Then) -> Result<(), StoreError> {
        let Some(lease) = self.lease() else {
            return Ok(());
        };
        let write = Write {
            target: Target::Held(lease),
            nodes: Vec::new(),
            replace: false,
            taken: Vec::new(),
            then,
        };
        self.inner.store.write(write).await.map(drop)
    }

    fn write(&self, batch: Batch<'_>) -> Write {
        let (rest, replace) = (batch.rest(), batch.replaces());
        let status = batch.status();
        let nodes = root::into_rows(batch.changes);
        let mut kept = lock(&self.kept);
        let mut taken = std::mem::take(&mut kept.delivered);
        kept.requests.retain(|(number, message)| {
            let over = match message {
                Message::Undo => {
                    matches!(status, Status::Undoing | Status::Undone | Status::Stuck)
                }
                _ => matches!(rest, Some(Rest::Ended | Rest::Stopped)),
            };
            if over {
                taken.push(*number);
            }
            !over
        });
        let seen = kept.seen;
        kept.last = kept.newest;
        let then = match rest {
            None => Then::Keep,
            Some(rest) => Then::Rest {
                due: match rest {
                    Rest::Waiting { until: Some(until) } => Due::At(until),
                    Rest::Suspended => Due::Now,
                    _ => Due::Never,
                },
                seen,
            },
        };
        Write {
            target: kept.target.clone(),
            nodes,
            replace,
            taken,
            then,
        }
    }

    fn written(&self, written: Result<Written, StoreError>) -> Result<(), JournalError> {
        let mut kept = lock(&self.kept);
        let started = kept.started.take();
        let (answer, result) = match written {
            Ok(Written::Kept) => (Ok(None), Ok(())),
            Ok(Written::Recalled) => {
                kept.recalled = true;
                (Ok(None), Ok(()))
            }
            Ok(Written::Created(lease)) => {
                kept.target = Target::Held(lease);
                (Ok(None), Ok(()))
            }
            Ok(Written::Exists(existing)) => {
                (Ok(Some(existing)), Err(JournalError::new("it exists")))
            }
            Err(error) => {
                kept.lost = Some(error.clone());
                (Err(error.clone()), Err(JournalError::new(error)))
            }
        };
        drop(kept);
        if let Some(started) = started {
            // Who asked may have gone away; the execution is there all the same.
            let _ = started.send(answer);
        }
        result
    }
}

impl Journal for TurnJournal {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let in_place = self.in_place && batch.is_alone();
            let write = self.write(batch);
            let store = &self.inner.store;
            let written = if in_place {
                store.write_in_place(write)
            } else {
                store.write(write)
            };
            self.written(written.await)?;
            self.inner.news.recorded(&self.id);
            Ok(())
        })
    }
}
