//! Following an execution: a stream of its states.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, stream::FusedStream};

use super::execution::longer;
use crate::engine::{EngineError, Execution, news::Ear};
use crate::{
    base::future::BoxFuture,
    language::flow::Flow,
    model::{
        state::{Change, State},
        typed::FlowState,
    },
};

/// One step of a [`Watch`].
#[non_exhaustive]
pub struct Watched<F: Flow> {
    /// The state as it is now.
    pub state: FlowState<F::Fields>,
    /// What changed since the one before; of the first, nothing.
    pub changes: Vec<Change>,
}

impl<F: Flow> fmt::Debug for Watched<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

/// The states of an execution, as a stream: see [`Execution::watch`].
///
/// [`next`](Self::next) is for code without a crate for streams.
#[must_use = "a stream does nothing until it is asked"]
#[allow(missing_debug_implementations)]
pub struct Watch<F: Flow> {
    next: Option<BoxFuture<'static, (Result<State, EngineError>, Eye<F>)>>,
    before: Option<State>,
}

struct Eye<F: Flow> {
    execution: Execution<F>,
    ear: Ear,
    /// How long to wait for news; none before the first look.
    pause: Option<Duration>,
}

impl<F: Flow> Eye<F> {
    async fn look(mut self) -> (Result<State, EngineError>, Self) {
        let poll = self.execution.engine.inner.poll;
        self.pause = Some(match self.pause {
            Some(pause) if !self.execution.heard(&mut self.ear.changes, pause).await => {
                longer(pause)
            }
            _ => poll,
        });
        self.ear.changes.mark_unchanged();
        let state = self.execution.tree().await;
        (state, self)
    }
}

impl<F: Flow> Watch<F> {
    pub(in crate::engine) fn new(execution: Execution<F>) -> Self {
        let ear = execution.engine.inner.hub.listen(&execution.id);
        let eye = Eye {
            execution,
            ear,
            pause: None,
        };
        Self {
            next: Some(Box::pin(eye.look())),
            before: None,
        }
    }

    /// The next state; none once the execution has ended.
    pub async fn next(&mut self) -> Option<Result<Watched<F>, EngineError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<F: Flow> Stream for Watch<F> {
    type Item = Result<Watched<F>, EngineError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let Some(next) = &mut this.next else {
                return Poll::Ready(None);
            };
            let Poll::Ready((state, eye)) = next.as_mut().poll(cx) else {
                return Poll::Pending;
            };
            this.next = None;
            let state = match state {
                Ok(state) => state,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            let changes = match &this.before {
                None => Vec::new(),
                Some(before) => before.diff(&state),
            };
            let is_new = this.before.is_none() || !changes.is_empty();
            if !state.status.is_final() {
                this.next = Some(Box::pin(eye.look()));
            }
            if is_new {
                this.before = Some(state.clone());
                let state = FlowState::from(state);
                return Poll::Ready(Some(Ok(Watched { state, changes })));
            }
        }
    }
}

impl<F: Flow> FusedStream for Watch<F> {
    fn is_terminated(&self) -> bool {
        self.next.is_none()
    }
}
