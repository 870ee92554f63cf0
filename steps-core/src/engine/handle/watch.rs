//! Following an execution: its states as a stream, read from the store whenever there is news.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, stream::FusedStream};
use tokio::time::Instant;

use super::{execution::Execution, outcome::Patience};
use crate::{
    base::{clock::Moment, future::BoxFuture},
    engine::{
        error::EngineError,
        news::{Watcher, longer},
        worker::turn_place::waiting_for,
    },
    language::flow::Flow,
    model::{
        state::{Change, State},
        typed::FlowState,
    },
};

/// How long a watcher rests after a look, for each row that it has read. Reading one and comparing it takes
/// some microseconds, so watching takes a tenth of a core or so, however large the tree.
const PER_ROW: Duration = Duration::from_micros(20);

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
    /// The next look; none once the execution has ended.
    next: Option<BoxFuture<'static, (Result<Look, EngineError>, Follower<F>)>>,
    /// The state that was returned last.
    before: Option<State>,
}

impl<F: Flow> Execution<F> {
    /// Returns a stream of its states: the one now, and one after each change, with what changed.
    /// Changes that come faster than they are asked for are told together; so are those of a large
    /// execution within a moment, of 20 ms for 1,000 nodes, except for its end. It ends when the
    /// execution has, or with the error that it does not fit the program that took it up:
    /// [`EngineError::Incompatible`], unless this engine serves its flow in another version, which
    /// will take it up.
    pub fn watch(&self) -> Watch<F> {
        Watch::new(self.clone())
    }
}

/// An execution as it was found.
struct Look {
    state: State,
    /// Why nobody goes on with it, where that is so.
    misfit: Option<EngineError>,
}

/// Looks at an execution whenever there is news of it.
struct Follower<F: Flow> {
    execution: Execution<F>,
    watcher: Watcher,
    /// How long to wait for news; none before the first look.
    pause: Option<Duration>,
    /// Not before this is the next look, unless the execution has ended.
    rests: Option<Instant>,
    /// Since when it is left to a program of a newer form.
    left: Option<Moment>,
}

impl<F: Flow> Follower<F> {
    async fn look(mut self) -> (Result<Look, EngineError>, Self) {
        let id = Arc::clone(&self.execution.id);
        let look = waiting_for(&id, self.next()).await;
        (look, self)
    }

    async fn next(&mut self) -> Result<Look, EngineError> {
        let core = &self.execution.engine.core;
        let records = &mut self.watcher.records;
        self.pause = Some(match self.pause {
            Some(pause) if !core.heard(records, pause).await? => longer(pause),
            _ => core.poll,
        });
        // A test's clock stands still meanwhile.
        if let Some(rests) = self.rests.filter(|_| !core.clock.is_of_test()) {
            self.watcher.rest_until(rests).await;
        }
        self.watcher.records.mark_unchanged();
        let saved = self.execution.saved().await?;
        let rows = u32::try_from(saved.nodes.len()).unwrap_or(u32::MAX);
        self.rests = Instant::now().checked_add(PER_ROW.saturating_mul(rows));
        let own = self.execution.engine.core.own_form(F::FINGERPRINT);
        let misfit =
            self.execution
                .misfit(&saved.info, Patience::of(&saved.info, own), &mut self.left);
        if misfit.is_some() {
            // There may be no news any more: the next look is made at once.
            self.pause = None;
        }
        let state = self.execution.tree_of(saved)?;
        Ok(Look { state, misfit })
    }
}

impl<F: Flow> Watch<F> {
    fn new(execution: Execution<F>) -> Self {
        let watcher = execution.engine.core.news.watch(&execution.id);
        let follower = Follower {
            execution,
            watcher,
            pause: None,
            rests: None,
            left: None,
        };
        Self {
            next: Some(Box::pin(follower.look())),
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
            let Poll::Ready((look, follower)) = next.as_mut().poll(cx) else {
                return Poll::Pending;
            };
            this.next = None;
            let Look { state, misfit } = match look {
                Ok(look) => look,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            let changes = match &this.before {
                None => Vec::new(),
                Some(before) => before.diff(&state),
            };
            let is_new = this.before.is_none() || !changes.is_empty();
            if let Some(misfit) = misfit
                && !is_new
            {
                return Poll::Ready(Some(Err(misfit)));
            }
            if !state.status.is_final() {
                this.next = Some(Box::pin(follower.look()));
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
