//! Executions on an engine and a store, cut off at the store.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    ended::Ended,
    plan::{Source, Stage, Trial},
    report::Violation,
};
use crate::{
    engine::{Builder, Engine, EngineError},
    language::flow::Flow,
    model::state::State,
    run::with::{Input, With},
    store::{Store, StoreError},
    testing::{CutStore, Lab},
};

/// How long, by the system's clock, an execution may take to its end, or a dead engine's tasks to
/// theirs.
const PATIENCE: Duration = Duration::from_mins(1);

/// The lease by a lab's clock, which jumps over it.
const LEASE: Duration = Duration::from_hours(1);

/// A flow, and the databases it is run on.
pub(super) struct OnStore<'a, M, R, D, O> {
    pub(super) flow: &'a M,
    pub(super) input: &'a R,
    pub(super) make: D,
    pub(super) open: O,
    /// The lease, where the store has a clock of its own.
    pub(super) real: Option<Duration>,
    /// What engines serve as well.
    pub(super) also: &'a [Also],
}

/// Lets an engine serve another flow.
pub(super) type Also = Box<dyn Fn(&Lab, Builder) -> Builder>;

impl<M, R, D, O, F, B, S> Stage for OnStore<'_, M, R, D, O>
where
    M: Fn(&Lab) -> With<F>,
    R: Fn() -> Input<F>,
    D: Fn(&Lab) -> B,
    O: AsyncFn(&B) -> Result<S, StoreError>,
    F: Flow,
    F::Owned: Send + Sync,
    S: Store,
{
    const SOURCES: &'static [Source] = &[Source::Store];
    const SMALL: usize = 0;

    async fn run(&self, trial: &Trial<'_>, alone: Option<&Ended>) -> Result<Ended, Violation> {
        let lab = trial.lab();
        let database = (self.make)(&lab);
        let id = format!("explored-{}", Uuid::now_v7());
        let mut cuts = trial.cuts.iter().copied();
        let what = loop {
            let cut = cuts.next();
            let store = match (self.open)(&database).await {
                Ok(store) => CutStore::new(store).cut_at(cut),
                Err(error) => break format!("the store can't be opened: {error}"),
            };
            match self.process(&store, &lab, &id).await {
                Ok(None) => {}
                Ok(Some(state)) => {
                    return Ok(Ended {
                        commits: store.calls(),
                        claims: store.claims(),
                        missed: cut.is_some(),
                        state,
                        lab,
                    });
                }
                Err(what) => break what,
            }
        };
        Err(trial.broken(what, &lab, String::new(), alone))
    }
}

impl<M, R, D, O> OnStore<'_, M, R, D, O> {
    /// Runs an engine until it dies, or until the execution has ended: then this gives its tree.
    async fn process<F, S>(
        &self,
        store: &CutStore<S>,
        lab: &Lab,
        id: &str,
    ) -> Result<Option<State>, String>
    where
        M: Fn(&Lab) -> With<F>,
        R: Fn() -> Input<F>,
        F: Flow,
        F::Owned: Send + Sync,
        S: Store,
    {
        let came = {
            let struck = pin!(store.struck());
            let ended = pin!(timeout(PATIENCE, self.execute(store.clone(), lab, id)));
            // Dropped with all its handles, as a process that dies drops it.
            match select(struck, ended).await {
                Either::Left(_) => Ok(None),
                Either::Right((Ok(ended), _)) => ended.map(Some),
                Either::Right((Err(_), _)) => Err(format!("it has not ended after {PATIENCE:?}")),
            }
        };
        // What it was at must not go on beside the next process.
        let dead = async {
            while !store.is_alone() {
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
        };
        match timeout(PATIENCE, dead).await {
            Ok(()) => came,
            Err(_) => Err(came
                .err()
                .unwrap_or_else(|| "a dead engine goes on".to_owned())),
        }
    }

    /// Starts the execution, or finds it started, and waits for its end.
    async fn execute<F, S>(&self, store: CutStore<S>, lab: &Lab, id: &str) -> Result<State, String>
    where
        M: Fn(&Lab) -> With<F>,
        R: Fn() -> Input<F>,
        F: Flow,
        F::Owned: Send + Sync,
        S: Store,
    {
        let text = |error: EngineError| format!("the engine fails: {error}");
        let engine = Engine::with_store(store).serve((self.flow)(lab));
        let also = self.also.iter();
        let engine = also.fold(engine, |engine, serve| serve(lab, engine));
        let engine = match self.real {
            Some(lease) => engine.lease(lease),
            None => engine.lease(LEASE).clock(Arc::new(lab.clock().clone())),
        };
        let engine = engine.start().await.map_err(text)?;
        let execution = engine.start((self.input)()).id(id).await.map_err(text)?;
        match execution.outcome().await {
            Ok(_) | Err(EngineError::Failed { .. }) => {}
            Err(error) => return Err(text(error)),
        }
        // Its end may have been recorded by an engine that died before it gave back its lease.
        loop {
            let info = execution.info().await.map_err(text)?;
            if info.due.is_none() && info.worker.is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        execution.tree().await.map_err(text)
    }
}
