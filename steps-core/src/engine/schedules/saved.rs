//! What is kept of a schedule, and which of its ticks are made.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    base::json::{Fields, Json},
    language::ticks::{SCHEDULE, TICK},
    model::{
        schedule::{Missed, Overlap, ScheduleError, Timing},
        state::Labels,
        trigger::Trigger,
    },
    store::{Child, Due, NewDuty, NewExecution, Notes},
};

/// How many ticks wait in a queue at most.
const LONGEST_QUEUE: usize = 1000;

/// A schedule as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saved {
    pub(super) what: Definition,
    /// The first tick that nobody has looked at.
    pub(super) next: Option<Timestamp>,
    /// The ticks that wait for the end of an earlier one's execution.
    pub(super) queued: VecDeque<Timestamp>,
    /// The newest tick that has started an execution.
    pub(super) last: Option<Timestamp>,
    /// The first of the ticks that were left out together, when some were last.
    pub(super) left_out: Option<Timestamp>,
    pub(super) is_paused: bool,
}

/// What the service says of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Definition {
    pub(super) flow: String,
    pub(super) input: Json,
    pub(super) timing: Timing,
    pub(super) missed: Missed,
    pub(super) overlap: Overlap,
    /// How late a tick may be without being missed.
    pub(super) late: Duration,
    pub(super) labels: Labels,
    pub(super) priority: i32,
}

/// Which ticks are made now.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Looked {
    pub(super) start: Vec<Timestamp>,
    /// The first of those that are left out, if any are.
    pub(super) left_out: Option<Timestamp>,
}

/// Returns the id of the execution that a tick starts.
pub(super) fn id_of(schedule: &str, tick: Timestamp) -> String {
    format!("{schedule}@{tick}")
}

impl Saved {
    pub(super) fn new(what: Definition, now: Timestamp) -> Self {
        Self {
            next: what.timing.after(now),
            what,
            queued: VecDeque::new(),
            last: None,
            left_out: None,
            is_paused: false,
        }
    }

    /// Returns when somebody has to look at it.
    pub(super) fn due(&self) -> Option<Timestamp> {
        if self.is_paused {
            return None;
        }
        self.queued.front().copied().or(self.next)
    }

    /// Decides which ticks are made now, and notes that they were. `is_running` says whether the
    /// execution of the last one has not ended.
    pub(super) fn look(&mut self, now: Timestamp, is_running: bool) -> Looked {
        let mut looked = Looked::default();
        let mut come = VecDeque::new();
        if let Some(next) = self.next.filter(|next| *next <= now) {
            let most = match self.what.missed {
                Missed::All(most) => most,
                Missed::Skip | Missed::One => 1,
            };
            let found = self.what.timing.come(next, now, most);
            (come, looked.left_out) = (found.newest, found.left_out);
            let late = SignedDuration::try_from(self.what.late).unwrap_or(SignedDuration::MAX);
            let is_late = |tick: &Timestamp| now.duration_since(*tick) > late;
            if self.what.missed == Missed::Skip && come.back().is_some_and(is_late) {
                looked.left_out = looked.left_out.or(come.pop_front());
            }
            self.next = self.what.timing.after(now);
        }
        match self.what.overlap {
            Overlap::Allow => looked.start.extend(come),
            Overlap::Skip => {
                if !is_running {
                    looked.start.extend(come.pop_front());
                }
                looked.left_out = looked.left_out.or(come.pop_front());
            }
            Overlap::Queue => {
                self.queued.extend(come);
                while self.queued.len() > LONGEST_QUEUE {
                    looked.left_out = looked.left_out.or(self.queued.pop_front());
                }
                if !is_running {
                    looked.start.extend(self.queued.pop_front());
                }
            }
        }
        self.last = looked.start.last().copied().or(self.last);
        self.left_out = looked.left_out.or(self.left_out);
        looked
    }

    /// Returns the execution that a tick starts, of a flow with this name now.
    pub(super) fn child(&self, name: &str, tick: Timestamp, flow: &str, form: i64) -> Child {
        let what = &self.what;
        let mut labels = what.labels.clone();
        labels.insert(SCHEDULE.to_owned(), name.to_owned());
        labels.insert(TICK.to_owned(), tick.to_string());
        let new = NewExecution {
            id: id_of(name, tick),
            flow: flow.to_owned(),
            input: what.input.clone(),
            labels,
            notes: Notes {
                trigger: Trigger::Schedule,
                ..Notes::default()
            },
            priority: what.priority,
            form: Some(form),
            parent: None,
            singleton: None,
            trace: None,
            created_at: None,
            held: None,
        };
        Child {
            new,
            nodes: Vec::new(),
            due: Due::Now,
        }
    }

    /// Writes it as a duty.
    pub(super) fn to_duty(&self) -> Result<NewDuty, ScheduleError> {
        let what = &self.what;
        let missed = match what.missed {
            Missed::Skip => "skip".to_owned(),
            Missed::One => "one".to_owned(),
            Missed::All(most) => format!("all {most}"),
        };
        let overlap = match what.overlap {
            Overlap::Allow => "allow",
            Overlap::Skip => "skip",
            Overlap::Queue => "queue",
        };
        let late = u64::try_from(what.late.as_millis()).unwrap_or(u64::MAX);
        let fields = || -> Result<Json, serde_json::Error> {
            let fields: BTreeMap<&str, Json> = BTreeMap::from([
                ("flow", encode(&what.flow)?),
                ("input", what.input.clone()),
                ("timing", encode(&what.timing.to_fields())?),
                ("missed", encode(&missed)?),
                ("overlap", encode(overlap)?),
                ("lateMs", encode(&late)?),
                ("labels", encode(&what.labels)?),
                ("priority", encode(&what.priority)?),
                ("next", encode(&self.next)?),
                ("queued", encode(&self.queued)?),
                ("last", encode(&self.last)?),
                ("leftOut", encode(&self.left_out)?),
                ("paused", encode(&self.is_paused)?),
            ]);
            Json::encode(&fields)
        };
        let value = fields().map_err(|error| ScheduleError::Unreadable {
            why: error.to_string(),
        })?;
        let due = self.due();
        Ok(NewDuty { due, value })
    }

    /// Reads it again.
    pub(super) fn read(value: &Json) -> Result<Self, ScheduleError> {
        Self::parse(value).map_err(|why| ScheduleError::Unreadable { why })
    }

    fn parse(value: &Json) -> Result<Self, String> {
        let fields = Fields::of(value)?;
        let missed: String = fields.get("missed")?;
        let all = missed
            .strip_prefix("all ")
            .and_then(|most| most.parse().ok());
        let missed = match (&*missed, all) {
            ("skip", _) => Missed::Skip,
            ("one", _) => Missed::One,
            (_, Some(most)) => Missed::All(most),
            _ => return Err(format!("this program knows no missed ticks `{missed}`")),
        };
        let overlap: String = fields.get("overlap")?;
        let overlap = match &*overlap {
            "allow" => Overlap::Allow,
            "skip" => Overlap::Skip,
            "queue" => Overlap::Queue,
            _ => return Err(format!("this program knows no overlap `{overlap}`")),
        };
        let what = Definition {
            flow: fields.get("flow")?,
            input: fields.get("input")?,
            timing: Timing::from_fields(&fields.get("timing")?)?,
            missed,
            overlap,
            late: Duration::from_millis(fields.get("lateMs")?),
            labels: fields.get("labels")?,
            priority: fields.get("priority")?,
        };
        Ok(Self {
            what,
            next: fields.get("next")?,
            queued: fields.get("queued")?,
            last: fields.get("last")?,
            left_out: fields.get("leftOut")?,
            is_paused: fields.get("paused")?,
        })
    }
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Json, serde_json::Error> {
    Json::encode(value)
}

#[cfg(test)]
mod tests;
