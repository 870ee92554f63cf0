//! The engine's own tasks: one claims what is due, one keeps the leases.

use std::{
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{AbortHandle, Abortable, Either, select},
};

use super::{
    turn::{Post, Service, Turn},
    turn_journal::TurnJournal,
};
use crate::engine::{
    Inner, Running,
    concurrency::{Limiter, Permit},
    news::TurnEnd,
};
use crate::{
    base::{clock, clock::Clock, sync::lock},
    interpreter::Ask,
    store::{
        Claim, Due, ErrorKind, Message, Renew, Renewal, Saved, StoreError, Taken, Target, Then,
    },
};

/// At most this many executions are claimed at once, with their trees.
const BATCH: usize = 64;

/// How long the dispatcher waits after the store failed, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// The places of one claim.
struct Places {
    all: Vec<Permit>,
    own: Vec<Vec<Permit>>,
}

/// Claims what is due, for as long as the engine lives.
pub(in crate::engine) async fn dispatch(inner: Arc<Inner>, services: Vec<Arc<Service>>) {
    let mut pause = PAUSES.0;
    while !inner.is_draining() {
        inner.until_due().await;
        loop {
            let all = inner.places().await;
            if inner.is_draining() {
                return;
            }
            match inner.claim(&services, all).await {
                Ok(more) => {
                    pause = PAUSES.0;
                    if !more {
                        break;
                    }
                }
                Err(error) => {
                    if !error.kind().is_transient() {
                        tracing::error!(%error, "the store gives no work");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (2 * pause).min(PAUSES.1);
                }
            }
        }
    }
}

impl Inner {
    /// Ends when something may be due.
    async fn until_due(&self) {
        loop {
            let nudged = self.nudge.notified();
            let room = self.limiter.changed();
            let due = *lock(&self.due);
            let now = self.clock.now();
            if due.is_some_and(|due| due <= now) {
                return;
            }
            let until = match &self.clock {
                // A test's clock would never stop if somebody slept by it over and over.
                Clock::Test(_) => due,
                Clock::System => {
                    let poll = clock::add(now, self.poll);
                    Some(due.map_or(poll, |due| due.min(poll)))
                }
            };
            let sleep = async {
                match until {
                    Some(until) => self.clock.sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            // Executions may be due that one flow's own bound has left.
            let room = async {
                if self.starved.load(Ordering::Relaxed) {
                    room.await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            let (sleep, nudged, room) = (pin!(sleep), pin!(nudged), pin!(room));
            match select(select(sleep, room), nudged).await {
                Either::Left(_) => return,
                Either::Right(_) => {}
            }
        }
    }

    /// Ends when there is room for an execution, with as many places as there are.
    async fn places(&self) -> Vec<Permit> {
        loop {
            self.limiter.freed().await;
            let places = some(&self.limiter, BATCH);
            if !places.is_empty() {
                return places;
            }
        }
    }

    /// Claims as many as there are places, and begins their turns. Whether more may be due.
    async fn claim(
        self: &Arc<Self>,
        services: &[Arc<Service>],
        all: Vec<Permit>,
    ) -> Result<bool, StoreError> {
        let own: Vec<Vec<Permit>> = services
            .iter()
            .map(|service| match &service.limit {
                Some(limit) => some(limit, all.len()),
                None => Vec::new(),
            })
            .collect();
        let bounded = |(service, own): (&Arc<Service>, &Vec<Permit>)| {
            service.limit.is_some() && own.len() < all.len()
        };
        let starved = services.iter().zip(&own).any(bounded);
        self.starved.store(starved, Ordering::Relaxed);
        let flows = services
            .iter()
            .zip(&own)
            .map(|(service, own)| {
                let most = match service.limit {
                    Some(_) => own.len(),
                    None => all.len(),
                };
                service.claim(most)
            })
            .filter(|flow| flow.limit > 0)
            .collect();
        let mut places = Places { all, own };
        let limit = places.all.len();
        // What comes from now on is not in this claim.
        *lock(&self.due) = None;
        *lock(&self.strays) = Some(Vec::new());
        let claimed = self
            .store
            .claim(Claim {
                worker: self.worker.clone(),
                lease: self.lease,
                flows,
                limit,
            })
            .await;
        let claimed = claimed.inspect_err(|_| {
            *lock(&self.strays) = None;
            self.alarm(Some(self.clock.now()));
        })?;
        // By the store's clock; the engine sleeps by its own.
        if let Some(next) = claimed.next_due {
            let local = match clock::after(claimed.now, next) {
                Some(left) => clock::add(self.clock.now(), left),
                None => self.clock.now(),
            };
            self.alarm(Some(local));
        }
        let count = claimed.taken.len();
        for taken in claimed.taken {
            self.take_up(taken, services, &mut places);
        }
        let strays = lock(&self.strays).take();
        for (id, number, message) in strays.into_iter().flatten() {
            self.bring(&id, number, message);
        }
        let more = claimed.next_due.is_some_and(|next| next <= claimed.now);
        Ok(more && count > 0)
    }

    fn take_up(self: &Arc<Self>, taken: Taken, services: &[Arc<Service>], places: &mut Places) {
        let service = self.services.get(&*taken.info.flow);
        let Some((service, place)) = service.zip(places.all.pop()) else {
            // The store gave what was not asked for; it goes to somebody else when the lease ends.
            tracing::error!(execution = taken.info.id, "claimed, and can't be run");
            return;
        };
        let index = services
            .iter()
            .position(|other| Arc::ptr_eq(other, service));
        let own = index
            .and_then(|index| places.own[index].pop())
            .or_else(|| service.limit.as_ref().map(Limiter::admit));
        let lapsed = taken.from.as_ref() == Some(&self.worker);
        if let Some(from) = &taken.from {
            tracing::info!(
                execution = taken.info.id,
                from,
                "taken over: its lease had ended"
            );
        }
        let id: Arc<str> = taken.info.id.as_str().into();
        let target = Target::Held(taken.lease);
        let journal = TurnJournal::new(Arc::clone(self), id, target, None);
        let journal = Arc::new(journal);
        let post = Arc::new(Post::default());
        let undo = taken
            .messages
            .iter()
            .any(|(_, message)| *message == Message::Undo);
        for (number, message) in taken.messages {
            post.bring(&journal, number, message);
        }
        let turn = Turn {
            journal,
            saved: Saved {
                info: taken.info,
                input: taken.input,
                nodes: taken.nodes,
            },
            post,
            undo,
            lapsed,
        };
        self.spawn(service, turn, (place, own));
    }

    /// Ends when that turn has.
    async fn left(&self, number: u64) {
        loop {
            let rested = self.rested.notified();
            if !lock(&self.running).contains_key(&number) {
                return;
            }
            rested.await;
        }
    }

    /// Begins a turn, on a task of its own.
    pub(in crate::engine) fn spawn(
        self: &Arc<Self>,
        service: &Arc<Service>,
        turn: Turn,
        places: (Permit, Option<Permit>),
    ) {
        let number = self.turns.fetch_add(1, Ordering::Relaxed);
        let journal = Arc::clone(&turn.journal);
        let post = Arc::clone(&turn.post);
        let leaving = Leaving {
            inner: Arc::clone(self),
            number,
            journal: Arc::clone(&turn.journal),
            post: Arc::clone(&turn.post),
            places: Some(places),
        };
        let serve = Arc::clone(&service.serve);
        let (inner, lapsed) = (Arc::clone(self), turn.lapsed);
        let (abort, registration) = AbortHandle::new_pair();
        let mut running = lock(&self.running);
        // Its lease had ended while it was at work here, on a machine that is too busy: what is
        // at work can write no more, and must not meet its own successor.
        let older = lapsed.then(|| {
            let mut all = running.iter();
            all.find(|(_, older)| older.journal.id == journal.id)
        });
        let older = older.flatten().map(|(number, it)| (*number, it.clone()));
        let this = Running {
            journal,
            post,
            abort,
        };
        running.insert(number, this);
        // A runtime that is shutting down drops the task at once, which takes the lock.
        drop(running);
        let turn = async move {
            if let Some((number, older)) = older {
                older.post.ask(Ask::Suspend);
                inner.left(number).await;
            }
            let rest = AssertUnwindSafe(serve.turn(turn)).catch_unwind().await;
            leaving.leave(rest.unwrap_or_else(|_| {
                TurnEnd::StoreFailed(StoreError::new(ErrorKind::Other, "the engine panicked"))
            }));
        };
        tokio::spawn(Abortable::new(turn, registration));
    }
}

/// As many places as there are, up to `most`.
fn some(limiter: &Limiter, most: usize) -> Vec<Permit> {
    std::iter::from_fn(|| limiter.try_acquire())
        .take(most)
        .collect()
}

/// A turn that has not ended yet. With it ends the heartbeat of its lease.
struct Leaving {
    inner: Arc<Inner>,
    number: u64,
    journal: Arc<TurnJournal>,
    post: Arc<Post>,
    places: Option<(Permit, Option<Permit>)>,
}

impl Leaving {
    fn leave(mut self, rest: TurnEnd) {
        let (inner, journal) = (&self.inner, &self.journal);
        // Who is told of the end may begin another one at once.
        drop(self.places.take());
        // Without a lease it was not this engine's execution.
        let Some(_) = journal.lease() else { return };
        if let TurnEnd::StoreFailed(error) = &rest {
            tracing::error!(execution = &*journal.id, %error, "its records can't be written");
            if error.kind() == ErrorKind::Fenced {
                return;
            }
            let losses = inner.losses.fetch_add(1, Ordering::Relaxed).min(16);
            let pause = (PAUSES.0 * 2_u32.pow(losses)).min(inner.lease);
            tokio::spawn(give_back(Arc::clone(journal), pause));
        } else {
            inner.losses.store(0, Ordering::Relaxed);
        }
        self.post.close(journal, |late| {
            // What came too late for this turn has made the execution due again.
            if late {
                inner.alarm(Some(inner.clock.now()));
            }
            let is_over =
                !late || matches!(rest, TurnEnd::StoreFailed(_) | TurnEnd::Incompatible(_));
            inner
                .news
                .turn_ended(&journal.id, if is_over { rest } else { TurnEnd::Waiting });
        });
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        lock(&self.inner.running).remove(&self.number);
        drop(self.places.take());
        self.inner.rested.notify_waiters();
    }
}

/// Gives back a lease after the store failed, so that the execution need not wait for its end. It
/// is due again after a pause, which grows while the store takes no records: each turn may do the
/// effect of a step once more.
async fn give_back(journal: Arc<TurnJournal>, pause: Duration) {
    let inner = &journal.inner;
    let until = clock::add(inner.clock.now(), pause);
    let mut pause = PAUSES.0;
    let mut left = inner.lease;
    while let Some(less) = left.checked_sub(pause) {
        tokio::time::sleep(pause).await;
        let then = Then::Rest {
            due: Due::At(until),
            seen: 0,
        };
        match journal.give_back(then).await {
            Ok(()) => return inner.alarm(Some(until)),
            Err(error) if error.kind() == ErrorKind::Fenced => return,
            Err(_) => {}
        }
        (left, pause) = (less, (2 * pause).min(PAUSES.1));
    }
}

/// Keeps the leases of what runs here, and brings the messages that other processes left.
pub(in crate::engine) async fn heartbeat(inner: Arc<Inner>) {
    let mut pause = inner.lease / 3;
    loop {
        tokio::time::sleep(pause).await;
        pause = inner.lease / 3;
        let held: Vec<_> = lock(&inner.running)
            .values()
            .filter_map(|running| Some((running.journal.lease()?, running.clone())))
            .collect();
        if held.is_empty() {
            continue;
        }
        let renew = Renew {
            lease: inner.lease,
            held: held
                .iter()
                .map(|(lease, running)| (*lease, running.journal.newest()))
                .collect(),
        };
        match inner.store.renew(renew).await {
            Ok(renewals) => {
                for ((_, running), renewal) in held.into_iter().zip(renewals) {
                    match renewal {
                        Renewal::Held(messages) => {
                            for (number, message) in messages {
                                running.post.bring(&running.journal, number, message);
                            }
                        }
                        Renewal::Lost => {
                            let execution = &*running.journal.id;
                            tracing::warn!(execution, "somebody else has taken it over");
                            running.post.ask(Ask::Suspend);
                        }
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "the leases can't be renewed");
                pause = inner.lease / 10;
            }
        }
    }
}
