//! The handles on one execution: finding it, and reading what is recorded of it.

use std::{
    fmt,
    marker::PhantomData,
    ops::Deref,
    sync::{Arc, atomic::AtomicBool},
};

use crate::{
    engine::{Engine, EngineCore, error::EngineError, news::Listener},
    language::flow::Flow,
    model::{act::Operator, state::State, status::Status, table::Table, typed::FlowState},
    store::{ExecutionInfo, ExecutionQuery, StoreError, StoredExecution},
};

/// [Without counting steps](ExecutionQuery::brief).
pub(in crate::engine) const BRIEF: bool = true;

/// An execution of any flow. What needs the flow's type is in [`Execution`].
pub struct Handle {
    pub(super) engine: Engine,
    pub(super) id: Arc<str>,
    /// The table of its flow, if this program has it.
    pub(super) table: Option<&'static Table>,
    /// Who is recorded with what is done by this handle.
    pub(super) operator: Option<Operator>,
    /// Whether this handle started the execution, and its end was not asked for yet: then the end
    /// can't have come before this handle listened.
    pub(in crate::engine) is_first: AtomicBool,
    /// Keeps what is told of the execution from the start of this handle on.
    _listener: Listener,
}

/// An execution of the flow `F`: what [`Engine::start`] and [`Engine::execution`] return.
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
        Self {
            operator: self.operator.clone(),
            ..Self::new(self.engine.clone(), Arc::clone(&self.id), self.table)
        }
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

impl Engine {
    /// Returns a handle on the execution of this id, whatever its flow.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`] where there is none.
    pub async fn get(&self, id: impl Into<String>) -> Result<Handle, EngineError> {
        let id = id.into();
        match self.core.find(&id, BRIEF).await? {
            Some(info) => {
                let served = self.flows.get(&info.flow);
                let table = served.map(|(_, served)| served.flow.table());
                Ok(Handle::new(self.clone(), id.into(), table))
            }
            None => Err(EngineError::Unknown { id }),
        }
    }

    /// Returns a handle on the execution of this id, of the flow `F`:
    /// `engine.execution::<attach_volume>("req-42")`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`] where there is none, [`EngineError::OtherFlow`] where it is of
    /// another flow.
    pub async fn execution<F: Flow>(
        &self,
        id: impl Into<String>,
    ) -> Result<Execution<F>, EngineError> {
        let id = id.into();
        match self.core.find(&id, BRIEF).await? {
            Some(info) => {
                let execution = Execution::new(self.clone(), id.into());
                execution.check_flow(&info)?;
                Ok(execution)
            }
            None => Err(EngineError::Unknown { id }),
        }
    }
}

impl EngineCore {
    /// Returns what is known of an execution without its tree; with `brief`,
    /// [without counting its steps](ExecutionQuery::brief).
    pub(in crate::engine) async fn find(
        &self,
        id: &str,
        brief: bool,
    ) -> Result<Option<ExecutionInfo>, StoreError> {
        let query = ExecutionQuery {
            id: Some(id.to_owned()),
            brief,
            ..ExecutionQuery::default()
        };
        Ok(self.store.list(query).await?.pop())
    }
}

impl Handle {
    pub(in crate::engine) fn new(
        engine: Engine,
        id: Arc<str>,
        table: Option<&'static Table>,
    ) -> Self {
        let listener = engine.core.news.listen(&id);
        Self {
            engine,
            id,
            table,
            operator: None,
            is_first: AtomicBool::new(false),
            _listener: listener,
        }
    }

    /// The execution's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is known of it without its tree, with [how many](crate::store::StepCounts) of its steps are
    /// in which status.
    pub async fn info(&self) -> Result<ExecutionInfo, EngineError> {
        let found = self.engine.core.find(&self.id, !BRIEF).await?;
        found.ok_or_else(|| self.unknown())
    }

    /// The same, without counting its steps.
    pub(super) async fn brief(&self) -> Result<ExecutionInfo, EngineError> {
        let found = self.engine.core.find(&self.id, BRIEF).await?;
        found.ok_or_else(|| self.unknown())
    }

    /// What it is doing, by its last record.
    pub async fn status(&self) -> Result<Status, EngineError> {
        Ok(self.brief().await?.status)
    }

    /// Its tree as it is recorded now, untyped.
    pub async fn tree(&self) -> Result<State, EngineError> {
        self.tree_of(self.saved().await?)
    }

    /// What is recorded of it, all of it at one moment.
    pub(super) async fn saved(&self) -> Result<StoredExecution, EngineError> {
        let saved = self.engine.core.store.load(self.id.to_string()).await?;
        saved.ok_or_else(|| self.unknown())
    }

    pub(super) fn tree_of(&self, saved: StoredExecution) -> Result<State, EngineError> {
        saved.into_state().map_err(|error| EngineError::State {
            id: self.id.to_string(),
            error: Arc::new(error),
        })
    }

    pub(super) fn unknown(&self) -> EngineError {
        EngineError::Unknown {
            id: self.id.to_string(),
        }
    }
}

impl<F: Flow> Execution<F> {
    pub(in crate::engine) fn new(engine: Engine, id: Arc<str>) -> Self {
        Self {
            handle: Handle::new(engine, id, Some(F::TABLE)),
            flow: PhantomData,
        }
    }

    /// Its state as it is recorded now, typed.
    pub async fn state(&self) -> Result<FlowState<F::Fields>, EngineError> {
        Ok(FlowState::from(self.tree().await?))
    }

    pub(super) fn check_flow(&self, info: &ExecutionInfo) -> Result<(), EngineError> {
        if F::TABLE.answers_to(&info.flow) {
            return Ok(());
        }
        Err(EngineError::OtherFlow {
            id: self.id.to_string(),
            saved: info.flow.clone(),
            flow: F::TABLE.name,
        })
    }
}
