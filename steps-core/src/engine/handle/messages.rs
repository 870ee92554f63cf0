//! What is asked of an execution that may be running: to stop, to be undone, to take a signal.
//!
//! Each is a message in the store, and is safe as soon as the call returns. How it reaches the
//! execution is told in `worker/delivery.rs`.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::execution::{Execution, Handle};
use crate::{
    base::{
        json::Json,
        read_back::{record, record_unread},
    },
    engine::error::EngineError,
    language::flow::Flow,
    model::{status::Status, typed::AsStepRef},
    store::{Message, MessageReceipt, SendMessage},
};

impl Handle {
    /// Stops it: no new step begins, and one that runs sees [`Cx::cancelled`](crate::Cx::cancelled)
    /// and is let finish. Its status is `stopped` then, and what it did stays, to be
    /// [recovered](Self::recover) or [undone](Self::undo). Returns as soon as the request is safe;
    /// [`stop_and_wait`](Self::stop_and_wait) waits.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where it has ended, or is being undone: a rollback is not stopped.
    pub async fn stop(&self) -> Result<(), EngineError> {
        let from = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Stopped,
        ];
        self.send(Message::Stop, &from, "stopped").await
    }

    /// Stops it, as [`stop`](Self::stop) does, and waits until it has come to rest, for at most
    /// `timeout`. Returns the status it rests in: `stopped`, or how it ended if that came first.
    ///
    /// # Errors
    ///
    /// [`EngineError::TimedOut`] where it is still at a step. It stops all the same when that ends.
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
    /// done, stopped, or has failed and was held. Returns as soon as the request is safe.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where it has been undone, or is stuck.
    pub async fn undo(&self) -> Result<(), EngineError> {
        let from = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Done,
            Status::Failed,
            Status::Stopped,
            Status::Undoing,
        ];
        self.send(Message::Undo, &from, "undone").await
    }

    /// Gives a value to the step at this [path](crate::model::state::path), as
    /// [`Execution::signal`] does by a reference.
    pub async fn signal_path<T: Serialize + ?Sized>(
        &self,
        path: &str,
        value: &T,
    ) -> Result<(), EngineError> {
        self.give(path, record_unread(value)).await
    }

    async fn give(
        &self,
        path: &str,
        value: Result<Json, serde_json::Error>,
    ) -> Result<(), EngineError> {
        let value = value.map_err(|error| EngineError::InvalidValue {
            id: self.id.to_string(),
            why: format!("the signal to `{path}` can't be saved as JSON: {error}"),
        })?;
        let from = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Stopped,
        ];
        let path = path.to_owned();
        self.send(Message::Signal { path, value }, &from, "given a signal")
            .await
    }

    /// Sends a message, if the execution is in one of the statuses `from`.
    async fn send(
        &self,
        message: Message,
        from: &[Status],
        wanted: &'static str,
    ) -> Result<(), EngineError> {
        self.engine.core.check_runtime()?;
        let told = self.engine.core.store.send(SendMessage {
            id: self.id.to_string(),
            message: message.clone(),
            if_status: from.to_vec(),
        });
        match told.await? {
            MessageReceipt::Stored(number) => {
                self.engine.core.deliver(&self.id, number, message);
                Ok(())
            }
            MessageReceipt::WrongStatus(status) => Err(EngineError::Status {
                id: self.id.to_string(),
                wanted,
                status,
            }),
            MessageReceipt::Unknown => Err(self.unknown()),
        }
    }
}

impl<F: Flow> Execution<F> {
    /// Gives a value to a step that waits for a signal, or will: it is kept until then. A second
    /// value given before that replaces the first. Of a step in a `for` or a `loop` the key has to
    /// be given: `STEPS.hosts.approval.at("10.0.0.4")`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where the execution has ended; [`EngineError::InvalidValue`] where the
    /// value can't be saved as JSON and read back.
    pub async fn signal<T: Serialize + DeserializeOwned + 'static>(
        &self,
        step: impl AsStepRef<T>,
        value: &T,
    ) -> Result<(), EngineError> {
        self.give(&step.path(), record(value)).await
    }
}
