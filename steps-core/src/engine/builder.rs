//! Putting an engine together: its store, its flows, its limits.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicU64},
    },
    time::Duration,
};

use tokio::{sync::Notify, task::JoinSet};
use uuid::Uuid;

use super::{
    Concurrency, Engine, EngineError, Inner, Life,
    concurrency::Limiter,
    news::News,
    worker::{
        dispatcher,
        turn::{Serve, Service},
    },
};
use crate::{
    base::{
        clock::{Clock, TestClock},
        sync::lock,
    },
    interpreter::RunLimits,
    language::flow::Flow,
    run::with::With,
    store::Store,
};

/// An engine that is being put together.
///
/// | method | default |
/// |---|---|
/// | [`serve`](Self::serve) | no flow: the engine only starts and looks after executions, which other processes run |
/// | [`concurrency`](Self::concurrency) | [`Concurrency::cores`] |
/// | [`lease`](Self::lease) | 10 s |
/// | [`poll`](Self::poll) | 200 ms |
/// | [`limits`](Self::limits) | [`RunLimits::DEFAULT`] |
#[must_use = "nothing runs before `.start()`"]
pub struct Builder {
    store: Arc<dyn Store>,
    served: Vec<(Arc<dyn Serve>, Option<usize>)>,
    concurrency: Concurrency,
    lease: Duration,
    poll: Duration,
    limits: RunLimits,
    clock: Clock,
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
    /// An engine on this store.
    pub fn on(store: impl Store) -> Builder {
        Self::on_shared(Arc::new(store))
    }

    /// An engine on a store that others use as well.
    pub fn on_shared(store: Arc<dyn Store>) -> Builder {
        Builder {
            store,
            served: Vec::new(),
            concurrency: Concurrency::default(),
            lease: Duration::from_secs(10),
            poll: Duration::from_millis(200),
            limits: RunLimits::DEFAULT,
            clock: Clock::System,
        }
    }
}

impl Builder {
    /// Runs executions of this flow: `.serve(attach_volume::with(cloud))`. Called for each flow.
    pub fn serve<F: Flow>(mut self, flow: With<F>) -> Self
    where
        F::Owned: Send + Sync,
    {
        let at_once = flow.at_once();
        self.served.push((Arc::new(flow), at_once));
        self
    }

    /// How many executions run at once: those that wait for a timer, a poll, a retry or a signal do
    /// not count. Of one flow alone: [`With::concurrency`].
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
    /// and signals; by default every 200 milliseconds. What happens in this process is known at
    /// once, and timers do not wait for it.
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll.max(Duration::from_millis(1));
        self
    }

    /// Bounds what each execution may hold.
    pub fn limits(mut self, limits: RunLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Takes the time from a test's clock, as [`Run::clock`](crate::Run::clock) does. Then the
    /// store is not asked for what other processes left.
    pub fn clock(mut self, clock: Arc<dyn TestClock>) -> Self {
        self.clock = Clock::Test(clock);
        self
    }

    /// Starts the engine, which takes up what is unfinished in the store. It works on the tokio
    /// runtime that this is called in.
    ///
    /// # Errors
    ///
    /// Where two flows have the same name, or the store can't be used.
    pub async fn start(self) -> Result<Engine, EngineError> {
        let limiter = Limiter::new(self.concurrency);
        let served: Vec<Arc<Service>> = self
            .served
            .into_iter()
            .map(|(serve, at_once)| {
                let limit = at_once.map(|n| limiter.beside(Concurrency::fixed(n)));
                Arc::new(Service { serve, limit })
            })
            .collect();
        let mut services: HashMap<&'static str, Arc<Service>> = HashMap::new();
        for service in &served {
            let (name, aliases) = service.serve.names();
            for name in std::iter::once(name).chain(aliases.iter().copied()) {
                if services.insert(name, Arc::clone(service)).is_some() {
                    return Err(EngineError::Twice { name });
                }
            }
        }
        let flows = served
            .iter()
            .map(|service| service.claim(usize::MAX))
            .collect();
        self.store.readmit(flows).await?;
        let inner = Arc::new(Inner {
            store: self.store,
            worker: format!("{}-{}", std::process::id(), Uuid::now_v7()),
            lease: self.lease,
            poll: self.poll,
            limits: self.limits,
            clock: self.clock,
            services,
            limiter,
            news: Arc::new(News::default()),
            running: Mutex::default(),
            strays: Mutex::default(),
            turns: AtomicU64::new(0),
            losses: AtomicU32::new(0),
            refused: Mutex::default(),
            rested: Notify::new(),
            nudge: Notify::new(),
            due: Mutex::new(None),
            starved: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        });
        let life = Arc::new(Life {
            inner: Arc::clone(&inner),
            tasks: Mutex::new(JoinSet::new()),
        });
        if !served.is_empty() {
            inner.alarm(Some(inner.clock.now()));
            let mut tasks = lock(&life.tasks);
            tasks.spawn(dispatcher::dispatch(Arc::clone(&inner), served));
            tasks.spawn(inner.limiter.adapt());
            tasks.spawn(dispatcher::heartbeat(Arc::clone(&inner)));
        }
        Ok(Engine { inner, life })
    }
}
