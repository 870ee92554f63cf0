//! What the store's notices have changed: who has to know looks here.

use std::{
    collections::HashSet,
    pin::pin,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::{Either, select};
use tokio::sync::Notify;

use crate::base::sync::lock;

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

    /// Sets it, and returns what it was.
    pub(super) fn set_listens(&self, listens: bool) -> bool {
        self.listens.swap(listens, Ordering::Relaxed)
    }

    /// Lets the heartbeat ask for the messages of an execution.
    pub(super) fn ask(&self, id: String) {
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

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::Heard;

    #[tokio::test]
    async fn the_heartbeat_waits_for_its_beat_or_for_those_it_is_to_ask_for() {
        let heard = Heard::default();
        assert_eq!(heard.until(ready(())).await, None);
        heard.ask("a".to_owned());
        heard.ask("b".to_owned());
        heard.ask("a".to_owned());
        let mut asked: Vec<String> = heard.until(pending()).await.unwrap().into_iter().collect();
        asked.sort();
        assert_eq!(asked, ["a", "b"]);
        assert_eq!(heard.until(ready(())).await, None);
    }
}
