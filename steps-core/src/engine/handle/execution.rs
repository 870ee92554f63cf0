//! The handle on one execution.

use std::{
    fmt,
    marker::PhantomData,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use serde::Serialize;
use tokio::sync::watch;

use super::watch::Watch;
use crate::engine::{
    Engine, EngineError,
    news::{Ear, Rest},
};
use crate::{
    base::{clock::Clock, error::caught, json::Json},
    interpreter::cause_of,
    language::flow::Flow,
    model::{
        failure::Failure,
        state::State,
        status::Status,
        typed::{AsStepRef, FlowState},
    },
    store::{Info, Message, Saved, Tell, Told},
};

/// An execution of any flow. What needs the flow's type is in [`Execution`].
pub struct Handle {
    pub(in crate::engine) engine: Engine,
    pub(in crate::engine) id: Arc<str>,
    /// Whether it was started by this handle, and its end was not asked for yet.
    pub(in crate::engine) fresh: AtomicBool,
    /// Keeps what is told of the execution from its start on.
    _ear: Ear,
}

/// An execution of the flow `F`: what [`Engine::start`] and [`Engine::execution`] give.
///
/// All methods of [`Handle`] are there too. It is a handle only: dropping it leaves the execution
/// as it is.
pub struct Execution<F: Flow> {
    handle: Handle,
    flow: PhantomData<fn() -> F>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.id).finish()
    }
}

impl<F: Flow> fmt::Debug for Execution<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Execution").field(&self.handle.id).finish()
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(self.engine.clone(), Arc::clone(&self.id))
    }
}

impl<F: Flow> Clone for Execution<F> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            flow: PhantomData,
        }
    }
}

impl<F: Flow> Deref for Execution<F> {
    type Target = Handle;
    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Handle {
    pub(in crate::engine) fn new(engine: Engine, id: Arc<str>) -> Self {
        let ear = engine.inner.hub.listen(&id);
        Self {
            engine,
            id,
            fresh: AtomicBool::new(false),
            _ear: ear,
        }
    }

    /// The execution's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::engine) fn unknown(&self) -> EngineError {
        EngineError::Unknown {
            id: self.id.to_string(),
        }
    }

    /// What is known of it without its tree.
    pub async fn info(&self) -> Result<Info, EngineError> {
        let found = self.engine.find(&self.id).await?;
        found.ok_or_else(|| self.unknown())
    }

    /// What it is doing, by its last record.
    pub async fn status(&self) -> Result<Status, EngineError> {
        Ok(self.info().await?.status)
    }

    /// Its tree as it is recorded now, untyped.
    pub async fn tree(&self) -> Result<State, EngineError> {
        let saved = self.engine.inner.store.load(self.id.to_string()).await?;
        self.tree_of(saved.ok_or_else(|| self.unknown())?)
    }

    pub(in crate::engine) fn tree_of(&self, saved: Saved) -> Result<State, EngineError> {
        saved.into_state().map_err(|error| EngineError::State {
            id: self.id.to_string(),
            error: Arc::new(error),
        })
    }

    /// Stops it: no new step begins, and one that runs sees [`Cx::cancelled`](crate::Cx::cancelled)
    /// and is let finish. Its status is `stopped` then, and what it did stays, to be
    /// [recovered](Self::recover) or [undone](Self::undo). Returns as soon as the request is safe;
    /// [`stop_and_wait`](Self::stop_and_wait) waits.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where it has ended, or is being undone: a rollback is not stopped.
    pub async fn stop(&self) -> Result<(), EngineError> {
        let only = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Stopped,
        ];
        self.tell(Message::Stop, &only, "stopped").await
    }

    /// Stops it, as [`stop`](Self::stop) does, and waits until it has come to rest, for so long.
    /// Gives the status it rests in: `stopped`, or how it ended if that came first.
    ///
    /// # Errors
    ///
    /// [`EngineError::TimedOut`] where it is still at a step. It stops all the same when that ends.
    pub async fn stop_and_wait(&self, timeout: Duration) -> Result<Status, EngineError> {
        self.stop().await?;
        let rest = tokio::time::timeout(timeout, self.rest()).await;
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
        let only = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Done,
            Status::Failed,
            Status::Stopped,
            Status::Undoing,
        ];
        self.tell(Message::Undo, &only, "undone").await
    }

    /// Gives a value to the step at this [path](crate::model::state::path), as
    /// [`Execution::signal`] does by a reference.
    pub async fn signal_path<T: Serialize + ?Sized>(
        &self,
        path: &str,
        value: &T,
    ) -> Result<(), EngineError> {
        let value = caught(|| Json::encode(value)).map_err(|error| EngineError::Value {
            id: self.id.to_string(),
            why: format!("the signal to `{path}` can't be saved as JSON: {error}"),
        })?;
        let only = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Stopped,
        ];
        let path = path.to_owned();
        self.tell(Message::Signal { path, value }, &only, "given a signal")
            .await
    }

    async fn tell(
        &self,
        message: Message,
        only: &[Status],
        wanted: &'static str,
    ) -> Result<(), EngineError> {
        let told = self.engine.inner.store.tell(Tell {
            id: self.id.to_string(),
            message: message.clone(),
            only: only.to_vec(),
        });
        match told.await? {
            Told::Kept(number) => {
                self.engine.inner.bring(&self.id, number, message);
                Ok(())
            }
            Told::Not(status) => Err(EngineError::Status {
                id: self.id.to_string(),
                wanted,
                status,
            }),
            Told::Unknown => Err(self.unknown()),
        }
    }

    /// Waits until it has ended: done, failed, undone, stuck or stopped.
    pub async fn rest(&self) -> Result<Info, EngineError> {
        let mut ear = self.engine.inner.hub.listen(&self.id);
        let mut pause = self.engine.inner.poll;
        loop {
            ear.rests.mark_unchanged();
            let info = self.info().await?;
            if rests(&info) {
                return Ok(info);
            }
            self.heard(&mut ear.rests, pause).await;
            pause = longer(pause);
        }
    }

    /// Waits for news, but not longer than that: another process tells nothing. Whether any came.
    pub(in crate::engine) async fn heard<T>(
        &self,
        news: &mut watch::Receiver<T>,
        pause: Duration,
    ) -> bool {
        let poll = async {
            match self.engine.inner.clock {
                Clock::Test(_) => std::future::pending().await,
                Clock::System => tokio::time::sleep(pause).await,
            }
        };
        let news = async {
            // The hub keeps the sender for as long as there is an ear.
            if news.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let (poll, news) = (std::pin::pin!(poll), std::pin::pin!(news));
        matches!(select(poll, news).await, Either::Right(_))
    }
}

/// Whether it has ended, and nothing more was asked for: one that is done and is to be undone is due.
fn rests(info: &Info) -> bool {
    info.status.is_final() && info.due.is_none()
}

/// The longer somebody has waited for news of another process, the less often the store is asked.
pub(in crate::engine) fn longer(pause: Duration) -> Duration {
    (pause * 3 / 2).min(Duration::from_secs(5)).max(pause)
}

impl<F: Flow> Execution<F> {
    pub(in crate::engine) fn new(engine: Engine, id: Arc<str>) -> Self {
        Self {
            handle: Handle::new(engine, id),
            flow: PhantomData,
        }
    }

    /// Waits until it has ended, and gives the flow's output. In the process that runs it, this is
    /// told of the end; others ask the store now and then.
    ///
    /// Called again, it gives the same again, at any time, in any process.
    ///
    /// # Errors
    ///
    /// [`EngineError::Failed`] where it ended otherwise: failed, undone, stuck or stopped.
    /// [`EngineError::Incompatible`] where it does not fit this program, which it may yet do with
    /// another; [`EngineError::HeldUp`] where the store takes no more records of it.
    pub async fn outcome(&self) -> Result<F::Output, EngineError> {
        let mut ear = self.engine.inner.hub.listen(&self.id);
        // Where this handle started it, its end is heard; otherwise the store is asked first.
        let mut news = self.handle.fresh.swap(false, Ordering::Relaxed);
        if !news && let Some(outcome) = self.stored().await? {
            return outcome;
        }
        let mut pause = self.engine.inner.poll;
        loop {
            if news {
                let rest = ear.rests.borrow_and_update().clone();
                if let Some(outcome) = self.came_to(rest) {
                    return outcome;
                }
            }
            // Whoever hears news has seen them, by the watch's reckoning.
            news = self.handle.heard(&mut ear.rests, pause).await;
            if !news && let Some(outcome) = self.stored().await? {
                return outcome;
            }
            pause = longer(pause);
        }
    }

    fn came_to(&self, rest: Option<Rest>) -> Option<Result<F::Output, EngineError>> {
        let id = || self.id.to_string();
        Some(match rest? {
            Rest::Waiting => return None,
            Rest::Done(output) => self.read(output.as_ref()),
            Rest::Ended(failure) => Err(EngineError::Failed {
                id: id(),
                failure: *failure,
            }),
            Rest::Incompatible(why) => Err(EngineError::Incompatible { id: id(), why }),
            Rest::Lost(error) => Err(EngineError::HeldUp { id: id(), error }),
        })
    }

    /// What the store says of how it ended, if it has.
    async fn stored(&self) -> Result<Option<Result<F::Output, EngineError>>, EngineError> {
        let info = self.info().await?;
        self.check(&info)?;
        if let Some(refused) = &info.refused
            && refused.fingerprint == F::FINGERPRINT
        {
            return Ok(Some(Err(EngineError::Incompatible {
                id: self.id.to_string(),
                why: refused.why.clone(),
            })));
        }
        if !rests(&info) {
            return Ok(None);
        }
        if info.status == Status::Done {
            return Ok(Some(self.read(info.output.as_ref())));
        }
        let state = self.tree().await?;
        let failure = Failure {
            flow: F::TABLE.name,
            cause: cause_of(&state, F::TABLE),
            state: Arc::new(state),
        };
        Ok(Some(Err(EngineError::Failed {
            id: self.id.to_string(),
            failure,
        })))
    }

    fn read(&self, output: Option<&Json>) -> Result<F::Output, EngineError> {
        let text = output.map_or("null", Json::get);
        caught(|| (F::OUTPUT.decode)(text)).map_err(|error| EngineError::Value {
            id: self.id.to_string(),
            why: format!("its saved output can't be read: {error}"),
        })
    }

    pub(in crate::engine) fn check(&self, info: &Info) -> Result<(), EngineError> {
        if F::TABLE.answers_to(&info.flow) {
            return Ok(());
        }
        Err(EngineError::OtherFlow {
            id: self.id.to_string(),
            saved: info.flow.clone(),
            flow: F::TABLE.name,
        })
    }

    /// Its state as it is recorded now, typed.
    pub async fn state(&self) -> Result<FlowState<F::Fields>, EngineError> {
        Ok(FlowState::from(self.tree().await?))
    }

    /// A stream of its states: the one now, and one after each change, with what changed. Changes
    /// that come faster than they are asked for are told together. It ends when the execution has.
    pub fn watch(&self) -> Watch<F> {
        Watch::new(self.clone())
    }

    /// Gives a value to a step that waits for a signal, or will: it is kept until then. A second
    /// value given before that replaces the first. Of a step in a `for` or a `loop` the key has to
    /// be given: `STEPS.hosts.approval.at("10.0.0.4")`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where the execution has ended.
    pub async fn signal<T: Serialize>(
        &self,
        step: impl AsStepRef<T>,
        value: &T,
    ) -> Result<(), EngineError> {
        self.signal_path(&step.path(), value).await
    }
}
