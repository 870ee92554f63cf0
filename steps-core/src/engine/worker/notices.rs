//! What the store tells of what others have left in it: the dispatcher looks for what is due, and the heartbeat for
//! the messages of one execution, sooner than they would have by themselves.
//!
//! Nothing depends on a notice: what none has told is found by the poll, and by the heartbeat.

use std::{
    collections::HashSet,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use tokio::sync::Notify;

use super::{engine_core::EngineCore, served::ServedFlows};
use crate::{
    base::{chance::chance, clock::Moment, sync::lock},
    store::Notice,
};

/// All processes get a notice at the same time, and one of them finds what is due: each waits for up to so long.
const SPREAD: Duration = Duration::from_millis(20);

/// Between two claims that notices have caused, however many come.
const BETWEEN: Duration = Duration::from_millis(50);

/// What notices have changed.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Whether the store tells what others leave there.
    listens: AtomicBool,
    /// The executions for which messages have come that the heartbeat is to ask for.
    asked: Mutex<HashSet<String>>,
    wake: Notify,
}

impl Heard {
    /// Returns whether the store tells what others leave there.
    pub(super) fn listens(&self) -> bool {
        self.listens.load(Ordering::Relaxed)
    }

    fn ask(&self, id: String) {
        lock(&self.asked).insert(id);
        self.wake.notify_one();
    }

    /// Waits for the beat, or until messages have come for executions that run here. Returns their ids then.
    pub(super) async fn until(&self, beat: impl Future<Output = ()>) -> Option<HashSet<String>> {
        let mut beat = pin!(beat);
        loop {
            match select(&mut beat, pin!(self.wake.notified())).await {
                Either::Left(_) => return None,
                Either::Right(_) => {
                    let asked = std::mem::take(&mut *lock(&self.asked));
                    if !asked.is_empty() {
                        return Some(asked);
                    }
                }
            }
        }
    }
}

/// Takes the store's notices in, until it has no more.
pub(crate) async fn hear(core: Arc<EngineCore>, flows: Arc<ServedFlows>) {
    let mut notices = core.store.notices();
    let mut last = None;
    while let Some(notice) = notices.next().await {
        match notice {
            Notice::Listening => {
                if !core.heard.listens.swap(true, Ordering::Relaxed) {
                    tracing::debug!("the store tells what others leave in it");
                }
                // It was not told what was left before.
                look(&core, &mut last);
            }
            Notice::Deaf => {
                if core.heard.listens.swap(false, Ordering::Relaxed) {
                    tracing::info!(
                        "the store does not tell at the moment what others leave in it; it is asked more often"
                    );
                }
                look(&core, &mut last);
            }
            Notice::Due { flow } => {
                if flows.get(&flow).is_some() {
                    look(&core, &mut last);
                }
            }
            Notice::Message { id } => {
                if !core.running.of(&id).is_empty() {
                    core.heard.ask(id);
                }
            }
        }
    }
    core.heard.listens.store(false, Ordering::Relaxed);
}

/// Lets the dispatcher look soon, a moment after the last time at the earliest.
fn look(core: &EngineCore, last: &mut Option<Moment>) {
    let now = core.clock.moment();
    let soon = now.after(SPREAD.mul_f64(chance()));
    let at = match *last {
        // That is to come, and is for all notices until then.
        Some(last) if last > now => last,
        Some(last) => soon.max(last.after(BETWEEN)),
        None => soon,
    };
    *last = Some(at);
    // Also where it was noted before: a claim that has begun since has cleared that.
    core.schedule.due_at(at);
}
