//! Putting an engine together: its store, its flows, its limits; and starting its own tasks.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    Engine, OwnTasks,
    changes::{
        ChangeFunction, OnChange,
        registered::{Registered, subscribe},
        teller::tell,
    },
    concurrency::Concurrency,
    error::EngineError,
    handle::filter::Filter,
    limits::served::limit_served,
    of_step::WeakEngine,
    retention::{
        Retention,
        rules::{EVERY, Rules},
    },
    tasks::spawn_tasks,
    worker::{
        engine_core::{EngineCore, Settings},
        forms::Build,
        own_task::keep_alive,
        runtime::Runtime,
        served::{ErasedFlow, ServedFlows},
    },
};
use crate::{
    base::{
        clock::{Clock, TestClock},
        duration::AsDuration,
        sync::lock,
        telemetry::Propagator,
    },
    interpreter::RunLimits,
    language::flow::Flow,
    model::log::LogLimits,
    run::with::Served,
    store::{
        ChangeKind, Store,
        codec::{Codec, CodecStore},
    },
};

/// How often the store is asked for what others left there, and the same where it tells most of that by itself.
const POLL: Duration = Duration::from_millis(200);
const POLL_IF_TOLD: Duration = Duration::from_secs(1);

/// An engine that is being put together.
///
/// | method | default |
/// |---|---|
/// | [`serve`](Self::serve) | no flow: the engine only starts and looks after executions, which other processes run |
/// | [`concurrency`](Self::concurrency) | [`Concurrency::cores`] |
/// | [`lease`](Self::lease) | 10 s |
/// | [`poll`](Self::poll) | 200 ms; a second where the store tells what others leave there |
/// | [`ageing`](Self::ageing) | none |
/// | [`limits`](Self::limits) | [`RunLimits::DEFAULT`] |
/// | [`log_limits`](Self::log_limits) | [`LogLimits::DEFAULT`] |
/// | [`retain`](Self::retain), [`retain_for`](Self::retain_for) | everything is kept |
/// | [`sweep_every`](Self::sweep_every) | an hour |
/// | [`on_execution_change`](Self::on_execution_change), [`on_step_change`](Self::on_step_change) | nobody is told |
/// | [`build`](Self::build) | the length and the time of the program's file |
/// | [`codec`](Self::codec) | values are saved as they are |
/// | [`propagator`](Self::propagator) | no traces |
#[must_use = "nothing runs before `.start()`"]
pub struct Builder {
    store: Arc<dyn Store>,
    /// Whether the store is closed when the engine is shut down.
    owns_store: bool,
    served: Vec<(Arc<dyn ErasedFlow>, Option<usize>)>,
    concurrency: Concurrency,
    lease: Duration,
    poll: Option<Duration>,
    ageing: Option<Duration>,
    limits: RunLimits,
    log_limits: LogLimits,
    build: Option<Build>,
    retention: Vec<Retention>,
    sweep_every: Duration,
    changes: Vec<Registered>,
    clock: Clock,
    propagator: Option<Arc<dyn Propagator>>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("lease", &self.lease)
            .field("poll", &self.poll)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Begins an engine on this store, which it closes when it is [shut down](Engine::shutdown).
    pub fn with_store(store: impl Store) -> Builder {
        Builder {
            owns_store: true,
            ..Self::with_shared_store(Arc::new(store))
        }
    }

    /// Begins an engine on a store that others use as well. It does not close the store.
    pub fn with_shared_store(store: Arc<dyn Store>) -> Builder {
        Builder {
            store,
            owns_store: false,
            served: Vec::new(),
            concurrency: Concurrency::default(),
            lease: Duration::from_secs(10),
            poll: None,
            ageing: None,
            limits: RunLimits::DEFAULT,
            log_limits: LogLimits::DEFAULT,
            build: None,
            retention: Vec::new(),
            sweep_every: EVERY,
            changes: Vec::new(),
            clock: Clock::System,
            propagator: None,
        }
    }
}

impl Builder {
    /// Runs executions of this flow: `.serve(attach_volume::with(cloud))`. Call it once for each
    /// flow.
    pub fn serve<S: Served>(mut self, flow: S) -> Self
    where
        <S::Flow as Flow>::Owned: Send + Sync,
    {
        let flow = flow.into_with();
        let at_once = flow.at_once();
        self.served.push((Arc::new(flow), at_once));
        self
    }

    /// How many executions run at once: those that wait for a timer, a poll, a retry or a signal do
    /// not count. [`With::concurrency`](crate::With::concurrency) bounds those of one flow.
    pub fn concurrency(mut self, concurrency: Concurrency) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// How long after a process has died its executions are taken over by another; by default
    /// 10 seconds. The heartbeat comes three times in that time. A process that was stopped for
    /// longer can't write any more to what was taken over.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(10));
        self
    }

    /// How often the store is asked for what other processes left there: executions they started,
    /// and signals; by default every 200 milliseconds, and where the store [tells](Store::notices) most of
    /// that by itself, every second. What happens in this process is known at once, and timers do not wait
    /// for it.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = Some(poll.max(Duration::from_millis(1)));
        self
    }

    /// Bounds what each execution may hold.
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how much is kept of what steps [log](crate::Cx::log).
    pub fn log_limits(mut self, limits: LogLimits) -> Self {
        self.log_limits = limits;
        self
    }

    /// Lets what waits for a place rise: each time that it has been due for this long, it counts as one
    /// of the next higher [priority](super::Start::priority). By default priority is strict: while
    /// something of a higher one is always due, what is lower does not begin.
    pub fn ageing(mut self, each: Duration) -> Self {
        self.ageing = Some(each);
        self
    }

    /// Names this build of the program. What one build has refused, because it does not fit, is
    /// tried again by another: also if no flow has changed, but the types of its values. By default
    /// a build is known by the length of the program's file and the time at which that was written.
    pub fn build(mut self, name: impl AsRef<str>) -> Self {
        self.build = Some(Build::named(name.as_ref()));
        self
    }

    /// Deletes executions that have ended, and that this rule does not keep. Called again, it adds a
    /// rule: each deletes what it finds and does not keep. One process of those that use the store sweeps
    /// at a time, [every hour](Self::sweep_every); [`Engine::sweep`] does it at once. By default all are
    /// kept for ever.
    ///
    /// ```
    /// # use steps::{Engine, engine::{EngineError, Filter, Retention}, prelude::*};
    /// # async fn engine() -> Result<Engine, EngineError> {
    /// let engine = Engine::open("memory:").await?
    ///     .retain(Retention::of(Filter::new().flow_name("scan")).newest(50))
    ///     .retain_for("30d")
    ///     .start().await?;
    /// # Ok(engine)
    /// # }
    /// ```
    pub fn retain(mut self, rule: Retention) -> Self {
        self.retention.push(rule);
        self
    }

    /// Deletes executions when this time has passed since their end, such as `"30d"`: a
    /// [rule](Self::retain) for all executions.
    pub fn retain_for(self, time: impl AsDuration) -> Self {
        self.retain(Retention::of(Filter::new()).for_time(time))
    }

    /// How often the store is swept, by whichever process; by default every hour. It is done by an engine
    /// that serves a flow; an engine that serves none only sweeps [by hand](Engine::sweep).
    pub fn sweep_every(mut self, pause: Duration) -> Self {
        self.sweep_every = pause.max(Duration::from_millis(1));
        self
    }

    /// Calls a function with each change of an execution's status, in whichever process that happens, after
    /// it is safe, and **at least once**, also across crashes: see the page `changes` of the guide.
    /// A change that is told again has the same [`key`](crate::store::Change::key).
    ///
    /// The name is that of the subscription in the store. What happens after the first start of an engine with
    /// this name is told; it is kept until it was told, also while no engine with the function runs. An engine
    /// that starts with another filter under the name changes it from then on.
    ///
    /// ```
    /// use steps::{Engine, engine::{OnChange, StatusChange}, prelude::*};
    ///
    /// # #[flow]
    /// # async fn order() -> Result<(), String> { steps! {} Ok(()) }
    /// # async fn engine() -> Result<Engine, EngineError> {
    /// let failed = OnChange::new().flow::<order>().status(Status::Failed).status(Status::Stuck);
    /// let engine = Engine::open("memory:").await?
    ///     .serve(order::with())
    ///     .on_execution_change("tell the shop", failed, async |change: StatusChange| {
    ///         let error = change.error.as_deref().unwrap_or_default();
    ///         println!("{} ({}) is {}: {error}", change.execution, change.key(), change.to);
    ///         Ok::<_, String>(())
    ///     })
    ///     .start().await?;
    /// # Ok(engine)
    /// # }
    /// ```
    pub fn on_execution_change(
        self,
        name: impl Into<String>,
        on: OnChange,
        function: impl ChangeFunction,
    ) -> Self {
        self.on_change(name.into(), ChangeKind::Execution, on, function)
    }

    /// The same with each change of a step's status: of what stands in a line of its own, each item's and
    /// each round's by itself, and not of groups. [`Change::step`](crate::store::Change::step) says which.
    pub fn on_step_change(
        self,
        name: impl Into<String>,
        on: OnChange,
        function: impl ChangeFunction,
    ) -> Self {
        self.on_change(name.into(), ChangeKind::Step, on, function)
    }

    fn on_change(
        mut self,
        name: String,
        kind: ChangeKind,
        on: OnChange,
        function: impl ChangeFunction,
    ) -> Self {
        self.changes.push(Registered::new(name, kind, on, function));
        self
    }

    /// Has all values encoded that go into the store: compressed, or encrypted. Inputs, outputs, signals,
    /// errors and attributes pass through it; labels, ids, statuses and the names of steps stay as they are.
    /// What was saved without a codec can still be read, unless the codec
    /// [refuses](Codec::takes_plain) that. Called again, it puts another codec in front of the store, which
    /// encodes before the first.
    ///
    /// See [`store::codec`](crate::store::codec) for what a codec is, and [`CodecStore`] for what happens to
    /// a value that it can't decode.
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.store = Arc::new(CodecStore::new(self.store, Arc::new(codec)));
        self
    }

    /// Lets executions continue the traces of those who start them, in whichever process: see the page
    /// `telemetry` of the guide. By default an execution keeps a context that it is
    /// [given](super::Start::traceparent), and nothing else.
    pub fn propagator(mut self, propagator: impl Propagator) -> Self {
        self.propagator = Some(Arc::new(propagator));
        self
    }

    /// Takes the time from a test's clock, and not from the system's or that of the [store](Store::clock), as
    /// [`Run::clock`](crate::Run::clock) does. Then the store is not asked for what other processes left.
    pub fn clock(mut self, clock: Arc<dyn TestClock>) -> Self {
        self.clock = Clock::Test(clock);
        self
    }

    /// Starts the engine, which takes up what is unfinished in the store. Behind its first claims it
    /// compares what waits with this program, and tells in the log how many executions of each flow fit,
    /// and why others do not: the newest 10,000, and those of at most a million nodes, in pauses as long
    /// as its work. [`Engine::compatibility`] compares all. With a test's [`clock`](Self::clock) it does
    /// not.
    ///
    /// Its tasks and its
    /// executions run on the tokio runtime that this is called in, until that ends; then what needs
    /// them is [`EngineError::RuntimeEnded`]. An engine that serves no flow depends on no runtime.
    ///
    /// # Errors
    ///
    /// Where two flows have the same name, or the store can't be used.
    pub async fn start(self) -> Result<Engine, EngineError> {
        #[cfg(feature = "metrics")]
        crate::base::telemetry::describe();
        let mut tasks = JoinSet::new();
        let serves = !self.served.is_empty();
        let has_tasks = serves || !self.changes.is_empty();
        let clock = match (self.clock, self.store.clock()) {
            (Clock::System, Some(of_store)) => Clock::Server(of_store),
            (clock, _) => clock,
        };
        let core = Arc::new(EngineCore::new(Settings {
            store: self.store,
            owns_store: self.owns_store,
            worker: format!("{}-{}", std::process::id(), Uuid::now_v7()),
            lease: self.lease,
            poll: self.poll.unwrap_or(POLL),
            poll_if_told: self.poll.unwrap_or(POLL_IF_TOLD),
            ageing: self.ageing,
            limits: self.limits,
            log_limits: self.log_limits,
            build: self.build.unwrap_or_else(Build::of_program),
            clock,
            propagator: self.propagator,
            concurrency: self.concurrency,
            runtime: has_tasks.then(|| Runtime::current(&mut tasks)),
        }));
        let flows = Arc::new(ServedFlows::new(self.served, &core).await?);
        for flow in flows.iter() {
            if let Some(limits) = flow.flow.limits() {
                limit_served(&core, flow.flow.table().name, limits).await?;
            }
        }
        let claims = flows.iter().map(|flow| flow.claim(usize::MAX));
        core.store.forget_refusals(claims.collect()).await?;
        let tasks = Arc::new(OwnTasks {
            core: Arc::clone(&core),
            tasks: Mutex::new(tasks),
            tellers: Mutex::default(),
        });
        core.handle_is(WeakEngine::of(&flows, &tasks));
        let engine = Engine { core, flows, tasks };
        let rules = self.retention.iter().map(|rule| rule.rule(&engine));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        let has_rules = !rules.is_empty();
        engine.core.retains(Rules::new(rules, self.sweep_every));
        let Engine { core, flows, tasks } = engine.clone();
        // Before anything happens that they are to be told of.
        let functions = subscribe(&core, &flows, self.changes).await?;
        for function in functions {
            let (core, engine) = (Arc::clone(&core), WeakEngine::new(&flows, &tasks));
            lock(&tasks.tellers).spawn(keep_alive("changes", move || {
                tell(Arc::clone(&core), engine.clone(), function.clone())
            }));
        }
        if serves {
            spawn_tasks(&core, &flows, &tasks, has_rules);
        }
        Ok(engine)
    }
}
