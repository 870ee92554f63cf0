//! Children of executions: what a line of a flow asks the engine that makes its run for.

use std::{any::Any, sync::Arc};

use tracing::Span;

use super::{
    Engine, EngineCore, ServedFlows,
    error::EngineError,
    handle::{execution::BRIEF, messages::TO_BE_UNDONE, outcome::has_ended},
    of_step::WeakEngine,
};
use crate::{
    base::{error::StepError, future::BoxFuture},
    interpreter::{cause_of, pivot_of},
    language::children::{ChildEnd, ChildError, ChildRequest, NewChild, RunEngine},
    model::{
        failure::{ChildFailed, Failure},
        status::Status,
        table::Table,
    },
    store::{ExecutionInfo, Message, Queue, SendMessage, StoreError},
};

impl From<StoreError> for ChildError {
    fn from(error: StoreError) -> Self {
        Self::Later(error.to_string())
    }
}

fn never(why: impl std::fmt::Display) -> ChildError {
    ChildError::Never(StepError::fatal(why.to_string()))
}

/// What is needed of an engine for its children. It does not keep the engine at work: a call of a store
/// that is gone may never end.
struct Children {
    core: Arc<EngineCore>,
    flows: Arc<ServedFlows>,
}

impl WeakEngine {
    fn children(&self) -> Result<Children, ChildError> {
        let closed = || ChildError::Later(EngineError::Closed.to_string());
        let Engine { core, flows, .. } = self.engine().ok_or_else(closed)?;
        Ok(Children { core, flows })
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
        Box::pin(async move { self.children()?.admit(parent, &path, child).await })
    }

    fn end_of<'a>(
        &'a self,
        parent: &'a str,
        child: &'a str,
    ) -> BoxFuture<'a, Result<Option<ChildEnd>, ChildError>> {
        Box::pin(async move { self.children()?.end_of(parent, child).await })
    }

    fn take_back<'a>(&'a self, child: &'a str) -> BoxFuture<'a, Result<bool, ChildError>> {
        Box::pin(async move { self.children()?.take_back(child).await })
    }
}

impl Children {
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
                if let Some(other) = self.core.find(&id, BRIEF).await? {
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
            trace: self.core.context_of(&Span::current()),
        })
    }

    async fn end_of(&self, parent: &str, id: &str) -> Result<Option<ChildEnd>, ChildError> {
        let Some(info) = self.core.find(id, BRIEF).await? else {
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
        let Some(info) = self.core.find(id, BRIEF).await? else {
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
        // As of a nested flow, its pivot counts only there.
        if let Some(pivot) = self.pivot(&info).await? {
            tracing::warn!(
                execution = id,
                pivot,
                "a child is past its pivot, and stays"
            );
            return Ok(true);
        }
        let message = SendMessage {
            id: id.to_owned(),
            message: Message::Undo,
            if_status: TO_BE_UNDONE.to_vec(),
            if_taken: None,
            queue: Queue::Replace,
        };
        // In another status it has ended meanwhile, and whoever is told of that asks again.
        self.core.send(message).await?;
        Ok(false)
    }

    /// Returns the pivot that a child is past.
    async fn pivot(&self, info: &ExecutionInfo) -> Result<Option<String>, StoreError> {
        let Some(table) = self.table_of(info).filter(|table| table.has_pivot()) else {
            return Ok(None);
        };
        let saved = self.core.store.load_open(info.id.clone()).await?;
        let state = saved.and_then(|saved| saved.into_state().ok());
        Ok(state.and_then(|state| pivot_of(&state, table)))
    }

    fn table_of(&self, info: &ExecutionInfo) -> Option<&'static Table> {
        let served = self.flows.get(&info.flow);
        served.map(|(_, served)| served.flow.table())
    }
}
