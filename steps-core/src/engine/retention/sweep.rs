//! One sweep. The duty `retention` says who makes it, or when the next one is due: it is changed before
//! each batch, so of all processes one sweeps, and what it leaves off as it dies, another goes on with
//! when its time is over. A batch is one deletion, so there is nothing that could be half done.

use std::time::Duration;

use jiff::Timestamp;

use super::rules::{Rule, Rules};
use crate::{
    base::json::Json,
    engine::{Engine, error::EngineError, worker::engine_core::EngineCore},
    model::status::Status,
    store::{
        Cursor, Duty, DutySet, ErrorKind, ExecutionQuery, NewDuty, SetDuty, Store, StoreError,
    },
};

const DUTY: &str = "retention";

/// What a rule deletes that names no status: what is stuck waits for an operator.
const OVER: [Status; 4] = [
    Status::Done,
    Status::Failed,
    Status::Undone,
    Status::Stopped,
];

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
        let core = &self.core;
        let rules = core.retention();
        let Some(turn) = Turn::begin(core, rules, Asked::ByHand).await? else {
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
        let mut turn = Self {
            core,
            rules,
            revision: 0,
        };
        let revision = duty.map(|duty| duty.revision);
        Ok(turn.hold(revision).await?.then_some(turn))
    }

    /// Says that this process sweeps for another while. Returns whether nobody else does.
    async fn hold(&mut self, revision: Option<i64>) -> Result<bool, EngineError> {
        let worker = Json::encode(&self.core.worker);
        let value =
            worker.map_err(|error| StoreError::new(ErrorKind::Rejected, error.to_string()))?;
        self.set(revision, TERM, value).await
    }

    async fn set(
        &mut self,
        revision: Option<i64>,
        next: Duration,
        value: Json,
    ) -> Result<bool, EngineError> {
        let due = self.core.clock.now().checked_add(next);
        let set = self.core.store.set_duty(SetDuty {
            name: DUTY.to_owned(),
            revision,
            to: Some(NewDuty {
                due: Some(due.unwrap_or(Timestamp::MAX)),
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
        // One that was left off is due at once, for whoever is there.
        let next = if swept.finished {
            rules.every
        } else {
            Duration::ZERO
        };
        let nobody = Json::parse("null").map_err(|error| {
            EngineError::from(StoreError::new(ErrorKind::Rejected, error.to_string()))
        })?;
        self.set(Some(self.revision), next, nobody).await?;
        Ok(swept)
    }

    /// Deletes what a rule does not keep. Returns whether it got to its end.
    async fn follow(&mut self, rule: &Rule, deleted: &mut u64) -> Result<bool, EngineError> {
        let mut query = rule.query.clone();
        query.without_parent = true;
        if query.status.is_empty() {
            query.status = OVER.to_vec();
        }
        query.limit = Some(BATCH);
        if let Some(time) = rule.for_time {
            let until = self.core.clock.now().checked_sub(time);
            let until = until.unwrap_or(Timestamp::MIN);
            let ended = query.ended.unwrap_or(Timestamp::MIN..until);
            query.ended = Some(ended.start..ended.end.min(until));
        }
        if let Some(count) = rule.newest {
            match place_of(&*self.core.store, &rule.query, count).await? {
                Place::All => {}
                Place::After(place) => query.after = Some(place),
                Place::None => return Ok(true),
            }
        }
        loop {
            if self.core.is_draining() || !self.hold(Some(self.revision)).await? {
                return Ok(false);
            }
            match self.core.store.delete(query.clone()).await? {
                0 => return Ok(true),
                count => *deleted += count,
            }
        }
    }
}

/// What a rule that keeps the newest may delete.
enum Place {
    All,
    After(Cursor),
    None,
}

/// Returns the place in the list after which nothing is kept for being among the newest.
async fn place_of(
    store: &dyn Store,
    query: &ExecutionQuery,
    count: usize,
) -> Result<Place, StoreError> {
    if count == 0 {
        return Ok(Place::All);
    }
    let mut query = query.clone();
    query.brief = true;
    let mut left = count;
    loop {
        query.limit = Some(left.min(1000));
        let page = store.list(query.clone()).await?;
        let Some(last) = page.last() else {
            return Ok(Place::None);
        };
        query.after = Some(last.cursor());
        left = left.saturating_sub(page.len());
        if left == 0 {
            return Ok(Place::After(last.cursor()));
        }
    }
}
