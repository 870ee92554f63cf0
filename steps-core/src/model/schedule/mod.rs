//! When a schedule has a tick: at the times of a cron expression in a time zone, at equal distances, or
//! once. Data only: who makes the ticks is the engine.

#[cfg(feature = "cron")]
mod cron;
mod error;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

#[cfg(feature = "cron")]
pub(crate) use cron::Cron;
pub use error::ScheduleError;

/// What becomes of ticks whose time passed while nobody could make them, as while no process was there
/// that serves the flow.
///
/// A tick is *missed* if a later one has come as well, or if it is later than the schedule
/// [allows](crate::engine::NewSchedule::late).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// Missed ticks are left out.
    Skip,
    /// The newest of the missed ticks is made, in place of all of them.
    #[default]
    One,
    /// All missed ticks are made, up to this many: of more, the newest. From 1 to 1000.
    All(usize),
}

/// What becomes of a tick if the execution that an earlier tick has started has not ended. One that is
/// `stuck`, `failed` or stopped has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overlap {
    /// The tick starts an execution all the same.
    #[default]
    Allow,
    /// The tick is left out.
    Skip,
    /// The tick starts its execution when the earlier one has ended. Up to 1000 ticks wait; of more, the
    /// oldest are left out.
    Queue,
}

/// When a schedule has a tick.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Timing {
    #[cfg(feature = "cron")]
    Cron(Box<Cron>),
    /// Each so long, counted from the anchor in both directions.
    Every {
        every: Duration,
        anchor: Timestamp,
    },
    At(Timestamp),
}

/// The shortest time between two ticks of [`Timing::Every`].
const SHORTEST: Duration = Duration::from_secs(1);

/// The ticks from one on that have come.
#[derive(Debug, PartialEq)]
pub(crate) struct Come {
    /// The newest of them, in order.
    pub(crate) newest: VecDeque<Timestamp>,
    /// The first of all, if that is not among them.
    pub(crate) left_out: Option<Timestamp>,
}

impl Timing {
    pub(crate) fn every(every: Duration, anchor: Timestamp) -> Result<Self, ScheduleError> {
        if every < SHORTEST || SignedDuration::try_from(every).is_err() {
            return Err(ScheduleError::Interval { every });
        }
        Ok(Self::Every { every, anchor })
    }

    /// Returns the first tick after this time; `None` if there is none.
    pub(crate) fn after(&self, time: Timestamp) -> Option<Timestamp> {
        let next = match self {
            #[cfg(feature = "cron")]
            Self::Cron(cron) => cron.after(time),
            Self::Every { every, anchor } => {
                let every = i128::try_from(every.as_nanos()).ok()?;
                let anchor = anchor.as_nanosecond();
                let count = (time.as_nanosecond() - anchor).div_euclid(every) + 1;
                Timestamp::from_nanosecond(anchor.checked_add(count.checked_mul(every)?)?).ok()
            }
            Self::At(at) => Some(*at),
        };
        next.filter(|next| *next > time)
    }

    /// Returns the first ticks after this time.
    pub(crate) fn first(&self, after: Timestamp, most: usize) -> Vec<Timestamp> {
        let next = |time: &Timestamp| self.after(*time);
        std::iter::successors(self.after(after), next)
            .take(most)
            .collect()
    }

    /// Returns those ticks from `first` on that have come by now: the newest, up to so many. However long
    /// it is since, only little more than these are looked at.
    pub(crate) fn come(&self, first: Timestamp, now: Timestamp, most: usize) -> Come {
        let mut back = SignedDuration::from_mins(1);
        loop {
            let from = now.checked_sub(back).unwrap_or(Timestamp::MIN).max(first);
            let before = from.checked_sub(SignedDuration::from_nanos(1));
            let mut newest = VecDeque::new();
            let mut count = 0;
            let mut last = before.unwrap_or(from);
            while let Some(tick) = self.after(last).filter(|tick| *tick <= now) {
                last = tick;
                count += 1;
                newest.push_back(tick);
                if newest.len() > most {
                    newest.pop_front();
                }
            }
            if count > most || from == first {
                let is_first = newest.front().is_none_or(|tick| *tick <= first);
                return Come {
                    newest,
                    left_out: (!is_first).then_some(first),
                };
            }
            back = back.saturating_mul(8);
        }
    }

    /// Writes it as a JSON object.
    pub(crate) fn to_fields(&self) -> BTreeMap<&'static str, String> {
        match self {
            #[cfg(feature = "cron")]
            Self::Cron(cron) => cron.to_fields(),
            Self::Every { every, anchor } => BTreeMap::from([
                ("every", format!("{}ns", every.as_nanos())),
                ("from", anchor.to_string()),
            ]),
            Self::At(at) => BTreeMap::from([("at", at.to_string())]),
        }
    }

    /// Reads it again.
    ///
    /// # Errors
    ///
    /// If the fields are none that this program knows.
    pub(crate) fn from_fields(fields: &BTreeMap<String, String>) -> Result<Self, String> {
        let time = |text: &String| text.parse::<Timestamp>().map_err(|error| error.to_string());
        if let Some(at) = fields.get("at") {
            return Ok(Self::At(time(at)?));
        }
        if let (Some(every), Some(from)) = (fields.get("every"), fields.get("from")) {
            use crate::base::duration::AsDuration as _;
            let every = every.as_duration().map_err(|error| error.to_string())?;
            return Self::every(every, time(from)?).map_err(|error| error.to_string());
        }
        #[cfg(feature = "cron")]
        if let Some(cron) = Cron::from_fields(fields) {
            let cron = cron.map_err(|error| error.to_string())?;
            return Ok(Self::Cron(Box::new(cron)));
        }
        Err(format!("this program knows no schedule of {fields:?}"))
    }
}

/// A duration in the largest units that hold it.
struct Long(Duration);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_nanos();
        for (unit, nanos) in [
            ("d", 86_400_000_000_000),
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
            ("ns", 1),
        ] {
            if left >= nanos {
                write!(f, "{}{unit}", left / nanos)?;
                left %= nanos;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "cron")]
            Self::Cron(cron) => cron.fmt(f),
            Self::Every { every, anchor } => write!(f, "every {} from {anchor}", Long(*every)),
            Self::At(at) => write!(f, "at {at}"),
        }
    }
}

#[cfg(test)]
mod tests;
