//! The right to tell the changes of a name, which one process has at a time: a duty that names it, for a while.
//! It is renewed while there is something to tell, and by nobody while there is nothing.

use std::time::Duration;

use jiff::Timestamp;

use super::PREFIX;
use crate::{
    base::{clock::add, json::Json},
    engine::worker::engine_core::EngineCore,
    store::{Duty, DutySet, ErrorKind, NewDuty, SetDuty, StoreError},
};

/// The shortest time for which a process has the right.
const SHORTEST: Duration = Duration::from_secs(1);

/// The right of this process, as far as it knows.
#[derive(Debug)]
pub(super) struct Hold {
    duty: String,
    /// Until when; `None` if it has not got it.
    until: Option<Timestamp>,
    /// The revision of the duty under which this process has it.
    revision: i64,
}

/// Whether this process may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// It may, and did before.
    Still,
    /// It may from now on: another may have told before.
    Newly,
    /// Another process may, until then.
    Not(Timestamp),
}

/// Who tells, as a duty says it.
pub(super) fn teller(duty: &Duty) -> Option<String> {
    duty.value.decode().ok()
}

impl Hold {
    pub(super) fn new(name: &str) -> Self {
        Self {
            duty: format!("{PREFIX}{name}"),
            until: None,
            revision: 0,
        }
    }

    /// Whether this process has the right, as far as it knows.
    pub(super) fn is_held(&self) -> bool {
        self.until.is_some()
    }

    /// For how long a process has the right: as long as a lease, so that another takes its place as soon as it
    /// takes its executions.
    pub(super) fn term(core: &EngineCore) -> Duration {
        core.lease.max(SHORTEST)
    }

    /// When the right is to be renewed while a call runs.
    pub(super) fn renews(&self, core: &EngineCore) -> Option<Timestamp> {
        let before = Self::term(core) / 2;
        self.until.and_then(|until| until.checked_sub(before).ok())
    }

    /// Takes the right, or keeps it for another while, if no other process has it.
    pub(super) async fn take(&mut self, core: &EngineCore) -> Result<Holds, StoreError> {
        let (now, term) = (core.clock.now(), Self::term(core));
        // A time that is too far ahead was set before the clock was.
        let is_ahead = |until: Timestamp| now < until && until <= add(now, term);
        if self.renews(core).is_some_and(is_ahead) {
            return Ok(Holds::Still);
        }
        let duty = core.store.duty(self.duty.clone()).await?;
        let is_own = |duty: &Duty| self.until.is_some() && duty.revision == self.revision;
        let was_own = duty.as_ref().is_some_and(is_own);
        if let Some(until) = duty.as_ref().filter(|_| !was_own).and_then(|duty| duty.due)
            && is_ahead(until)
        {
            self.until = None;
            return Ok(Holds::Not(until));
        }
        let until = add(now, term);
        let value = Json::encode(&core.worker)
            .map_err(|error| StoreError::new(ErrorKind::Rejected, error.to_string()))?;
        let due = Some(until);
        let set = core.store.set_duty(SetDuty {
            name: self.duty.clone(),
            revision: duty.map(|duty| duty.revision),
            to: Some(NewDuty { due, value }),
            start: Vec::new(),
        });
        match set.await? {
            DutySet::Set(revision) => {
                self.revision = revision.unwrap_or_default();
                self.until = Some(until);
                Ok(if was_own { Holds::Still } else { Holds::Newly })
            }
            DutySet::Changed(_) | DutySet::Exists(_) => {
                self.until = None;
                Ok(Holds::Not(until))
            }
        }
    }

    /// Gives the right back, if this process has it.
    pub(super) async fn give_back(&mut self, core: &EngineCore) -> Result<(), StoreError> {
        if self.until.take().is_none() {
            return Ok(());
        }
        let set = core.store.set_duty(SetDuty {
            name: self.duty.clone(),
            revision: Some(self.revision),
            to: None,
            start: Vec::new(),
        });
        set.await.map(drop)
    }
}
