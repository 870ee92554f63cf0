//! The place of a turn, which is lent to others while a step of the turn waits for another execution.
//!
//! Without that, executions that wait for others could hold all places, and the others would never
//! begin. A step is noticed where it awaits the outcome of an execution in the turn's own task.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use futures_util::future::{Either, select};

use super::{mailbox::Mailbox, served::Place};
use crate::{
    base::sync::lock,
    engine::{concurrency::Limiter, error::EngineError},
    language::cx::CancelReason,
};

tokio::task_local! {
    static TURN: Arc<TurnPlace>;
}

/// How long a turn waits for a place after its wait. Then it goes on without: what holds the places
/// may be waiting for it, as for a lock that its step holds.
const PATIENCE: Duration = Duration::from_secs(1);

/// The place of a turn.
pub(crate) struct TurnPlace {
    in_engine: Limiter,
    in_flow: Option<Limiter>,
    mailbox: Arc<Mailbox>,
    held: Mutex<Held>,
}

struct Held {
    /// `None` while it is lent, and after the turn.
    place: Option<Place>,
    /// How many steps of the turn wait for other executions.
    waits: usize,
    ended: bool,
}

impl TurnPlace {
    pub(crate) fn new(
        place: Place,
        in_engine: Limiter,
        in_flow: Option<Limiter>,
        mailbox: Arc<Mailbox>,
    ) -> Arc<Self> {
        Arc::new(Self {
            in_engine,
            in_flow,
            mailbox,
            held: Mutex::new(Held {
                place: Some(place),
                waits: 0,
                ended: false,
            }),
        })
    }

    /// Makes this the place of what is awaited in `turn`.
    pub(crate) async fn of<T>(self: Arc<Self>, turn: impl Future<Output = T>) -> T {
        TURN.scope(self, turn).await
    }

    /// Gives the place back for good, as the turn ends.
    pub(crate) fn give_back(&self) {
        let place = {
            let mut held = lock(&self.held);
            held.ended = true;
            held.place.take()
        };
        drop(place);
    }

    fn lend(&self) -> Lent<'_> {
        let place = {
            let mut held = lock(&self.held);
            held.waits += 1;
            held.place.take()
        };
        drop(place);
        Lent {
            turn: self,
            again: None,
        }
    }

    /// Takes a place again, if there is one in time.
    async fn take_again(&self) -> Option<Place> {
        let place = async {
            loop {
                let room = self.in_engine.changed();
                match Place::try_take(&self.in_engine, self.in_flow.as_ref()) {
                    Some(place) => return place,
                    None => room.await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, place).await.ok()
    }

    /// Returns why a step must not wait any longer, when that is so.
    async fn called_off(&self) -> CancelReason {
        match self.mailbox.run() {
            Some(run) => run.called_off().await,
            None => std::future::pending().await,
        }
    }
}

/// A wait, until whose end the place is lent. Where several steps of a turn wait, it is lent until
/// the last has ended, as the others may depend on it.
struct Lent<'t> {
    turn: &'t TurnPlace,
    again: Option<Place>,
}

impl Lent<'_> {
    async fn end(mut self) {
        if lock(&self.turn.held).waits == 1 {
            self.again = self.turn.take_again().await;
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let TurnPlace {
            in_engine, in_flow, ..
        } = self.turn;
        let mut again = self.again.take();
        let mut held = lock(&self.turn.held);
        held.waits -= 1;
        if held.waits == 0 && !held.ended {
            let place = again.take();
            held.place = Some(place.unwrap_or_else(|| Place::admit(in_engine, in_flow.as_ref())));
        }
        drop(held);
        drop(again);
    }
}

/// Waits for the execution `id`. If the caller is a step, the place of its turn is lent meanwhile,
/// and a request to stop ends the wait.
///
/// # Errors
///
/// Those of `wait`, and [`EngineError::WaitCalledOff`].
pub(crate) async fn waiting_for<T>(
    id: &str,
    wait: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let mut wait = pin!(wait);
    let at_once = std::future::poll_fn(|task| Poll::Ready(wait.as_mut().poll(task))).await;
    if let Poll::Ready(ended) = at_once {
        return ended;
    }
    let Ok(turn) = TURN.try_with(Arc::clone) else {
        return wait.await;
    };
    let lent = turn.lend();
    let ended = match select(wait, pin!(turn.called_off())).await {
        Either::Left((ended, _)) => ended,
        Either::Right((reason, _)) => Err(EngineError::WaitCalledOff {
            id: id.to_owned(),
            reason,
        }),
    };
    lent.end().await;
    ended
}
