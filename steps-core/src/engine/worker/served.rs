//! The flows that an engine serves, with erased types, and the permits of their turns.

use std::{
    borrow::Cow,
    collections::HashMap,
    iter,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    engine_core::EngineCore,
    forms::Build,
    refusal::{Looked, look},
    turn::{Turn, take_turn},
};
use crate::{
    base::future::BoxFuture,
    engine::{
        concurrency::{Concurrency, Limiter, Permit},
        error::EngineError,
        news::TurnEnd,
    },
    language::flow::Flow,
    model::{flow_limits::FlowLimits, table::Table},
    run::with::With,
    store::{FlowClaim, Refuser, StoredExecution},
};

/// A flow and the values that it borrows, with its type erased.
pub(crate) trait ErasedFlow: Send + Sync {
    /// Returns its table.
    fn table(&self) -> &'static Table;
    /// Returns its fingerprint.
    fn fingerprint(&self) -> u64;
    /// Returns who refuses its executions in this build.
    fn refuser(&self, build: Build) -> Refuser;
    /// Returns what it is limited to over all processes.
    fn limits(&self) -> Option<&FlowLimits>;
    /// Returns whether it takes executions of newer forms.
    fn takes_newer(&self) -> bool;
    /// Compares one of its saved executions, and looks when it goes on.
    fn look<'a>(&'a self, core: &'a EngineCore, saved: StoredExecution) -> BoxFuture<'a, Looked>;
    /// Runs a turn of one of its executions.
    fn take_turn(self: Arc<Self>, turn: Turn) -> BoxFuture<'static, TurnEnd>;
}

impl<F: Flow> ErasedFlow for With<F>
where
    F::Owned: Send + Sync,
{
    fn table(&self) -> &'static Table {
        F::TABLE
    }

    fn fingerprint(&self) -> u64 {
        F::FINGERPRINT
    }

    fn refuser(&self, build: Build) -> Refuser {
        build.refuser::<F>()
    }

    fn limits(&self) -> Option<&FlowLimits> {
        self.flow_limits()
    }

    fn takes_newer(&self) -> bool {
        Self::takes_newer(self)
    }

    fn look<'a>(&'a self, core: &'a EngineCore, saved: StoredExecution) -> BoxFuture<'a, Looked> {
        Box::pin(look(self, core, saved))
    }

    fn take_turn(self: Arc<Self>, turn: Turn) -> BoxFuture<'static, TurnEnd> {
        Box::pin(async move { take_turn(&self, turn).await })
    }
}

/// A flow that is served.
pub(crate) struct ServedFlow {
    pub(crate) flow: Arc<dyn ErasedFlow>,
    /// The number of its form.
    pub(crate) form: i64,
    /// It, in this build.
    pub(crate) refuser: Refuser,
    /// The limit of its running turns, if it has its own bound.
    pub(crate) limiter: Option<Limiter>,
    /// Whether its own bound may have left due executions behind.
    pub(super) behind: AtomicBool,
    /// Whether it is paused or limited in the store, as far as is known here: then only a claim begins its
    /// executions, and the end of a turn of it may have made room for another.
    pub(crate) is_limited: Arc<AtomicBool>,
}

/// A permit for one turn; released on drop.
#[must_use = "it is given back at once"]
pub(crate) struct Place {
    _in_engine: Permit,
    _in_flow: Option<Permit>,
}

impl Place {
    pub(crate) fn new(in_engine: Permit, in_flow: Option<Permit>) -> Self {
        Self {
            _in_engine: in_engine,
            _in_flow: in_flow,
        }
    }

    /// Takes a place, if there is room in the engine and in the flow's own bound.
    pub(super) fn try_take(in_engine: &Limiter, in_flow: Option<&Limiter>) -> Option<Self> {
        // A permit that is taken and given back wakes those who wait for one.
        if in_flow.is_some_and(|flow| flow.free() == 0) {
            return None;
        }
        let in_engine = in_engine.try_acquire()?;
        let in_flow = match in_flow {
            None => None,
            Some(flow) => Some(flow.try_acquire()?),
        };
        Some(Self::new(in_engine, in_flow))
    }

    /// Takes a place even if there is no room.
    pub(super) fn admit(in_engine: &Limiter, in_flow: Option<&Limiter>) -> Self {
        Self::new(in_engine.admit(), in_flow.map(Limiter::admit))
    }
}

impl ServedFlow {
    /// Returns the flow's name and its former names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        names(self.flow.table())
    }

    /// Returns the part of a claim for this flow: at most `limit` executions.
    pub(crate) fn claim(&self, limit: usize) -> FlowClaim {
        FlowClaim {
            names: self.names().map(Cow::Borrowed).collect(),
            refuser: self.refuser,
            limit,
        }
    }

    /// Returns a permit for the first turn of a new execution, if there is room in the engine and in
    /// this flow's own bound, and nothing that is due waits for it.
    pub(crate) fn try_place(&self, core: &EngineCore) -> Option<Place> {
        let flow = self.limiter.as_ref().map_or(usize::MAX, Limiter::free);
        let others = core.limiter.free().min(flow).saturating_sub(1);
        let now = core.clock.moment();
        let is_held_up =
            self.behind.load(Ordering::Relaxed) || self.is_limited.load(Ordering::Relaxed);
        if is_held_up || core.schedule.is_behind(others, now) {
            return None;
        }
        Place::try_take(&core.limiter, self.limiter.as_ref())
    }
}

fn names(table: &'static Table) -> impl Iterator<Item = &'static str> {
    iter::once(table.name).chain(table.aliases.iter().copied())
}

/// All flows that an engine serves.
pub(crate) struct ServedFlows {
    all: Vec<ServedFlow>,
    /// The index in `all` for each name of a flow.
    by_name: HashMap<&'static str, usize>,
}

impl ServedFlows {
    /// Creates the set from the flows, each with its own bound if it has one, and keeps their forms.
    ///
    /// # Errors
    ///
    /// [`EngineError::DuplicateFlow`] if two flows have the same name or alias, and what the store
    /// returns.
    pub(crate) async fn new(
        flows: Vec<(Arc<dyn ErasedFlow>, Option<usize>)>,
        core: &EngineCore,
    ) -> Result<Self, EngineError> {
        let mut by_name = HashMap::new();
        for (index, (flow, _)) in flows.iter().enumerate() {
            for name in names(flow.table()) {
                if by_name.insert(name, index).is_some() {
                    return Err(EngineError::DuplicateFlow { name });
                }
            }
        }
        let mut all = Vec::new();
        for (flow, at_once) in flows {
            all.push(ServedFlow {
                form: core.form_of(flow.table(), flow.fingerprint()).await?,
                refuser: flow.refuser(core.build),
                flow,
                limiter: at_once.map(|most| core.limiter.beside(Concurrency::fixed(most))),
                behind: AtomicBool::new(false),
                is_limited: Arc::default(),
            });
        }
        Ok(Self { all, by_name })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ServedFlow> {
        self.all.iter()
    }

    /// Returns the flow with this name or alias, if it is served, and its index in the order of
    /// [`iter`](Self::iter).
    pub(crate) fn get(&self, name: &str) -> Option<(usize, &ServedFlow)> {
        let index = *self.by_name.get(name)?;
        Some((index, &self.all[index]))
    }
}
