//! The times of a cron expression in a time zone.
//!
//! `fields` reads the expression. The crate `croner` only finds the next *local* time that it matches,
//! without a time zone; what follows from clocks that change is ours, and stands in
//! [`after`](Cron::after).

mod fields;

use std::{collections::BTreeMap, fmt};

use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use super::ScheduleError;
use fields::Fields;

/// A day is longer than any change of clocks.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How an expression is written, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// That of crontabs, with seconds if there are six fields.
    Crontab,
    /// That of the Go libraries `gocraft/work` and `robfig/cron`: six fields, UTC.
    Go,
}

/// A cron expression in a time zone.
#[derive(Clone, Debug)]
pub(crate) struct Cron {
    expression: String,
    dialect: Dialect,
    zone: TimeZone,
    zone_name: String,
    fields: Fields,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        (&self.expression, self.dialect, &self.zone_name)
            == (&other.expression, other.dialect, &other.zone_name)
    }
}

impl Cron {
    pub(crate) fn new(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        Self::read(expression, Dialect::Crontab, zone)
    }

    pub(crate) fn go(expression: &str) -> Result<Self, ScheduleError> {
        Self::read(expression, Dialect::Go, "UTC")
    }

    fn read(expression: &str, dialect: Dialect, zone_name: &str) -> Result<Self, ScheduleError> {
        let fields = fields::read(expression, dialect)?;
        let zone = TimeZone::get(zone_name).map_err(|_| ScheduleError::Zone {
            zone: zone_name.to_owned(),
        })?;
        Ok(Self {
            expression: expression.to_owned(),
            dialect,
            zone,
            zone_name: zone_name.to_owned(),
            fields,
        })
    }

    /// Returns the first instant after this one, under these rules, which the guide tells as a table:
    ///
    /// * An expression of *certain hours* has each of its local times once a day. Those that the clock
    ///   leaves out, as it goes forward, come together as one at the moment of the change. Those that the
    ///   clock shows twice, as it goes back, come the first time only.
    /// * An expression of *every hour* goes by the time that passes: it has what the clock shows, as often
    ///   as the clock shows it.
    pub(crate) fn after(&self, time: Timestamp) -> Option<Timestamp> {
        let mut at = time;
        loop {
            let offset = self.zone.to_offset(at);
            let local = offset.to_datetime(at);
            let next = self.fields.after(local)?;
            let instant = offset.to_timestamp(next).ok()?;
            let Some(change) = self.zone.following(at).next() else {
                return Some(instant);
            };
            let (changed_at, new) = (change.timestamp(), change.offset());
            if instant < changed_at {
                if self.was_there(next, offset) {
                    at = instant;
                    continue;
                }
                return Some(instant);
            }
            // Nothing for days: no clock that changes meanwhile repeats or leaves out any of it.
            let shortly_before = instant.checked_sub(DAY + DAY).ok()?;
            if changed_at.duration_since(at) > DAY
                && shortly_before.duration_since(changed_at) > DAY
            {
                at = shortly_before;
                continue;
            }
            let shown = new.to_datetime(changed_at);
            let is_left_out = new > offset && next < shown;
            if is_left_out && !self.fields.is_every_hour() {
                return Some(changed_at);
            }
            if self.fields.has(shown) && !self.was_there(shown, new) {
                return Some(changed_at);
            }
            at = changed_at;
        }
    }

    /// Returns whether the clock shows this time for the second time, and that does not count.
    fn was_there(&self, local: DateTime, offset: Offset) -> bool {
        if self.fields.is_every_hour() {
            return false;
        }
        let ambiguous = self.zone.to_ambiguous_timestamp(local).offset();
        matches!(ambiguous, AmbiguousOffset::Fold { after, .. } if after == offset)
    }

    pub(super) fn to_fields(&self) -> BTreeMap<&'static str, String> {
        let expression = self.expression.clone();
        match self.dialect {
            Dialect::Go => BTreeMap::from([("goCron", expression)]),
            Dialect::Crontab => {
                BTreeMap::from([("cron", expression), ("zone", self.zone_name.clone())])
            }
        }
    }

    /// Reads it again; `None` if the fields are those of something else.
    pub(super) fn from_fields(
        fields: &BTreeMap<String, String>,
    ) -> Option<Result<Self, ScheduleError>> {
        if let Some(expression) = fields.get("goCron") {
            return Some(Self::go(expression));
        }
        Some(Self::new(fields.get("cron")?, fields.get("zone")?))
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            expression,
            zone_name,
            ..
        } = self;
        match self.dialect {
            Dialect::Crontab => write!(f, "cron `{expression}` in {zone_name}"),
            Dialect::Go => write!(f, "cron `{expression}` of Go, in UTC"),
        }
    }
}

#[cfg(test)]
mod tests;
