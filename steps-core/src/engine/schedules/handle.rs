//! The schedules that are there: finding, pausing and removing them.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use super::{
    PREFIX, duty_name,
    saved::{Saved, id_of},
};
use crate::{
    engine::{Engine, error::EngineError},
    model::schedule::{Missed, Overlap, ScheduleError},
    store::{Duty, DutyQuery, DutySet, SetDuty, codec::is_encoded},
};

/// A schedule: a handle, which may be dropped.
#[derive(Clone)]
pub struct Schedule {
    engine: Engine,
    name: Arc<str>,
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schedule").field(&self.name).finish()
    }
}

/// What is known of a schedule.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScheduleInfo {
    /// Its name.
    pub name: String,
    /// The flow that it starts.
    pub flow: String,
    /// When it has its ticks, as text.
    pub timing: String,
    /// What becomes of missed ticks.
    pub missed: Missed,
    /// What becomes of ticks that overlap.
    pub overlap: Overlap,
    /// Whether it makes no ticks until it is resumed.
    pub is_paused: bool,
    /// The next tick; in the past if no process has made it yet. `None` if there is none, or if it is
    /// paused.
    pub next: Option<Timestamp>,
    /// How many ticks wait for the end of an earlier one's execution.
    pub queued: usize,
    /// The newest tick that has started an execution.
    pub last: Option<Timestamp>,
    /// The id of that execution.
    pub last_execution: Option<String>,
    /// When ticks were left out last, the first of them.
    pub left_out: Option<Timestamp>,
    /// Why what is kept of it can't be read here, such as for want of a key. Then all but its name is empty.
    pub unreadable: Option<String>,
}

impl ScheduleInfo {
    /// One of which only the name is known.
    fn unread(name: &str, why: String) -> Self {
        Self {
            name: name.to_owned(),
            flow: String::new(),
            timing: String::new(),
            missed: Missed::default(),
            overlap: Overlap::default(),
            is_paused: false,
            next: None,
            queued: 0,
            last: None,
            last_execution: None,
            left_out: None,
            unreadable: Some(why),
        }
    }
}

impl Saved {
    /// Returns the next ticks, the one that is overdue first.
    pub(super) fn ahead(&self, most: usize) -> Vec<Timestamp> {
        let Some(next) = self.next.filter(|_| !self.is_paused && most > 0) else {
            return Vec::new();
        };
        let mut ticks = vec![next];
        ticks.extend(self.what.timing.first(next, most - 1));
        ticks
    }

    /// Takes over what another definition of the schedule has done.
    pub(super) fn take_over(&mut self, before: &Self) {
        self.is_paused = before.is_paused;
        self.last = before.last;
        self.left_out = before.left_out;
        self.queued.clone_from(&before.queued);
        if self.what.timing == before.what.timing && !before.is_paused {
            // A tick that was missed is still to be made.
            self.next = before.next;
        }
    }

    fn info(&self, name: &str) -> ScheduleInfo {
        ScheduleInfo {
            name: name.to_owned(),
            flow: self.what.flow.clone(),
            timing: self.what.timing.to_string(),
            missed: self.what.missed,
            overlap: self.what.overlap,
            is_paused: self.is_paused,
            next: self.next.filter(|_| !self.is_paused),
            queued: self.queued.len(),
            last: self.last,
            last_execution: self.last.map(|last| id_of(name, last)),
            left_out: self.left_out,
            unreadable: None,
        }
    }
}

impl Engine {
    /// Returns all schedules, in the order of their names. One that can't be read here is among them, and
    /// [says so](ScheduleInfo::unreadable).
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn schedules(&self) -> Result<Vec<ScheduleInfo>, EngineError> {
        let duties = self.core.store.duties(DutyQuery::named(PREFIX)).await?;
        let infos = duties.into_iter().map(|duty| {
            let name = duty.name.strip_prefix(PREFIX).unwrap_or_default();
            match Saved::read(&duty.value) {
                Ok(saved) => saved.info(name),
                Err(_) if is_encoded(duty.value.get()) => ScheduleInfo::unread(
                    name,
                    "it is encoded, and can't be decoded here".to_owned(),
                ),
                Err(error) => ScheduleInfo::unread(name, error.to_string()),
            }
        });
        Ok(infos.collect())
    }

    /// Returns the schedule of this name.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::Unknown`] where there is none.
    pub async fn get_schedule(&self, name: impl AsRef<str>) -> Result<Schedule, EngineError> {
        let schedule = Schedule::new(self.clone(), name.as_ref());
        schedule.read().await?;
        Ok(schedule)
    }
}

impl Schedule {
    pub(super) fn new(engine: Engine, name: &str) -> Self {
        Self {
            engine,
            name: name.into(),
        }
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what is known of it.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::Unknown`] if it was removed.
    pub async fn info(&self) -> Result<ScheduleInfo, EngineError> {
        let (saved, _) = self.read().await?;
        Ok(saved.info(&self.name))
    }

    /// Returns its next ticks, before they come: first one that is overdue, if there is one. None if it is
    /// paused.
    ///
    /// # Errors
    ///
    /// As of [`info`](Self::info).
    pub async fn next(&self, most: usize) -> Result<Vec<Timestamp>, EngineError> {
        let (saved, _) = self.read().await?;
        Ok(saved.ahead(most))
    }

    /// Makes no ticks until it is [resumed](Self::resume), whichever process makes them. What was started
    /// goes on. Returns whether that was a change.
    ///
    /// # Errors
    ///
    /// As of [`info`](Self::info).
    pub async fn pause(&self) -> Result<bool, EngineError> {
        self.change(|saved, _| {
            let was_paused = std::mem::replace(&mut saved.is_paused, true);
            !was_paused
        })
        .await
    }

    /// Makes ticks again, from the next one on: those whose time passed while it was paused are not made
    /// up for, but those that wait in a queue are. Returns whether that was a change.
    ///
    /// # Errors
    ///
    /// As of [`info`](Self::info).
    pub async fn resume(&self) -> Result<bool, EngineError> {
        self.change(|saved, now| {
            if saved.is_paused {
                saved.next = saved.what.timing.after(now);
            }
            std::mem::take(&mut saved.is_paused)
        })
        .await
    }

    /// Removes it, and nothing else: what was started goes on. Returns whether it was still there.
    ///
    /// # Errors
    ///
    /// If the store can't be changed.
    pub async fn remove(&self) -> Result<bool, EngineError> {
        let store = &self.engine.core.store;
        while let Some(duty) = store.duty(duty_name(&self.name)).await? {
            let set = SetDuty {
                name: duty.name,
                revision: Some(duty.revision),
                to: None,
                start: Vec::new(),
            };
            if let DutySet::Set(_) = store.set_duty(set).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn error(&self, error: ScheduleError) -> EngineError {
        let name = self.name.to_string();
        EngineError::Schedule { name, error }
    }

    async fn read(&self) -> Result<(Saved, Duty), EngineError> {
        let duty = self.engine.core.store.duty(duty_name(&self.name)).await?;
        let duty = duty.ok_or_else(|| self.error(ScheduleError::Unknown))?;
        let saved = Saved::read(&duty.value).map_err(|error| self.error(error))?;
        Ok((saved, duty))
    }

    /// Makes a change, unless it says that there is none. Returns whether there was.
    async fn change(
        &self,
        change: impl Fn(&mut Saved, Timestamp) -> bool,
    ) -> Result<bool, EngineError> {
        let core = &self.engine.core;
        loop {
            let (mut saved, duty) = self.read().await?;
            if !change(&mut saved, core.clock.now()) {
                return Ok(false);
            }
            let set = SetDuty {
                name: duty.name,
                revision: Some(duty.revision),
                to: Some(saved.to_duty().map_err(|error| self.error(error))?),
                start: Vec::new(),
            };
            if let DutySet::Set(_) = core.store.set_duty(set).await? {
                core.schedules_changed.notify_one();
                return Ok(true);
            }
        }
    }
}
