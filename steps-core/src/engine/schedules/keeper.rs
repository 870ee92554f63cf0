//! The task that makes the ticks of schedules whose flows this engine serves.

use std::{collections::HashSet, pin::pin, sync::Arc, time::Duration};

use futures_util::future::{select, select_all};
use jiff::Timestamp;

use super::{
    PREFIX,
    saved::{Saved, id_of},
};
use crate::{
    base::telemetry,
    engine::{
        handle::execution::BRIEF,
        news::Listener,
        worker::{
            engine_core::{EngineCore, STORE_PAUSES},
            served::ServedFlows,
            trouble::Trouble,
        },
    },
    model::schedule::Overlap,
    store::{Duty, DutyQuery, DutySet, SetDuty, StoreError},
};

/// How many due schedules are read at once.
const PAGE: usize = 100;

/// The shortest pause after which the store is asked for schedules of other processes.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

/// What there is to wait for.
#[derive(Default)]
struct Ahead {
    /// The next tick.
    next: Option<Timestamp>,
    /// Tell when an execution ends whose end a tick waits for.
    ends: Vec<Listener>,
}

/// Makes ticks until the engine is draining.
pub(in crate::engine) async fn keep_schedules(core: Arc<EngineCore>, flows: Arc<ServedFlows>) {
    let mut keeper = Keeper {
        core,
        flows,
        told: HashSet::new(),
    };
    let trouble = Trouble::default();
    let mut pause = STORE_PAUSES.0;
    while !keeper.core.is_draining() {
        match keeper.look().await {
            Ok(ahead) => {
                trouble.worked("the store gives schedules");
                pause = STORE_PAUSES.0;
                keeper.wait(ahead).await;
            }
            Err(error) => {
                telemetry::store_failed("schedules");
                if !error.kind().is_transient() {
                    trouble.failed("the store gives no schedules", None, &error);
                }
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(STORE_PAUSES.1);
            }
        }
    }
}

struct Keeper {
    core: Arc<EngineCore>,
    flows: Arc<ServedFlows>,
    /// The schedules that can't be read, and were told of.
    told: HashSet<String>,
}

impl Keeper {
    /// Makes all ticks that have come.
    async fn look(&mut self) -> Result<Ahead, StoreError> {
        let mut ahead = Ahead::default();
        let mut query = DutyQuery::named(PREFIX);
        query.due_until = Some(Timestamp::MAX);
        query.limit = Some(PAGE);
        loop {
            let page = self.core.store.duties(query.clone()).await?;
            query.after = page.last().cloned();
            let is_last = page.len() < PAGE;
            for duty in page {
                if self.core.is_draining() {
                    return Ok(ahead);
                }
                if duty.due.is_some_and(|due| due > self.core.clock.now()) {
                    ahead.next = earlier(ahead.next, duty.due);
                    return Ok(ahead);
                }
                self.make(duty, &mut ahead).await?;
            }
            if is_last {
                return Ok(ahead);
            }
        }
    }

    /// Makes the ticks of one schedule that have come.
    async fn make(&mut self, mut duty: Duty, ahead: &mut Ahead) -> Result<(), StoreError> {
        let core = Arc::clone(&self.core);
        let name = duty
            .name
            .strip_prefix(PREFIX)
            .unwrap_or_default()
            .to_owned();
        loop {
            let mut saved = match Saved::read(&duty.value) {
                Ok(saved) => saved,
                Err(error) => {
                    if self.told.insert(name.clone()) {
                        tracing::error!(schedule = name, %error, "it makes no ticks here");
                    }
                    return Ok(());
                }
            };
            let Some((_, served)) = self.flows.get(&saved.what.flow) else {
                return Ok(());
            };
            let now = core.clock.now();
            if saved.due().is_none_or(|due| due > now) {
                ahead.next = earlier(ahead.next, saved.due());
                return Ok(());
            }
            let (mut is_running, mut end) = (false, None);
            if let (Overlap::Skip | Overlap::Queue, Some(last)) = (saved.what.overlap, saved.last) {
                let id = id_of(&name, last);
                // Before it is looked at, so that no end is missed.
                end = Some(core.news.listen(&id.as_str().into()));
                let info = core.find(&id, BRIEF).await?;
                is_running = info.is_some_and(|info| !info.status.is_final());
            }
            let before = saved.clone();
            let looked = saved.look(now, is_running);
            if saved == before {
                ahead.ends.extend(end);
                ahead.next = earlier(ahead.next, saved.next);
                return Ok(());
            }
            let to = match saved.to_duty() {
                Ok(to) => to,
                Err(error) => {
                    tracing::error!(schedule = name, %error, "it can't be written");
                    return Ok(());
                }
            };
            let flow = served.flow.table().name;
            let start = looked.start.iter();
            let start = start.map(|tick| {
                let mut child = saved.child(&name, *tick, flow, served.form);
                child.new.trace = core.context_of_tick(flow, &child.new.id);
                child
            });
            let mut change = SetDuty {
                name: duty.name.clone(),
                revision: Some(duty.revision),
                to: Some(to.clone()),
                start: start.collect(),
            };
            let set = loop {
                match core.store.set_duty(change.clone()).await? {
                    // It is this tick's, whoever has started it.
                    DutySet::Exists(id) => change.start.retain(|child| child.new.id != id),
                    set => break set,
                }
            };
            match set {
                DutySet::Set(revision) => {
                    core.news.wrote();
                    for child in &change.start {
                        core.schedule.start_left(core.clock.moment());
                        telemetry::started(flow, 1);
                        telemetry::tick(flow);
                        tracing::info!(schedule = name, execution = child.new.id, "a tick");
                    }
                    if let Some(first) = looked.left_out {
                        telemetry::ticks_left_out(flow);
                        tracing::warn!(schedule = name, %first, "ticks were left out, from this one on");
                    }
                    duty.revision = revision.unwrap_or_default();
                    duty.value = to.value;
                }
                DutySet::Changed(Some(other)) => duty = other,
                DutySet::Changed(None) | DutySet::Exists(_) => return Ok(()),
            }
        }
    }

    /// Waits until there may be something to do.
    async fn wait(&self, ahead: Ahead) {
        let core = &*self.core;
        let now = core.clock.read();
        let next = ahead.next.map(|next| now.deadline(next).moment);
        let poll = now.moment.after(core.poll.max(SHORTEST_POLL));
        let sleep = core.clock.until_due_or(next, poll);
        let ends = ahead.ends.into_iter().map(|mut end| {
            Box::pin(async move {
                if end.turn_ends.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            })
        });
        let mut ends: Vec<_> = ends.collect();
        let ended = async {
            if ends.is_empty() {
                std::future::pending::<()>().await;
            }
            select_all(ends.drain(..)).await;
        };
        let woken = core.schedules_changed.notified();
        let (sleep, ended, woken) = (pin!(sleep), pin!(ended), pin!(woken));
        select(select(sleep, ended), woken).await;
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
