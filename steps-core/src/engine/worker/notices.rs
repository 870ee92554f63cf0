//! What the store tells of what others have left in it: the dispatcher looks for what is due, and the heartbeat for
//! the messages of one execution, sooner than they would have by themselves.
//!
//! Nothing depends on a notice: what none has told is found by the poll, and by the heartbeat.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;

use super::{engine_core::EngineCore, served::ServedFlows};
use crate::{
    base::{chance::chance, clock::Moment},
    store::Notice,
};

/// All processes get a notice at the same time, and one of them finds what is due: each waits for up to so long.
const SPREAD: Duration = Duration::from_millis(20);

/// Between two claims that notices have caused, however many come.
const BETWEEN: Duration = Duration::from_millis(50);

/// Takes the store's notices in, until it has no more.
pub(crate) async fn hear(core: Arc<EngineCore>, flows: Arc<ServedFlows>) {
    let mut notices = core.store.notices();
    let mut last = None;
    while let Some(notice) = notices.next().await {
        match notice {
            Notice::Listening => {
                if !core.heard.set_listens(true) {
                    tracing::debug!("the store tells what others leave in it");
                }
                // It was not told what was left before.
                look(&core, &mut last);
            }
            Notice::Deaf => {
                if core.heard.set_listens(false) {
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
    core.heard.set_listens(false);
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
