//! Starting an execution: its first turn begins at once if there is room for it in this process;
//! otherwise it is left in the store to be claimed.

use std::{future::IntoFuture, ops::RangeInclusive, sync::atomic::Ordering, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::oneshot;

mod made;
mod prepare;
mod singleton;

use super::{
    Engine,
    error::EngineError,
    handle::execution::Execution,
    worker::{turn::Turn, turn_task},
};
use crate::{
    base::{
        clock::Deadline,
        future::BoxFuture,
        telemetry::{self, TraceContext, TraceContextError},
    },
    language::flow::Flow,
    model::{
        attrs::{Attrs, InvalidAttrs},
        notes::message,
        state::Labels,
        trigger::Trigger,
    },
    run::with::{Input, Starts},
    store::Notes,
};

use made::{Made, check_same};
use prepare::Prepared;
use singleton::Answer;
pub use singleton::IfTaken;

/// The priorities that an execution may have. A claim searches the executions of each one that is in
/// use.
const PRIORITIES: RangeInclusive<i32> = -100..=100;

/// Refuses a priority that the execution or schedule of this name can't have.
pub(super) fn check_priority(id: &str, priority: i32) -> Result<(), EngineError> {
    if PRIORITIES.contains(&priority) {
        return Ok(());
    }
    let id = id.to_owned();
    Err(EngineError::Priority { id, priority })
}

/// An execution about to be started. Awaiting it creates the execution in the store and returns its
/// handle.
///
/// Returned by [`Engine::start`]; the methods set options.
#[must_use = "nothing is started until it is awaited"]
#[allow(missing_debug_implementations)]
pub struct Start<'e, F: Flow> {
    engine: &'e Engine,
    input: Input<F>,
    id: Option<String>,
    labels: Labels,
    singleton: Option<String>,
    if_taken: IfTaken,
    notes: Notes,
    /// Why the attributes can't be kept.
    bad_attrs: Option<InvalidAttrs>,
    priority: i32,
    at: Option<Deadline>,
    /// The trace context that it was given, or what is wrong with it.
    trace: Option<Result<TraceContext, TraceContextError>>,
}

impl Engine {
    /// Starts an execution of a flow with this input. If this engine does not serve the flow,
    /// another process runs the execution.
    pub fn start<I: Starts>(&self, input: I) -> Start<'_, I::Flow> {
        Start {
            engine: self,
            input: input.into_input(),
            id: None,
            labels: Labels::new(),
            singleton: None,
            if_taken: IfTaken::default(),
            notes: Notes::default(),
            bad_attrs: None,
            priority: 0,
            at: None,
            trace: None,
        }
    }
}

impl<F: Flow> Start<'_, F> {
    /// Sets the execution's id, which is also its idempotency key: if an execution of the same flow
    /// with this id and the same input exists already, its handle is returned, whatever its status.
    /// It is an error if the input or the flow differs, or if a label is given that the execution
    /// does not have. All else stays as the first start set it: its priority, its attributes, what started it, and
    /// the time at which it begins.
    /// By default the id is a new `UUIDv7`.
    ///
    /// The id is text of 1 to 255 bytes, with no control characters.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds a label: executions can be found by it, and their steps can read it. A second value for
    /// the same name replaces the first.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Adds several labels, like [`label`](Self::label).
    pub fn labels<N: Into<String>, V: Into<String>>(
        mut self,
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let labels = labels.into_iter();
        self.labels
            .extend(labels.map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Gives the execution a key that no other execution of the flow has until this one has ended: text of
    /// 1 to 255 bytes without control characters. If another one has the key, the start is
    /// [refused](EngineError::Taken), unless [`if_taken`](Self::if_taken) says otherwise; that is decided
    /// in the store, whoever starts at the same time. If the [id](Self::id) is that of an execution which
    /// is there, that one is given back, whatever its key.
    ///
    /// It has the key also while it waits to begin, and while it is undone. An execution that has ended
    /// gives it free; if an operator lets it go on, it needs the key again, and is refused with
    /// [`ErrorKind::Taken`](crate::store::ErrorKind::Taken) if another one has it by then. A rollback of
    /// what has ended goes on without a key.
    pub fn singleton(mut self, key: impl Into<String>) -> Self {
        self.singleton = Some(key.into());
        self
    }

    /// What becomes of this start if another execution has its [key](Self::singleton).
    pub fn if_taken(mut self, if_taken: IfTaken) -> Self {
        self.if_taken = if_taken;
        self
    }

    /// Sets the execution's attributes: an object that serde can save, such as a map or a struct, by
    /// default `{}`. The service may change them while the execution goes on, as its steps may
    /// ([`Cx::set_attrs`](crate::Cx::set_attrs)), and executions are found by them, without an index.
    ///
    /// If the execution exists already, its attributes stay as they are.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use steps::{Engine, engine::Filter, prelude::*};
    ///
    /// # #[step]
    /// # async fn copy() -> Result<(), String> { Ok(()) }
    /// # #[flow]
    /// # async fn replicate() -> Result<(), String> { steps! { copy(); } Ok(()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let engine = Engine::open("memory:").await?.serve(replicate::with()).start().await?;
    /// let run = engine.start(replicate::input())
    ///     .attrs(BTreeMap::from([("bytes", 9_007_199_254_740_993_u64)]))
    ///     .trigger("webhook")
    ///     .await?;
    /// let info = run.info().await?;
    /// assert_eq!(info.attrs.get::<u64>("bytes")?, Some(9_007_199_254_740_993));
    /// assert_eq!(info.trigger.as_str(), "webhook");
    /// # Ok(())
    /// # }
    /// ```
    pub fn attrs(mut self, attrs: impl Serialize) -> Self {
        match Attrs::encode(&attrs) {
            Ok(attrs) => self.notes.attrs = attrs,
            Err(error) => self.bad_attrs = Some(error),
        }
        self
    }

    /// Says what started the execution, by default [`Trigger::Manual`]: a [`Trigger`], or its name,
    /// which is text of 1 to 255 bytes without control characters. If the execution exists already,
    /// that stays as it is.
    pub fn trigger(mut self, trigger: impl Into<Trigger>) -> Self {
        self.notes.trigger = trigger.into();
        self
    }

    /// Sets the status message: how the execution is going, in the service's own words. See
    /// [`Handle::set_status_message`](super::Handle::set_status_message).
    pub fn status_message(mut self, text: impl AsRef<str>) -> Self {
        self.notes.status_message = message(text.as_ref());
        self
    }

    /// Starts the execution not before this time. Until then it only waits in the store, which
    /// costs nothing.
    ///
    /// If the wall clock is set back meanwhile, an engine that has been up since begins it when as
    /// much time has passed as there was until then.
    pub fn at(mut self, time: Timestamp) -> Self {
        self.at = Some(self.engine.core.clock.read().deadline(time));
        self
    }

    /// Starts the execution not before this much time has passed.
    pub fn after(mut self, time: Duration) -> Self {
        let clock = &self.engine.core.clock;
        self.at = Some(clock.deadline(clock.now(), time));
        self
    }

    /// Sets the priority, by default 0, and from -100 to 100: each one that is in use costs a claim a
    /// few searches. Of the due executions, those with a higher priority are claimed first.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Lets the execution continue a trace: the value of the W3C header `traceparent` of the request that it
    /// is started for. If there is an engine's [propagator](super::Builder::propagator), the current span is
    /// taken otherwise; without one, the context is only kept, for [whoever reads it](crate::store::ExecutionInfo::trace).
    /// If the execution exists already, its trace stays as it is.
    ///
    /// A value that is none is [refused](EngineError::InvalidValue) by the start.
    ///
    /// ```
    /// use steps::{Engine, prelude::*};
    ///
    /// # #[flow]
    /// # async fn order() -> Result<(), String> { steps! {} Ok(()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let engine = Engine::open("memory:").await?.serve(order::with()).start().await?;
    /// let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// let run = engine.start(order::input()).traceparent(header).await?;
    /// let trace = run.info().await?.trace.expect("it is kept");
    /// assert_eq!(trace.traceparent(), header);
    /// # Ok(())
    /// # }
    /// ```
    pub fn traceparent(mut self, traceparent: impl Into<String>) -> Self {
        self.trace = Some(TraceContext::new(traceparent));
        self
    }

    /// The same with the value of the header `tracestate` beside it, of up to 512 bytes. It is no context
    /// without a [`traceparent`](Self::traceparent), which comes first.
    pub fn tracestate(mut self, tracestate: impl Into<String>) -> Self {
        self.trace = self
            .trace
            .map(|trace| trace.and_then(|trace| trace.with_tracestate(tracestate)));
        self
    }

    async fn start(mut self) -> Result<Execution<F>, EngineError> {
        let core = &self.engine.core;
        let may_repeat_id = self.id.is_some();
        let Prepared {
            new,
            served,
            form,
            execution,
        } = self.prepare().await?;
        let (id, input) = (new.id.clone(), new.input.clone());
        let make = async |new| match self.at {
            Some(deadline) => self.engine.start_later(new, Some(deadline)).await,
            None => match served.and_then(|flow| Some((flow, flow.try_place(core)?))) {
                Some((flow, place)) => {
                    let (started, start) = oneshot::channel();
                    let mut turn = Turn::of_new(core, new, form, started);
                    turn.may_repeat_id = may_repeat_id;
                    turn_task::spawn(flow, turn, place);
                    self.engine.started(flow, start).await
                }
                None => self.engine.start_later(new, None).await,
            },
        };
        let mut told = make(new).await?;
        while let Made::Taken { by, new } = told {
            told = match self.engine.taken(by, *new, self.if_taken).await? {
                Answer::Other(id) => return Ok(Execution::new(self.engine.clone(), id.into())),
                Answer::Again(new) => make(*new).await?,
            };
        }
        match told {
            Made::New => {
                telemetry::started(F::TABLE.name, 1);
                execution.is_first.store(true, Ordering::Relaxed);
            }
            Made::Exists(existing) => check_same::<F>(&id, &existing, &input, self.labels)?,
            Made::Taken { .. } => {}
        }
        Ok(execution)
    }
}

impl<'e, F: Flow> IntoFuture for Start<'e, F> {
    type Output = Result<Execution<F>, EngineError>;
    type IntoFuture = BoxFuture<'e, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
