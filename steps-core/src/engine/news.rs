//! Notifies the callers in this process that wait for an execution.
//!
//! A [`Listener`] receives the end of each turn of one execution, and a [`Watcher`] each of its
//! records, so that they do not have to poll the store all the time. They do not receive changes by other processes,
//! so a waiting caller also polls the store from time to time, with the pauses of [`longer`].

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::{
    base::{clock::Clock, json::Json, sync::lock},
    model::failure::Failure,
    store::StoreError,
};

/// How a turn ended.
#[derive(Clone, Debug)]
pub(crate) enum TurnEnd {
    /// The execution waits, or is due again.
    Waiting,
    /// It is done, with this output.
    Done(Option<Json>),
    /// It ended otherwise: failed, undone, stuck or stopped.
    NotDone(Box<Failure>),
    /// Somebody has ended it by force; the store has how.
    ByForce,
    /// It does not fit this program, for this reason.
    Incompatible(String),
    /// The store took no more records.
    StoreFailed(StoreError),
}

/// The listeners in this process, by the id of their execution.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// An entry exists as long as there is a listener.
    channels: Mutex<HashMap<Arc<str>, Channel>>,
    /// How many watchers there are, of any execution. While there is none, as mostly, a record is no
    /// news.
    watchers: AtomicUsize,
    /// Is notified of each write, for those who tell changes of statuses.
    written: watch::Sender<()>,
}

/// The news of one execution.
#[derive(Debug)]
struct Channel {
    /// How its last turn here ended; `None` if the execution has continued since.
    turn_ends: watch::Sender<Option<TurnEnd>>,
    /// Grows with each record; there since somebody watches.
    records: Option<watch::Sender<u64>>,
}

/// Receives how the turns of one execution end.
#[derive(Debug)]
pub(crate) struct Listener {
    id: Arc<str>,
    pub(crate) turn_ends: watch::Receiver<Option<TurnEnd>>,
    news: Arc<News>,
}

/// Receives each record of one execution.
#[derive(Debug)]
pub(crate) struct Watcher {
    pub(crate) records: watch::Receiver<u64>,
    /// Keeps the execution's channel.
    listener: Listener,
}

impl News {
    /// Listens to the ends of one execution's turns.
    pub(crate) fn listen(self: &Arc<Self>, id: &Arc<str>) -> Listener {
        self.subscribe(id, |_| ()).0
    }

    /// Listens to the records of one execution: those that are safe after this call.
    pub(crate) fn watch(self: &Arc<Self>, id: &Arc<str>) -> Watcher {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        let records = |channel: &mut Channel| {
            let records = channel.records.get_or_insert_with(|| watch::channel(0).0);
            records.subscribe()
        };
        let (listener, records) = self.subscribe(id, records);
        Watcher { records, listener }
    }

    fn subscribe<T>(
        self: &Arc<Self>,
        id: &Arc<str>,
        more: impl FnOnce(&mut Channel) -> T,
    ) -> (Listener, T) {
        let mut channels = lock(&self.channels);
        let channel = channels.entry(Arc::clone(id)).or_insert_with(|| Channel {
            turn_ends: watch::channel(None).0,
            records: None,
        });
        let listener = Listener {
            id: Arc::clone(id),
            turn_ends: channel.turn_ends.subscribe(),
            news: Arc::clone(self),
        };
        (listener, more(channel))
    }

    /// Receives each write of this process, from now on.
    pub(crate) fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    /// Notifies those who tell changes of a write.
    pub(crate) fn wrote(&self) {
        if self.written.receiver_count() > 0 {
            self.written.send_replace(());
        }
    }

    /// Notifies the watchers of a record.
    pub(crate) fn recorded(&self, id: &str) {
        self.wrote();
        if self.watchers.load(Ordering::SeqCst) == 0 {
            return;
        }
        if let Some(channel) = lock(&self.channels).get(id) {
            channel.recorded();
        }
    }

    /// Notifies the listeners of a turn's end.
    pub(crate) fn turn_ended(&self, id: &str, end: TurnEnd) {
        self.wrote();
        if let Some(channel) = lock(&self.channels).get(id) {
            channel.recorded();
            channel.turn_ends.send_replace(Some(end));
        }
    }

    /// Clears how the last turn ended, because the execution continues.
    pub(crate) fn goes_on(&self, id: &str) {
        if let Some(channel) = lock(&self.channels).get(id) {
            channel
                .turn_ends
                .send_if_modified(|end| end.take().is_some());
        }
    }
}

impl Channel {
    fn recorded(&self) {
        if let Some(records) = &self.records {
            records.send_modify(|count| *count += 1);
        }
    }
}

impl Watcher {
    /// Waits until then, or until the execution has ended here.
    pub(crate) async fn rest_until(&mut self, time: tokio::time::Instant) {
        let ends = &mut self.listener.turn_ends;
        let ended = async {
            loop {
                let end = ends.borrow_and_update().clone();
                if end.is_some_and(|end| !matches!(end, TurnEnd::Waiting)) {
                    return;
                }
                if ends.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        select(pin!(tokio::time::sleep_until(time)), pin!(ended)).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut channels = lock(&self.news.channels);
        // The receiver of this listener still counts.
        if channels
            .get(&self.id)
            .is_some_and(|channel| channel.turn_ends.receiver_count() <= 1)
        {
            channels.remove(&self.id);
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let watchers = &self.listener.news.watchers;
        watchers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits for news for at most `pause`; then the caller must ask the store. With a test's clock
/// there is no limit. Returns whether there was news.
pub(crate) async fn heard<T>(
    news: &mut watch::Receiver<T>,
    clock: &Clock,
    pause: Duration,
) -> bool {
    let pause = clock.until_due_or(None, clock.moment().after(pause));
    let news = async {
        // The sender exists as long as there is a listener.
        if news.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    matches!(select(pin!(pause), pin!(news)).await, Either::Right(_))
}

/// Returns the next pause: the longer the wait without news, the less often the store is asked.
pub(crate) fn longer(pause: Duration) -> Duration {
    (pause.saturating_mul(3) / 2)
        .min(Duration::from_secs(5))
        .max(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_seconds_from_whatever_they_were() {
        let ms = Duration::from_millis;
        for (pause, next) in [
            (Duration::ZERO, Duration::ZERO),
            (ms(200), ms(300)),
            (ms(4000), ms(5000)),
            (ms(5000), ms(5000)),
            (ms(60_000), ms(60_000)),
            (Duration::MAX, Duration::MAX),
        ] {
            assert_eq!(longer(pause), next);
        }
    }
}
