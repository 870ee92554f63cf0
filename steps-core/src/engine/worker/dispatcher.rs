//! The task that claims due executions and begins their turns.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::future::{Either, select};

use super::{
    engine_core::{EngineCore, STORE_PAUSES},
    served::{Place, ServedFlow, ServedFlows},
    trouble::Trouble,
    turn::Turn,
    turn_task,
};
use crate::{
    base::{
        chance::chance,
        clock::{Clock, Now, ServerClock, between},
        telemetry,
    },
    engine::concurrency::{Limiter, Permit},
    store::{Claim, HeldExecution, StoreError, Wait},
};

/// The most executions that one claim returns, each with its tree.
const BATCH: usize = 64;

/// So that a quarter can be added to it.
const LONGEST_POLL: Duration = Duration::from_hours(24 * 365);

/// Claims due executions until the engine is draining.
pub(crate) async fn dispatch(core: Arc<EngineCore>, flows: Arc<ServedFlows>) {
    let dispatcher = Dispatcher {
        core,
        flows,
        bounded_out: false,
    };
    dispatcher.run().await;
}

struct Dispatcher {
    core: Arc<EngineCore>,
    flows: Arc<ServedFlows>,
    /// Whether a flow's own bound limited the last claim.
    bounded_out: bool,
}

/// The permits that a claim may use.
struct FreePlaces {
    in_engine: Vec<Permit>,
    /// For each flow with its own bound; empty for the others.
    in_flows: Vec<Vec<Permit>>,
}

impl FreePlaces {
    /// Returns how many executions of this flow may be claimed.
    fn of(&self, index: usize, flow: &ServedFlow) -> usize {
        match flow.limiter {
            Some(_) => self.in_flows[index].len(),
            None => self.in_engine.len(),
        }
    }
}

impl Dispatcher {
    async fn run(mut self) {
        // Something may have been due before this task began.
        self.core.due_now();
        let mut pause = STORE_PAUSES.0;
        let trouble = Trouble::default();
        let mut is_first = true;
        while !self.core.is_draining() {
            self.until_due().await;
            loop {
                let in_engine = self.free_places().await;
                if self.core.is_draining() {
                    return;
                }
                let claimed = self.claim(in_engine).await;
                if std::mem::take(&mut is_first) {
                    self.core.has_claimed.notify_one();
                }
                match claimed {
                    Ok(more_is_due) => {
                        trouble.worked("the store gives work");
                        pause = STORE_PAUSES.0;
                        if !more_is_due {
                            break;
                        }
                    }
                    Err(error) => {
                        telemetry::store_failed("claim");
                        if !error.kind().is_transient() {
                            trouble.failed("the store gives no work", None, &error);
                        }
                        tokio::time::sleep(pause).await;
                        pause = (2 * pause).min(STORE_PAUSES.1);
                    }
                }
            }
        }
    }

    /// Waits until something may be due.
    async fn until_due(&self) {
        let core = &*self.core;
        loop {
            let woken = core.schedule.woken();
            let room = core.limiter.changed();
            let due = core.schedule.next_due();
            let now = core.clock.moment();
            if due.is_some_and(|due| due <= now) {
                return;
            }
            let sleep = core.clock.until_due_or(due, now.after(self.poll()));
            // The last claim may have left due executions because of a flow's own bound.
            let room = async {
                if self.bounded_out {
                    room.await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            let (sleep, woken, room) = (pin!(sleep), pin!(woken), pin!(room));
            match select(select(sleep, room), woken).await {
                Either::Left(_) => return,
                Either::Right(_) => {}
            }
        }
    }

    /// How long it may take until the store is asked again. Where it tells what others leave, processes ask at
    /// different times; it does not tell of the room that the end of an execution elsewhere makes behind a limit.
    fn poll(&self) -> Duration {
        let is_limited = |flow: &ServedFlow| flow.is_limited.load(Ordering::Relaxed);
        if self.core.heard.listens() && !self.flows.iter().any(is_limited) {
            let poll = self.core.poll_if_told.min(LONGEST_POLL);
            poll.mul_f64(0.75 + 0.5 * chance())
        } else {
            self.core.poll
        }
    }

    /// Waits until the engine has room, and returns a permit for each free place, up to `BATCH` and up
    /// to as many as are wanted.
    async fn free_places(&self) -> Vec<Permit> {
        let core = &self.core;
        loop {
            core.limiter.freed().await;
            let wanted = core.schedule.wanted(core.clock.moment());
            let places = up_to(wanted.min(BATCH), &core.limiter);
            if !places.is_empty() {
                return places;
            }
        }
    }

    /// Claims at most one execution for each permit, and begins their turns. Returns whether more
    /// may be due.
    async fn claim(&mut self, in_engine: Vec<Permit>) -> Result<bool, StoreError> {
        let limit = in_engine.len();
        let of_flow = |flow: &ServedFlow| match &flow.limiter {
            Some(limiter) => up_to(limit, limiter),
            None => Vec::new(),
        };
        let mut places = FreePlaces {
            in_flows: self.flows.iter().map(of_flow).collect(),
            in_engine,
        };
        let flows = self.flows.iter().enumerate();
        let claims = flows.map(|(index, flow)| flow.claim(places.of(index, flow)));
        let claims: Vec<_> = claims.collect();
        let limits: Vec<_> = claims.iter().map(|claim| claim.limit).collect();
        self.bounded_out = limits.iter().any(|of_flow| *of_flow < limit);

        let core = &*self.core;
        // This claim may miss work and messages that arrive from now on.
        let now = core.clock.read();
        core.schedule.claim_begins(limit, now.moment);
        let over = core.schedule.over(now.moment, BATCH);
        // What the wall clock shows to be due is found without a word.
        let unseen = over.iter().filter(|wait| wait.until > now.wall);
        let waited: Vec<Wait> = unseen.copied().collect();
        core.running.keep_undelivered();
        let asked = ServerClock::ask();
        let claimed = core.store.claim(Claim {
            worker: core.worker.clone(),
            lease: core.lease,
            flows: claims.into_iter().filter(|it| it.limit > 0).collect(),
            limit,
            waited: waited.clone(),
            ageing: core.ageing,
        });
        let claimed = claimed.await.inspect_err(|_| {
            core.running.take_undelivered();
            core.due_now();
            core.schedule.claim_ended();
        })?;
        if let Clock::Server(clock) = &core.clock {
            clock.answered(asked, claimed.now);
        }
        // These times are by the store's clock; the engine sleeps by its own clock.
        let now = Now {
            wall: claimed.now,
            ..core.clock.read()
        };
        if let Some(next) = claimed.next_due {
            core.schedule.due_at(now.deadline(next).moment);
        }
        if let Some(Wait { key, until }) = claimed.next_wait {
            core.schedule.waits(key, now.deadline(until));
        }
        if let Some(next) = core.schedule.next_over(now.moment) {
            core.schedule.due_at(next);
        }
        core.schedule.claim_ended();
        let next = claimed.next_due.filter(|next| *next <= claimed.now);
        let next = next.or(claimed.left.then_some(claimed.now));
        let left = next.map(|next| between(next, claimed.now));
        core.schedule
            .count_claimed(claimed.taken.len(), left, now.moment);
        self.note_limited(&limits, &claimed.limited);
        self.note_behind(&limits, &claimed.taken);
        let count = claimed.taken.len();
        for taken in claimed.taken {
            self.take_up(taken, &mut places, now);
        }
        let mut more = claimed.left || claimed.next_due.is_some_and(|next| next <= claimed.now);
        if count == limit || claimed.left || self.bounded_out {
            more |= !waited.is_empty();
        } else {
            // Somebody else has taken them, or they wait no longer.
            let seen = over.iter().filter(|wait| wait.until <= claimed.now);
            for wait in seen.chain(&waited) {
                core.schedule.taken(wait.key);
            }
        }
        core.deliver_kept();
        Ok(more && count > 0)
    }

    /// Notes which flows may have due executions that their own bounds kept from being claimed, by how
    /// many of each flow could be.
    fn note_behind(&self, limits: &[usize], taken: &[HeldExecution]) {
        let mut left = limits.to_vec();
        for execution in taken {
            if let Some((index, _)) = self.flows.get(&execution.info.flow) {
                left[index] = left[index].saturating_sub(1);
            }
        }
        for (flow, left) in self.flows.iter().zip(left) {
            let is_behind = flow.limiter.is_some() && left == 0;
            flow.behind.store(is_behind, Ordering::Relaxed);
        }
    }

    /// Notes which of the flows that were claimed are paused or limited in the store.
    fn note_limited(&self, limits: &[usize], limited: &[String]) {
        let claimed = self.flows.iter().zip(limits);
        for (flow, _) in claimed.filter(|(_, limit)| **limit > 0) {
            let is_limited = flow.names().any(|name| limited.iter().any(|of| of == name));
            flow.is_limited.store(is_limited, Ordering::Relaxed);
        }
    }

    /// Begins the turn of a claimed execution.
    fn take_up(&self, taken: HeldExecution, places: &mut FreePlaces, now: Now) {
        let served = self.flows.get(&taken.info.flow);
        let Some(((index, flow), in_engine)) = served.zip(places.in_engine.pop()) else {
            // The store returned an execution that was not asked for. Another process claims it
            // after the lease ends.
            tracing::error!(execution = taken.info.id, "claimed, and can't be run");
            return;
        };
        let in_flow = places.in_flows[index]
            .pop()
            .or_else(|| flow.limiter.as_ref().map(Limiter::admit));
        let name = flow.flow.table().name;
        let since = taken.was_due.unwrap_or(now.wall);
        telemetry::waited(name, between(since, now.wall));
        if taken.previous_worker.is_some() {
            telemetry::taken_over(name);
        }
        match &taken.previous_worker {
            Some(from) if *from == self.core.worker => tracing::warn!(
                execution = taken.info.id,
                "its lease had ended here, and it is taken up again; leases are too short for this \
                 machine's load"
            ),
            Some(from) => tracing::info!(
                execution = taken.info.id,
                from,
                "taken over: its lease had ended"
            ),
            None => {}
        }
        let known = self.core.schedule.taken(taken.lease.key);
        let due_by = known.map_or(now.wall, |known| known.shown(now.moment).max(now.wall));
        let turn = Turn::of_claimed(&self.core, taken, flow.form, due_by);
        turn_task::spawn(flow, turn, Place::new(in_engine, in_flow));
    }
}

/// Returns up to `most` permits, fewer if there is less room.
fn up_to(most: usize, limiter: &Limiter) -> Vec<Permit> {
    std::iter::from_fn(|| limiter.try_acquire())
        .take(most)
        .collect()
}
