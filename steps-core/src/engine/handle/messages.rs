//! What is asked of an execution that may be running: to stop, to be undone, to take a signal.
//!
//! Each is a message in the store, and is safe as soon as the call returns. How it reaches the
//! execution is told in `worker/delivery.rs`.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::execution::{Execution, Handle};
use crate::{
    base::{
        future::BoxFuture,
        json::Json,
        read_back::{record, record_unread},
    },
    engine::error::EngineError,
    interpreter::pivot_of,
    language::flow::Flow,
    model::{
        signal::{Position, SignalError, Target, find::find},
        status::Status,
        table::Table,
        typed::AsSignalRef,
    },
    store::{Message, MessageReceipt, Queue, SendMessage, StoredExecution},
};

impl Handle {
    /// Stops it: no new step begins, and one that runs sees [`Cx::cancelled`](crate::Cx::cancelled)
    /// and is let finish. Its status is `stopped` then, and what it did stays, to be
    /// [recovered](Self::recover) or [undone](Self::undo). A rollback goes on, but pauses no more:
    /// an undo that would be tried again later has failed, and the execution is `stuck`. Returns as soon as the request is safe;
    /// [`stop_and_wait`](Self::stop_and_wait) waits.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where it has ended.
    pub async fn stop(&self) -> Result<(), EngineError> {
        let from = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Stopped,
            Status::Undoing,
        ];
        self.request(Message::Stop, &from, "stopped").await?;
        self.acted("stop", None).await
    }

    /// Stops it, as [`stop`](Self::stop) does, and waits until it has come to rest, for at most
    /// `timeout`. Returns the status it rests in: `stopped`, or how it ended if that came first.
    ///
    /// # Errors
    ///
    /// [`EngineError::TimedOut`] where it is still at a step, or where nobody serves its flow. It
    /// stops all the same when the step ends, or a program takes it up;
    /// [`force_stop`](Self::force_stop) does not wait for that. [`EngineError::Incompatible`] where
    /// it does not fit the program: only `force_stop` stops it here.
    pub async fn stop_and_wait(&self, timeout: Duration) -> Result<Status, EngineError> {
        self.stop().await?;
        let rest = tokio::time::timeout(timeout, self.ended()).await;
        match rest {
            Ok(info) => Ok(info?.status),
            Err(_) => Err(EngineError::TimedOut {
                id: self.id.to_string(),
                status: self.status().await?,
                after: timeout,
            }),
        }
    }

    /// Undoes it: no new step begins, and what was done is taken back, last first. Also one that is
    /// done, stopped, or has failed and was held. If its rollback pauses before it tries an undo
    /// again, the pause ends. Returns as soon as the request is safe.
    ///
    /// # Errors
    ///
    /// [`EngineError::PastPivot`] where its `#[pivot]` is done, unless it has failed; if the pivot
    /// is done only after this call, the request has no effect, and the execution goes on.
    /// [`EngineError::Status`] where it has been undone, or is stuck.
    pub async fn undo(&self) -> Result<(), EngineError> {
        if let Some(table) = self.table
            && table.has_pivot()
            && let Some(pivot) = pivot_of(&self.tree_of(self.open().await?)?, table)
        {
            let id = self.id.to_string();
            return Err(EngineError::PastPivot { id, pivot });
        }
        self.request(Message::Undo, &TO_BE_UNDONE, "undone").await?;
        self.acted("undo", None).await
    }

    /// Sends a value to the step at this [path](crate::model::state::path), as [`Execution::signal`]
    /// does by a reference: for a tool that does not know the flow's type. In the place of a key, a
    /// `*` stands for whichever item or round waits: `hosts.*.approval`.
    ///
    /// # Errors
    ///
    /// As of [`Execution::signal`]; and [`SignalError::NoSignal`] if the flow has no step of this path,
    /// or the step takes no signals. An engine that does not serve the flow can't know that: there,
    /// a signal is sent only to a step that waits for one, and anything else is
    /// [`SignalError::NotWaiting`].
    pub async fn signal_path<T: Serialize + ?Sized>(
        &self,
        path: &str,
        value: &T,
    ) -> Result<(), EngineError> {
        self.send_signal(path, record_unread(value), Position::Behind, None)
            .await
    }

    /// Sends a value to the step at this path, as [`Execution::replace_signal`] does by a reference.
    ///
    /// # Errors
    ///
    /// As of [`signal_path`](Self::signal_path).
    pub async fn replace_signal_path<T: Serialize + ?Sized>(
        &self,
        path: &str,
        value: &T,
    ) -> Result<(), EngineError> {
        self.send_signal(path, record_unread(value), Position::Instead, None)
            .await
    }

    /// Sends a signal, if its step can take one: by what is recorded, and by the flow's table, if
    /// this engine or its caller knows it.
    async fn send_signal(
        &self,
        path: &str,
        value: Result<Json, serde_json::Error>,
        position: Position,
        table: Option<&'static Table>,
    ) -> Result<(), EngineError> {
        let value = value.map_err(|error| self.not_sent(SignalError::unsaved(path, &error)))?;
        let limits = &self.engine.core.limits;
        let act = match position {
            Position::Behind => "signal",
            Position::Instead => "replace_signal",
        };
        loop {
            let saved = self.open().await?;
            let taken = saved.info.messages_taken;
            if !TAKES_SIGNALS.contains(&saved.info.status) {
                return Err(EngineError::Status {
                    id: self.id.to_string(),
                    wanted: "given a signal",
                    status: saved.info.status,
                });
            }
            let served = || self.engine.flows.get(&saved.info.flow);
            let table = table.or_else(|| served().map(|(_, served)| served.flow.table()));
            let target = self.target(path, &value, table, saved)?;
            let queue = match position {
                Position::Instead => Queue::Replace,
                Position::Behind => Queue::Behind(limits.queued(&target)),
            };
            let message = SendMessage {
                id: self.id.to_string(),
                message: Message::Signal {
                    path: target.to_string(),
                    value: value.clone(),
                },
                if_status: TAKES_SIGNALS.to_vec(),
                if_taken: Some(taken),
                queue,
            };
            match self.send(message, "given a signal").await? {
                Sent::Stored => return self.acted(act, Some(path)).await,
                // A step has taken a signal meanwhile, perhaps the one that this was for.
                Sent::Changed => {}
                Sent::Full => return Err(self.not_sent(limits.full(&target))),
            }
        }
    }

    /// Returns what is recorded of it, but for what is over and takes no signal.
    async fn open(&self) -> Result<StoredExecution, EngineError> {
        let saved = self.engine.core.store.load_open(self.id.to_string());
        saved.await?.ok_or_else(|| self.unknown())
    }

    /// Returns the steps that a signal is for, if one of them can take it.
    fn target(
        &self,
        path: &str,
        value: &Json,
        table: Option<&'static Table>,
        saved: StoredExecution,
    ) -> Result<Target, EngineError> {
        let limits = &self.engine.core.limits;
        let now = self.engine.core.clock.now();
        let state = if saved.nodes.is_empty() {
            None
        } else {
            Some(self.tree_of(saved)?)
        };
        let target = match table {
            Some(table) => {
                find(table, state.as_ref().map(|state| (state, now)), path).and_then(|found| {
                    limits.check_signal(path, found.meta, value)?;
                    Ok(found.target)
                })
            }
            None => limits
                .check_signal_size(path, value)
                .and_then(|()| state.unwrap_or_default().signal(path, value.clone()))
                .map(|()| Target::parse(path)),
        };
        target.map_err(|error| self.not_sent(error))
    }

    fn not_sent(&self, error: SignalError) -> EngineError {
        let id = self.id.to_string();
        match error {
            SignalError::Value { .. } => EngineError::InvalidValue {
                id,
                why: error.to_string(),
            },
            error => EngineError::Signal { id, error },
        }
    }

    /// Sends a request, if the execution is in one of the statuses `from`.
    async fn request(
        &self,
        message: Message,
        from: &[Status],
        wanted: &'static str,
    ) -> Result<(), EngineError> {
        let message = SendMessage {
            id: self.id.to_string(),
            message,
            if_status: from.to_vec(),
            if_taken: None,
            queue: Queue::Replace,
        };
        self.send(message, wanted).await.map(drop)
    }

    async fn send(&self, message: SendMessage, wanted: &'static str) -> Result<Sent, EngineError> {
        self.engine.core.check_runtime()?;
        match self.engine.core.send(message).await? {
            MessageReceipt::Stored(_) => Ok(Sent::Stored),
            MessageReceipt::Changed => Ok(Sent::Changed),
            MessageReceipt::Full => Ok(Sent::Full),
            MessageReceipt::WrongStatus(status) => Err(EngineError::Status {
                id: self.id.to_string(),
                wanted,
                status,
            }),
            MessageReceipt::Unknown => Err(self.unknown()),
        }
    }
}

/// What became of a message.
enum Sent {
    Stored,
    Changed,
    Full,
}

/// The statuses in which an execution can be told to be undone.
pub(in crate::engine) const TO_BE_UNDONE: [Status; 7] = [
    Status::Pending,
    Status::Running,
    Status::Waiting,
    Status::Done,
    Status::Failed,
    Status::Stopped,
    Status::Undoing,
];

/// The statuses in which an execution takes signals. One that was stopped keeps them for when it is
/// recovered.
pub(super) const TAKES_SIGNALS: [Status; 4] = [
    Status::Pending,
    Status::Running,
    Status::Waiting,
    Status::Stopped,
];

impl<F: Flow> Execution<F> {
    /// Sends a value to a step that waits for a signal, or will: it is kept until then. Returns when
    /// it is in the database.
    ///
    /// Signals queue: the step takes the one that was sent first, and each is taken once. Inside a
    /// `for` or a `loop`, say which item or round is meant, `STEPS.hosts.approval.at("10.0.0.4")`, or
    /// that whichever waits takes it: `STEPS.hosts.approval.any()`. A step takes one that is for it
    /// alone before one that is for any.
    ///
    /// # Errors
    ///
    /// [`EngineError::Signal`] with
    ///
    /// * [`SignalError::TakesNone`]: the step has been given one, was passed over, or has ended;
    /// * [`SignalError::NoItem`]: there is no such item, or there has been no such round;
    /// * [`SignalError::Full`]: as many are queued for it as
    ///   [may be](crate::RunLimits::signals).
    ///
    /// [`EngineError::Status`] where the execution has ended, or is being undone: one that was stopped
    /// keeps its signals for when it is [recovered](Handle::recover).
    /// [`EngineError::InvalidValue`] where the value can't be saved as JSON and read back, or is
    /// larger than [the limit](crate::RunLimits::payload).
    pub fn signal<T: Serialize + DeserializeOwned + 'static>(
        &self,
        step: impl AsSignalRef<T>,
        value: &T,
    ) -> BoxFuture<'_, Result<(), EngineError>> {
        self.send_to(step.path(), record(value), Position::Behind)
    }

    /// Sends a value to a step, in the place of all that were sent to the same step, or to whichever
    /// waits, and that it has not taken.
    ///
    /// # Errors
    ///
    /// As of [`signal`](Self::signal).
    pub fn replace_signal<T: Serialize + DeserializeOwned + 'static>(
        &self,
        step: impl AsSignalRef<T>,
        value: &T,
    ) -> BoxFuture<'_, Result<(), EngineError>> {
        self.send_to(step.path(), record(value), Position::Instead)
    }

    // Boxed: of a mistake in an argument, a future that the compiler names by its arguments is told
    // again at each place.
    fn send_to(
        &self,
        path: String,
        value: Result<Json, serde_json::Error>,
        position: Position,
    ) -> BoxFuture<'_, Result<(), EngineError>> {
        let sent = async move {
            self.send_signal(&path, value, position, Some(F::TABLE))
                .await
        };
        Box::pin(sent)
    }
}
