//! The engine as its steps reach it: [`Cx::engine`].

use std::sync::{Arc, Weak};

use super::{Engine, OwnTasks, error::EngineError, worker::served::ServedFlows};
use crate::language::{children::RunEngine, cx::Cx};

/// An engine that does not keep itself at work: what its turns have of it.
#[derive(Clone)]
pub(super) struct WeakEngine {
    flows: Weak<ServedFlows>,
    tasks: Weak<OwnTasks>,
}

impl WeakEngine {
    /// Returns the engine as a run has it, which need not know what it is.
    pub(super) fn of(flows: &Arc<ServedFlows>, tasks: &Arc<OwnTasks>) -> Arc<dyn RunEngine> {
        Arc::new(Self::new(flows, tasks))
    }

    pub(super) fn new(flows: &Arc<ServedFlows>, tasks: &Arc<OwnTasks>) -> Self {
        Self {
            flows: Arc::downgrade(flows),
            tasks: Arc::downgrade(tasks),
        }
    }

    pub(super) fn engine(&self) -> Option<Engine> {
        let (flows, tasks) = (self.flows.upgrade()?, self.tasks.upgrade()?);
        let core = Arc::clone(&tasks.core);
        Some(Engine { core, flows, tasks })
    }
}

impl Cx {
    /// Returns the engine that runs this step, to start other executions on it, and to look after them.
    /// It is there from the first step on, also for executions that are taken up while the engine starts.
    ///
    /// It is one more handle: an engine is at work as long as there is one. So don't keep it for longer
    /// than the step takes.
    ///
    /// ```
    /// use steps::{Engine, prelude::*};
    ///
    /// #[step]
    /// async fn bill(cx: &Cx, user: &str) -> Result<u32, String> {
    ///     let engine = cx.engine().map_err(|e| e.to_string())?;
    ///     let id = format!("bill-{}", cx.execution());
    ///     let run = engine.start(charge::input(user.to_owned())).id(id).await;
    ///     run.map_err(|e| e.to_string())?.outcome().await.map_err(|e| e.to_string())
    /// }
    ///
    /// #[flow]
    /// async fn charge(user: String) -> Result<u32, String> {
    ///     steps! { let cents = user.len() as u32; }
    ///     Ok(cents)
    /// }
    ///
    /// #[flow]
    /// async fn order(user: String) -> Result<u32, String> {
    ///     steps! { billed = bill(cx, &user); }
    ///     Ok(billed)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::open("memory:").await?
    ///     .serve(order::with())
    ///     .serve(charge::with())
    ///     .start().await?;
    /// assert_eq!(engine.start(order::input("ann".into())).await?.outcome().await?, 3);
    ///
    /// // A run in memory has none.
    /// let failure = order("ann".into()).await.unwrap_err();
    /// assert!(failure.failed()[0].error.contains("without an engine"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EngineError::NoEngine`] in a run without an engine; [`EngineError::Closed`] if its last handle
    /// has been dropped.
    pub fn engine(&self) -> Result<Engine, EngineError> {
        let engine = self.host_engine();
        let Some(engine) = engine.and_then(|engine| engine.downcast_ref::<WeakEngine>()) else {
            return Err(EngineError::NoEngine {
                id: self.execution().to_owned(),
                path: self.path(),
            });
        };
        engine.engine().ok_or(EngineError::Closed)
    }
}

#[cfg(any(test, feature = "testing"))]
impl Engine {
    /// Returns the engine as a step's context has it.
    pub(crate) fn for_context(&self) -> Arc<dyn RunEngine> {
        WeakEngine::of(&self.flows, &self.tasks)
    }
}
