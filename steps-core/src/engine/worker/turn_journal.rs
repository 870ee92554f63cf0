//! The journal of one turn: turns each batch of the interpreter into one write to the store, under the turn's lease.
//! It also tracks the execution's messages by their numbers, because a write says which of them have had their effect,
//! and which was the newest that this turn has looked at.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use tokio::sync::oneshot;

use super::{
    children::{child_ended, is_stopped, row_of, started_flows, take_up},
    first_write::{FirstWrite, Started},
    of_engine::OfEngine,
};
use crate::{
    base::{
        error::JournalError,
        future::BoxFuture,
        json::Json,
        sync::lock,
        telemetry::{self, TraceContext},
    },
    engine::error::EngineError,
    journal::{Batch, InTransaction, Journal, NoTransaction, PassEnd, Transacted},
    model::status::Status,
    store::{
        Due, Lease, LeaseAfter, Message, Past, Refuser, StoreError, Target, Write, Written, root,
    },
};

/// The journal that writes one turn's records to the store.
pub(crate) struct TurnJournal {
    pub(crate) id: Arc<str>,
    /// The execution that has started this one.
    parent: Option<String>,
    /// The trace that the execution continues.
    pub(super) trace: Option<TraceContext>,
    pub(super) engine: OfEngine,
    progress: Mutex<Progress>,
}

/// The progress of the turn. Its lock is held only for a moment, and no other lock is taken under it.
struct Progress {
    /// A new execution until the first write is made, whatever comes of it; its lease afterwards.
    target: Option<Target>,
    /// Receives the result of the first write.
    started: Option<oneshot::Sender<Started>>,
    /// The newest message that the store has listed: all older ones have come, too.
    listed: i64,
    /// The newer messages that came directly from their senders, in any order and with gaps.
    direct: HashSet<i64>,
    /// The newest message that the store had listed at the last check between two passes.
    looked_at: i64,
    /// Whether a message has come since the last write.
    has_late_message: bool,
    /// Requests that have not had their effect yet.
    requests: Vec<(i64, Message)>,
    /// The messages that say that a child has ended: those that came, and those that the run has looked at since. A
    /// pass has ended the lines that waited for them.
    child_news: (Vec<i64>, Vec<i64>),
    /// Whether a pass was made, so that it has looked at them.
    has_passed: bool,
    /// Whether the loss of the lease was told.
    is_lost: bool,
    /// Whether a write that gives the lease back is under way, or was made.
    releases: bool,
    /// The form of the flow that goes on with the execution; the next write says so.
    form: Option<i64>,
    /// The flow that goes on with it, in this build of the program.
    flow: Option<Refuser>,
    /// Why the store took no more records.
    store_error: Option<StoreError>,
    /// Whether the lease was released and a message that this turn has not seen made the execution due again.
    due_again: bool,
}

impl TurnJournal {
    /// Creates the journal of a turn.
    pub(crate) fn new(
        engine: OfEngine,
        id: Arc<str>,
        (parent, trace): (Option<String>, Option<TraceContext>),
        target: Target,
        started: Option<oneshot::Sender<Started>>,
    ) -> Self {
        Self {
            id,
            parent,
            trace,
            engine,
            progress: Mutex::new(Progress {
                target: Some(target),
                started,
                listed: 0,
                direct: HashSet::new(),
                looked_at: 0,
                has_late_message: false,
                requests: Vec::new(),
                child_news: Default::default(),
                has_passed: false,
                is_lost: false,
                releases: false,
                form: None,
                flow: None,
                store_error: None,
                due_again: false,
            }),
        }
    }

    /// Returns the lease, if there is one yet.
    pub(crate) fn lease(&self) -> Option<Lease> {
        match lock(&self.progress).target {
            Some(Target::Held(lease)) => Some(lease),
            Some(Target::New(_)) | None => None,
        }
    }

    /// Returns whether the turn gives its lease back, or has done so.
    pub(crate) fn releases(&self) -> bool {
        lock(&self.progress).releases
    }

    /// Notes that the lease is lost. Returns whether this was not known.
    pub(crate) fn is_first_to_lose(&self) -> bool {
        !std::mem::replace(&mut lock(&self.progress).is_lost, true)
    }

    /// Notes a message. Returns whether it is new: a message may arrive twice, directly and in a list.
    pub(crate) fn message_came(&self, number: i64, is_listed: bool) -> bool {
        let mut progress = lock(&self.progress);
        if number <= progress.listed {
            return false;
        }
        let is_new = if is_listed {
            progress.listed = number;
            !progress.direct.remove(&number)
        } else {
            progress.direct.insert(number)
        };
        progress.has_late_message |= is_new;
        is_new
    }

    /// Returns the number of the newest message that the store has listed, or 0. It lists all newer
    /// ones when it is asked again: one that was to come directly may never come, as its sender may
    /// have given up.
    pub(crate) fn newest_listed(&self) -> i64 {
        lock(&self.progress).listed
    }

    /// Returns whether a message has arrived since the turn's last write.
    pub(crate) fn has_late_message(&self) -> bool {
        lock(&self.progress).has_late_message
    }

    /// Notes a request. The write that records its effect removes it from the inbox.
    pub(crate) fn request_came(&self, number: i64, message: Message) {
        lock(&self.progress).requests.push((number, message));
    }

    /// Notes a message that says that a child has ended. The last write of a pass that has looked at it removes it.
    pub(crate) fn child_news_came(&self, number: i64) {
        lock(&self.progress).child_news.0.push(number);
    }

    /// Notes that a pass was made.
    pub(crate) fn passed(&self) {
        lock(&self.progress).has_passed = true;
    }

    /// Returns the execution that was told that this one has ended, if one has to be.
    pub(crate) fn told(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// Notes the form of the flow that goes on with the execution, which was begun by another one.
    pub(crate) fn goes_on_by(&self, form: i64) {
        lock(&self.progress).form = Some(form);
    }

    /// Notes the flow that goes on with the execution.
    pub(crate) fn is_of(&self, flow: Refuser) {
        lock(&self.progress).flow = Some(flow);
    }

    /// Notes that all messages so far were looked at. A later one makes the execution due as soon
    /// as the lease is released; so does one that came directly and has not had its effect, because
    /// an older one may still be on its way.
    pub(crate) fn looked_at_messages(&self) {
        let mut progress = lock(&self.progress);
        progress.looked_at = progress.listed;
        let (new, seen) = &mut progress.child_news;
        seen.append(new);
    }

    /// Releases the lease of a turn whose run took a signal that was replaced meanwhile: the execution
    /// is due again at once, as it was before that.
    pub(crate) async fn begin_anew(&self) -> Result<(), StoreError> {
        let then = LeaseAfter::Release {
            due: Due::Now,
            last_message: 0,
        };
        self.give_back(then).await
    }

    /// Notes why the store can't go on.
    pub(super) fn failed(&self, error: StoreError) {
        lock(&self.progress).store_error = Some(error);
    }

    /// Returns why the store took no more records, if it failed.
    pub(crate) fn store_error(&self) -> Option<StoreError> {
        lock(&self.progress).store_error.clone()
    }

    /// Returns whether a message that arrived too late for this turn made the execution due again.
    pub(crate) fn is_due_again(&self) -> bool {
        lock(&self.progress).due_again
    }

    /// Reports that the first write was not made.
    pub(crate) fn not_started(&self, error: EngineError) {
        let started = lock(&self.progress).started.take();
        if let Some(started) = started {
            // The caller may have dropped its future.
            let _ = started.send(Err(error));
        }
    }

    /// Releases the lease without a record, if there is one.
    pub(crate) async fn give_back(&self, then: LeaseAfter) -> Result<(), StoreError> {
        let Some(lease) = self.lease() else {
            return Ok(());
        };
        lock(&self.progress).releases = true;
        let write = Write::new(Target::Held(lease), then);
        self.engine.store.write(write).await.map(drop)
    }

    /// Returns the write of a batch; `None` if the first one failed, which creates the execution.
    fn write(&self, batch: Batch<'_>) -> Option<Write> {
        let (rest, replace, status) = (batch.pass_end(), batch.replaces(), batch.status());
        let refuses_undo = batch.source.refuses_undo();
        if refuses_undo {
            tracing::warn!(
                execution = &*self.id,
                "it is past its pivot, and is not undone"
            );
        }
        let mut taken = Vec::new();
        let mut progress = lock(&self.progress);
        progress.requests.retain(|(number, message)| {
            let had_effect = match message {
                Message::Undo => {
                    refuses_undo
                        || matches!(status, Status::Undoing | Status::Undone | Status::Stuck)
                }
                _ => matches!(rest, Some(PassEnd::Ended | PassEnd::Stopped)),
            };
            if had_effect {
                taken.push(*number);
            }
            !had_effect
        });
        let has_ended = matches!(rest, Some(PassEnd::Waiting { .. } | PassEnd::Ended));
        if has_ended && progress.has_passed && !is_stopped(status) {
            taken.append(&mut progress.child_news.1);
        }
        progress.has_late_message = false;
        progress.releases = rest.is_some();
        let then = match rest {
            None => LeaseAfter::Keep,
            Some(rest) => LeaseAfter::Release {
                due: match rest {
                    PassEnd::Waiting { until: Some(until) } => Due::At(until),
                    PassEnd::Suspended => Due::Now,
                    _ => Due::Never,
                },
                last_message: progress.looked_at,
            },
        };
        let target = match progress.target {
            Some(Target::Held(lease)) => Target::Held(lease),
            _ => progress.target.take()?,
        };
        let past = batch.past.zip(progress.flow);
        let parent = self.parent.as_ref();
        let tells = parent.filter(|_| rest.is_some() && status.is_final());
        let tells = tells.map(|parent| child_ended(parent, &self.id));
        Some(Write {
            target,
            nodes: root::into_rows(batch.changes),
            new_from: batch.new_from,
            removed: batch.removed,
            replace,
            taken,
            signals: batch.signals,
            transactions: batch.transactions,
            form: progress.form.take(),
            past: past.map(|(rows, by)| Past { by, rows }),
            notes: batch.notes,
            children: batch
                .children
                .into_iter()
                .map(|child| row_of(&self.id, self.trace.as_ref(), child))
                .collect(),
            tells: tells.into_iter().collect(),
            then,
        })
    }

    fn written(&self, written: Result<Written, StoreError>) -> Result<(), JournalError> {
        let is_new = matches!(written, Ok(Written::Created(_)));
        let mut progress = lock(&self.progress);
        let started = progress.started.take();
        let (answer, result) = match written {
            Ok(Written::Kept) => (Ok(FirstWrite::Made), Ok(())),
            Ok(Written::Recalled) => {
                progress.due_again = true;
                (Ok(FirstWrite::Made), Ok(()))
            }
            Ok(Written::Created(lease)) => {
                progress.target = Some(Target::Held(lease));
                (Ok(FirstWrite::Made), Ok(()))
            }
            // The error ends the run; the caller of `start` gets the existing execution.
            Ok(Written::Exists(existing)) => (
                Ok(FirstWrite::Exists(existing)),
                Err(JournalError::new("it exists")),
            ),
            Ok(Written::Limited(new)) => (
                Ok(FirstWrite::Limited(new)),
                Err(JournalError::new("its flow is limited")),
            ),
            Ok(Written::Taken { by, new }) => (
                Ok(FirstWrite::Taken(by, new)),
                Err(JournalError::new("its key is taken")),
            ),
            Err(error) => {
                progress.store_error = Some(error.clone());
                (Err(error.clone().into()), Err(JournalError::new(error)))
            }
        };
        drop(progress);
        if is_new {
            // How one ended that had this id, and was deleted, is no news of this one.
            self.engine.news.goes_on(&self.id);
        }
        if let Some(started) = started {
            // The caller may have dropped its future; the execution exists anyway.
            let _ = started.send(answer);
        }
        result
    }
}

impl Journal for TurnJournal {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        let in_place = self.engine.in_place && batch.is_alone();
        let Some(write) = self.write(batch) else {
            let error = JournalError::new("it was not created");
            return Box::pin(std::future::ready(Err(error)));
        };
        let due: Vec<Due> = write.children.iter().map(|child| child.due).collect();
        let flows = started_flows(&write);
        let written = if in_place {
            self.engine.store.write_in_place(write)
        } else {
            self.engine.store.write(write)
        };
        Box::pin(async move {
            self.written(written.await)?;
            self.engine.news.recorded(&self.id);
            for flow in flows {
                telemetry::started(&flow, 1);
            }
            take_up(&self.engine.schedule, &self.engine.clock, &due);
            Ok(())
        })
    }

    fn transact<'a>(
        &'a self,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, NoTransaction>> {
        Box::pin(self.in_transaction(name, work))
    }

    fn transacted(
        &self,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, NoTransaction>> {
        Box::pin(self.of_transaction(name))
    }
}
