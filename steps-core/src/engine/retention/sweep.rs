//! One sweep. The duty `retention` says who makes it, or when the next one is due: it is changed before
//! each batch, so of all processes one sweeps, and what it leaves off as it dies, another goes on with
//! when its time is over. A batch is one deletion, so there is nothing that could be half done.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    rule::Retention,
    rules::{Rule, Rules},
};
use crate::{
    base::{clock::add, json::Json},
    engine::{Engine, error::EngineError, worker::engine_core::EngineCore},
    store::{Duty, DutySet, ErrorKind, NewDuty, SetDuty, StoreError},
};

const DUTY: &str = "retention";

/// How many executions are deleted at once.
const BATCH: usize = 500;

/// How long a process that sweeps has for a batch, before another takes its place.
const TERM: Duration = Duration::from_mins(1);

/// What a sweep did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Swept {
    /// Rule by rule, in their order.
    pub rules: Vec<SweptRule>,
    /// Whether it got to its end. Otherwise the engine was told to end, or another process took its place,
    /// and the next sweep goes on.
    pub finished: bool,
}

/// What a sweep did by one rule.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SweptRule {
    /// The rule, in words.
    pub rule: String,
    /// How many executions were deleted by it.
    pub deleted: u64,
    /// Why it was left off. The other rules are followed all the same.
    pub error: Option<StoreError>,
}

impl Swept {
    /// Returns how many executions were deleted.
    pub fn deleted(&self) -> u64 {
        self.rules.iter().map(|rule| rule.deleted).sum()
    }
}

impl Engine {
    /// Deletes now what the engine's [rules](crate::engine::Builder::retain) do not keep, whenever the next sweep
    /// is due, in batches of 500, and returns what it did. Whatever else runs goes on meanwhile.
    ///
    /// # Errors
    ///
    /// [`EngineError::Sweeping`] where another process is just doing it, or another call in this one.
    ///
    /// ```
    /// # use steps::{Engine, engine::EngineError};
    /// # async fn sweep(engine: &Engine) -> Result<(), EngineError> {
    /// for rule in engine.sweep().await?.rules {
    ///     println!("{}: {} deleted", rule.rule, rule.deleted);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sweep(&self) -> Result<Swept, EngineError> {
        self.sweep_asked(self.core.retention(), Asked::ByHand).await
    }

    /// The same once, by these rules in place of the engine's own: for a tool that an operator uses. When
    /// the next sweep by the engine's rules is due stays as it was.
    ///
    /// # Errors
    ///
    /// As of [`sweep`](Self::sweep), and [`EngineError::Filter`] where a rule means nothing.
    ///
    /// ```
    /// # use steps::{Engine, engine::{EngineError, Filter, Retention}};
    /// # async fn sweep(engine: &Engine) -> Result<(), EngineError> {
    /// let scans = Retention::of(Filter::new().flow_name("scan")).newest(50);
    /// println!("{} would go", engine.would_sweep(&scans).await?);
    /// println!("{} are gone", engine.sweep_by([scans]).await?.deleted());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sweep_by(
        &self,
        rules: impl IntoIterator<Item = Retention>,
    ) -> Result<Swept, EngineError> {
        let rules = rules.into_iter().map(|rule| rule.rule(self));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        let rules = Rules::new(rules, self.core.retention().every);
        self.sweep_asked(&rules, Asked::Besides).await
    }

    async fn sweep_asked(&self, rules: &Rules, asked: Asked) -> Result<Swept, EngineError> {
        let core = &self.core;
        let Some(turn) = Turn::begin(core, rules, asked).await? else {
            let duty = core.store.duty(DUTY.to_owned()).await?;
            let worker = duty.and_then(|duty| sweeper(&duty)).unwrap_or_default();
            return Err(EngineError::Sweeping { worker });
        };
        turn.sweep().await
    }
}

/// Who asks for a sweep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    ByHand,
    /// By hand, and by rules of its own: when the next one is due stays as it was.
    Besides,
    /// Only if one is due.
    ByTime,
}

/// Who sweeps, if somebody does.
fn sweeper(duty: &Duty) -> Option<String> {
    duty.value.decode().ok().flatten()
}

/// The right to sweep.
pub(super) struct Turn<'a> {
    core: &'a EngineCore,
    rules: &'a Rules,
    revision: i64,
    /// When it last said that it sweeps.
    held_at: Timestamp,
    /// When the next sweep is due, if this one does not decide that.
    next: Option<Timestamp>,
}

impl<'a> Turn<'a> {
    /// Begins a sweep, unless somebody else is at it, or none is due yet.
    pub(super) async fn begin(
        core: &'a EngineCore,
        rules: &'a Rules,
        asked: Asked,
    ) -> Result<Option<Self>, EngineError> {
        let now = core.clock.now();
        let duty = core.store.duty(DUTY.to_owned()).await?;
        if let Some(duty) = &duty {
            // A time that is too far ahead was set before the clock was.
            let longest = match sweeper(duty) {
                Some(_) => TERM,
                None => rules.every,
            };
            let is_ahead = |due: &Timestamp| now < *due && *due <= now + longest;
            let waits = duty.due.as_ref().is_some_and(is_ahead);
            if waits && (asked == Asked::ByTime || sweeper(duty).is_some()) {
                return Ok(None);
            }
        }
        // What another has left off, or nobody has ever made, is due at once.
        let was_due = duty.as_ref().filter(|duty| sweeper(duty).is_none());
        let was_due = was_due.and_then(|duty| duty.due).unwrap_or(now);
        let mut turn = Self {
            core,
            rules,
            revision: 0,
            held_at: now,
            next: (asked == Asked::Besides).then_some(was_due),
        };
        let revision = duty.map(|duty| duty.revision);
        Ok(turn.hold(revision).await?.then_some(turn))
    }

    /// Says that this process sweeps for another while. Returns whether nobody else does.
    async fn hold(&mut self, revision: Option<i64>) -> Result<bool, EngineError> {
        let core = self.core;
        self.held_at = core.clock.now();
        self.set(revision, self.after(TERM), Some(&core.worker))
            .await
    }

    fn after(&self, time: Duration) -> Timestamp {
        add(self.core.clock.now(), time)
    }

    async fn set(
        &mut self,
        revision: Option<i64>,
        due: Timestamp,
        sweeper: Option<&str>,
    ) -> Result<bool, EngineError> {
        let value = Json::encode(&sweeper)
            .map_err(|error| StoreError::new(ErrorKind::Rejected, error.to_string()))?;
        let set = self.core.store.set_duty(SetDuty {
            name: DUTY.to_owned(),
            revision,
            to: Some(NewDuty {
                due: Some(due),
                value,
            }),
            start: Vec::new(),
        });
        match set.await? {
            DutySet::Set(Some(revision)) => {
                self.revision = revision;
                Ok(true)
            }
            DutySet::Set(None) | DutySet::Changed(_) | DutySet::Exists(_) => Ok(false),
        }
    }

    /// Sweeps, and says when the next sweep is due.
    pub(super) async fn sweep(mut self) -> Result<Swept, EngineError> {
        let mut swept = Swept {
            rules: Vec::new(),
            finished: true,
        };
        let rules = self.rules;
        for rule in &rules.rules {
            let mut of = SweptRule {
                rule: rule.text.clone(),
                deleted: 0,
                error: None,
            };
            match self.follow(rule, &mut of.deleted).await {
                Ok(finished) => swept.finished = finished,
                Err(EngineError::Store(error)) => of.error = Some(error),
                Err(error) => return Err(error),
            }
            swept.rules.push(of);
            if !swept.finished {
                break;
            }
        }
        let next = match self.next {
            Some(next) => next,
            None if swept.finished => self.after(rules.every),
            // One that was left off is due at once, for whoever is there.
            None => self.after(Duration::ZERO),
        };
        self.set(Some(self.revision), next, None).await?;
        Ok(swept)
    }

    /// Deletes what a rule does not keep. Returns whether it got to its end.
    async fn follow(&mut self, rule: &Rule, deleted: &mut u64) -> Result<bool, EngineError> {
        let store = &*self.core.store;
        let now = self.core.clock.now();
        let mut parts = rule.parts();
        while let Some(mut query) = parts.next(store, now).await? {
            query.limit = Some(BATCH);
            loop {
                if self.core.is_draining() || !self.hold_on().await? {
                    return Ok(false);
                }
                match store.delete(query.clone()).await? {
                    0 => break,
                    count => *deleted += count,
                }
            }
        }
        Ok(true)
    }

    /// Says again that this process sweeps, if it has not for a while. Returns whether nobody else does.
    async fn hold_on(&mut self) -> Result<bool, EngineError> {
        let now = self.core.clock.now();
        if (self.held_at..add(self.held_at, TERM / 4)).contains(&now) {
            return Ok(true);
        }
        self.hold(Some(self.revision)).await
    }
}
