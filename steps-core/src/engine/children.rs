//! Children of executions: what a line of a flow asks the engine that makes its run for.

use std::any::Any;

use super::{Engine, error::EngineError, handle::outcome::has_ended, of_step::WeakEngine};
use crate::{
    base::{error::StepError, future::BoxFuture},
    interpreter::cause_of,
    language::children::{ChildEnd, ChildError, ChildFailed, ChildRequest, NewChild, RunEngine},
    model::{failure::Failure, status::Status, table::Table},
    store::{ExecutionInfo, ExecutionQuery, StoreError},
};

impl From<StoreError> for ChildError {
    fn from(error: StoreError) -> Self {
        Self::Later(error.to_string())
    }
}

fn never(why: impl std::fmt::Display) -> ChildError {
    ChildError::Never(StepError::fatal(why.to_string()))
}

impl WeakEngine {
    fn of_run(&self) -> Result<Engine, ChildError> {
        let closed = || ChildError::Later(EngineError::Closed.to_string());
        self.engine().ok_or_else(closed)
    }
}

impl RunEngine for WeakEngine {
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn admit<'a>(
        &'a self,
        parent: &'a str,
        path: String,
        child: ChildRequest,
    ) -> BoxFuture<'a, Result<NewChild, ChildError>> {
        Box::pin(async move { self.of_run()?.admit(parent, &path, child).await })
    }

    fn end_of<'a>(
        &'a self,
        parent: &'a str,
        child: &'a str,
    ) -> BoxFuture<'a, Result<Option<ChildEnd>, ChildError>> {
        Box::pin(async move { self.of_run()?.end_of(parent, child).await })
    }

    fn take_back<'a>(&'a self, child: &'a str) -> BoxFuture<'a, Result<bool, ChildError>> {
        Box::pin(async move { self.of_run()?.take_back(child).await })
    }
}

impl Engine {
    async fn admit(
        &self,
        parent: &str,
        path: &str,
        child: ChildRequest,
    ) -> Result<NewChild, ChildError> {
        let ChildRequest {
            id,
            flow,
            input,
            labels,
            priority,
            begins,
        } = child;
        let Some((_, served)) = self.flows.get(flow) else {
            return Err(never(format_args!(
                "the engine that runs execution `{parent}` does not serve the flow `{flow}`, which \
                 its line `{path}` starts: add `.serve({flow}::with(…))`"
            )));
        };
        self.core
            .limits
            .check("input", Some(&input))
            .map_err(ChildError::Never)?;
        let id = match id {
            None => crate::base::id::new().to_string(),
            Some(id) => {
                if let Err(why) = crate::base::id::check(&id) {
                    return Err(never(EngineError::Id { id, why }));
                }
                if let Some(other) = self.stored(&id).await? {
                    let what = if other.parent.as_deref() == Some(parent) {
                        "that this one has started as well"
                    } else {
                        "of its own"
                    };
                    return Err(never(format_args!(
                        "can't start the child `{id}`: this id is that of an execution {what}, of \
                         the flow `{}`, which is {}. Give each child an id of its own, or none",
                        other.flow, other.status
                    )));
                }
                id
            }
        };
        Ok(NewChild {
            id,
            flow: served.flow.table().name,
            input,
            labels,
            priority,
            form: Some(served.form),
            begins,
        })
    }

    async fn end_of(&self, parent: &str, id: &str) -> Result<Option<ChildEnd>, ChildError> {
        let Some(info) = self.stored(id).await? else {
            return Err(never(format_args!(
                "the child `{id}` is gone: it was deleted before it was joined"
            )));
        };
        if info.parent.as_deref() != Some(parent) {
            return Err(never(format_args!(
                "execution `{id}` is no child of `{parent}`: only the execution that has started \
                 one can join it"
            )));
        }
        if !has_ended(&info) {
            return Ok(None);
        }
        if info.status == Status::Done {
            return Ok(Some(ChildEnd::Done(info.output)));
        }
        let saved = self.core.store.load(id.to_owned()).await?;
        let Some(saved) = saved.filter(|saved| has_ended(&saved.info)) else {
            // It goes on, or is gone: whoever is told next asks again.
            return Ok(None);
        };
        let (status, error) = (saved.info.status, saved.info.error.clone());
        let why = match (self.table_of(&saved.info), saved.into_state()) {
            (Some(table), Ok(state)) => Failure {
                flow: table.name,
                cause: cause_of(&state, table),
                state: state.into(),
            }
            .to_string(),
            _ => format!("it is {status}: {}", error.unwrap_or_default()),
        };
        let id = id.to_owned();
        Ok(Some(ChildEnd::NotDone(ChildFailed { id, why })))
    }

    async fn take_back(&self, id: &str) -> Result<bool, ChildError> {
        let Some(info) = self.stored(id).await? else {
            return Err(never(format_args!(
                "the child `{id}` is gone, and can't be undone: take back by hand what it did, and \
                 mark this line as undone"
            )));
        };
        match info.status {
            Status::Undone => return Ok(true),
            Status::Undoing => return Ok(false),
            Status::Stuck => {
                let why = self.end_of(info.parent.as_deref().unwrap_or_default(), id);
                let why = match why.await? {
                    Some(ChildEnd::NotDone(failed)) => failed.why,
                    _ => "it is stuck".to_owned(),
                };
                return Err(never(format_args!(
                    "the child `{id}` could not be undone: {why}"
                )));
            }
            _ => {}
        }
        let handle = match self.get(id).await {
            Ok(handle) => handle,
            Err(error) => return Err(ChildError::Later(error.to_string())),
        };
        match handle.undo().await {
            // Another process may have been faster.
            Ok(()) | Err(EngineError::Status { .. }) => Ok(false),
            // As of a nested flow, its pivot counts only there.
            Err(EngineError::PastPivot { pivot, .. }) => {
                tracing::warn!(
                    execution = id,
                    pivot,
                    "a child is past its pivot, and stays"
                );
                Ok(true)
            }
            Err(error) => Err(ChildError::Later(error.to_string())),
        }
    }

    async fn stored(&self, id: &str) -> Result<Option<ExecutionInfo>, StoreError> {
        let query = ExecutionQuery {
            id: Some(id.to_owned()),
            ..ExecutionQuery::default()
        };
        Ok(self.core.store.list(query).await?.pop())
    }

    fn table_of(&self, info: &ExecutionInfo) -> Option<&'static Table> {
        let served = self.flows.get(&info.flow);
        served.map(|(_, served)| served.flow.table())
    }
}
