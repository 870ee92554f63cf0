//! Registering a schedule.

use std::{fmt, future::IntoFuture, time::Duration};

use jiff::Timestamp;

use super::{
    LONGEST_NAME, Schedule, duty_name,
    saved::{Definition, Saved},
};
use crate::{
    base::{
        duration::{AsDuration, DurationError},
        error::caught,
        future::BoxFuture,
        id,
    },
    engine::{Engine, error::EngineError, start::check_priority},
    language::{
        flow::Flow,
        ticks::{SCHEDULE, TICK},
    },
    model::{
        schedule::{Missed, Overlap, ScheduleError, Timing},
        state::Labels,
    },
    run::with::{Input, Starts},
    store::{DutySet, SetDuty},
};

/// How late a tick may be by default without being missed.
const LATE: Duration = Duration::from_mins(1);

/// How many of its next ticks a registration tells.
const TOLD: usize = 5;

/// A schedule about to be registered. Awaiting it keeps it in the store. From then on any engine that serves
/// the flow starts an execution at each tick: one for a tick, whatever number of them there is.
///
/// Returned by [`Engine::schedule`]; the methods set options.
#[must_use = "nothing is registered until it is awaited"]
#[allow(missing_debug_implementations)]
pub struct NewSchedule<'e, F: Flow> {
    engine: &'e Engine,
    name: String,
    input: Input<F>,
    timing: Result<Timing, ScheduleError>,
    missed: Missed,
    overlap: Overlap,
    late: Result<Duration, DurationError>,
    labels: Labels,
    priority: i32,
}

/// What a registration came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scheduled {
    /// The schedule.
    pub schedule: Schedule,
    /// What was changed by it.
    pub change: ScheduleChange,
    /// When it has its ticks, as text.
    pub timing: String,
    /// Its next five ticks; fewer if there are no more, and none if it is paused.
    pub next: Vec<Timestamp>,
}

/// What a registration has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleChange {
    /// There was no schedule of this name.
    New,
    /// There was one, and it is as it was.
    Unchanged,
    /// There was one that had its ticks at these times, or did something else with them. The new one takes
    /// its place; it stays paused if it was, and executions that were started go on.
    Replaced {
        /// When the old one had its ticks, as text.
        before: String,
    },
}

impl fmt::Display for Scheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; next", self.schedule.name(), self.timing)?;
        if self.next.is_empty() {
            f.write_str(" none")?;
        }
        self.next.iter().try_for_each(|tick| write!(f, " {tick}"))
    }
}

impl Engine {
    /// Registers a schedule: a flow that is started with this input at certain times. The name tells it
    /// from others; a schedule of this name that is there already stays as it is if it is the same, and is
    /// replaced otherwise. So a service registers its schedules each time it starts.
    ///
    /// The guide's page `schedules` has the rules.
    ///
    /// ```
    /// use steps::{Engine, engine::Overlap, prelude::*};
    ///
    /// #[step]
    /// async fn sweep(cx: &Cx, what: &str) -> Result<(), String> {
    ///     println!("{what} at {:?}", cx.tick());
    ///     Ok(())
    /// }
    ///
    /// #[flow]
    /// async fn clean(what: String) -> Result<(), String> {
    ///     steps! { sweep(cx, &what); }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::open("memory:").await?.serve(clean::with()).start().await?;
    /// let scheduled = engine.schedule("clean-tmp", clean::input("/tmp".into()))
    ///     .every("6h")
    ///     .overlap(Overlap::Skip)
    ///     .await?;
    /// assert_eq!(scheduled.next.len(), 5);
    /// println!("{scheduled}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn schedule<I: Starts>(
        &self,
        name: impl Into<String>,
        input: I,
    ) -> NewSchedule<'_, I::Flow> {
        NewSchedule {
            engine: self,
            name: name.into(),
            input: input.into_input(),
            timing: Err(ScheduleError::NoTime),
            missed: Missed::default(),
            overlap: Overlap::default(),
            late: Ok(LATE),
            labels: Labels::new(),
            priority: 0,
        }
    }
}

impl<F: Flow> NewSchedule<'_, F> {
    /// Ticks at the times of a cron expression in a time zone, such as `"Europe/Berlin"`: five fields, or
    /// six with the seconds first, or `@daily` and the like. Weekdays are 0 to 7 or `SUN` to `SAT`, 0 and 7
    /// are Sunday; if neither of the two day fields is `*`, one of them is enough. What is easily misread,
    /// such as `*/90` minutes, is an error.
    ///
    /// What becomes of times that the clock leaves out or shows twice: see the guide's page `schedules`.
    #[cfg(feature = "cron")]
    pub fn cron(mut self, expression: impl AsRef<str>, zone: impl AsRef<str>) -> Self {
        use crate::model::schedule::Cron;
        let cron = Cron::new(expression.as_ref(), zone.as_ref());
        self.timing = cron.map(|cron| Timing::Cron(Box::new(cron)));
        self
    }

    /// Ticks at the times of a cron expression with the meaning that it has in the Go libraries
    /// `gocraft/work` and `robfig/cron`: six fields, seconds first, in UTC; Sunday is 0; if neither of the
    /// two day fields is `*` or `?`, one of them is enough; `5/15` is `5-59/15`.
    #[cfg(feature = "cron")]
    pub fn go_cron(mut self, expression: impl AsRef<str>) -> Self {
        use crate::model::schedule::Cron;
        let cron = Cron::go(expression.as_ref());
        self.timing = cron.map(|cron| Timing::Cron(Box::new(cron)));
        self
    }

    /// Ticks each time that this much time has passed, a second at least, counted from the beginning of
    /// 1970 in UTC: with `"6h"` at 0, 6, 12 and 18 o'clock UTC.
    pub fn every(self, every: impl AsDuration) -> Self {
        self.every_from(every, Timestamp::UNIX_EPOCH)
    }

    /// The same, counted from another time: there is a tick then, or would be if it has passed.
    pub fn every_from(mut self, every: impl AsDuration, anchor: Timestamp) -> Self {
        self.timing = match every.as_duration() {
            Ok(every) => Timing::every(every, anchor),
            Err(error) => Err(error.into()),
        };
        self
    }

    /// Has one tick, at this time. When it was made, the schedule stays in the list, without a next tick,
    /// so that the same registration changes nothing any more.
    pub fn at(mut self, time: Timestamp) -> Self {
        self.timing = Ok(Timing::At(time));
        self
    }

    /// Says what becomes of missed ticks; by default [`Missed::One`].
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }

    /// Says what becomes of a tick while the execution of an earlier one goes on; by default
    /// [`Overlap::Allow`].
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// Says how late the newest tick may be without being missed; by default a minute.
    pub fn late(mut self, late: impl AsDuration) -> Self {
        self.late = late.as_duration();
        self
    }

    /// Adds a label to the executions. They have `schedule`, the schedule's name, and `tick` anyway.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Sets the priority of the executions, as [`Start::priority`](crate::engine::Start::priority) does.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Returns the next ticks that it would have, and registers nothing.
    ///
    /// # Errors
    ///
    /// As of awaiting it.
    pub fn next(&self, most: usize) -> Result<Vec<Timestamp>, EngineError> {
        let (what, now) = self.definition().map_err(|error| self.error(error))?;
        Ok(what.timing.first(now, most))
    }

    fn error(&self, error: ScheduleError) -> EngineError {
        let name = self.name.clone();
        EngineError::Schedule { name, error }
    }

    /// Checks all that was said.
    fn definition(&self) -> Result<(Definition, Timestamp), ScheduleError> {
        let why = match self.name.len() {
            0..=LONGEST_NAME => id::check(&self.name),
            _ => Err("it is longer than 200 bytes"),
        };
        why.map_err(|why| ScheduleError::Name { why })?;
        let timing = self.timing.clone()?;
        if let Missed::All(most) = self.missed
            && !(1..=1000).contains(&most)
        {
            return Err(ScheduleError::TooMany { most });
        }
        let own = [SCHEDULE, TICK].into_iter();
        if let Some(label) = own.into_iter().find(|name| self.labels.contains_key(*name)) {
            let label = label.to_owned();
            return Err(ScheduleError::Label { label });
        }
        let core = &self.engine.core;
        let input = caught(|| F::save_input(self.input.value()))
            .map_err(|error| format!("its input can't be saved as JSON: {error}"))
            .and_then(|input| match core.limits.check("input", Some(&input)) {
                Ok(()) => Ok(input),
                Err(error) => Err(error.text()),
            })
            .map_err(|why| ScheduleError::Input { why })?;
        let what = Definition {
            flow: F::TABLE.name.to_owned(),
            input,
            timing,
            missed: self.missed,
            overlap: self.overlap,
            late: self.late.clone()?,
            labels: self.labels.clone(),
            priority: self.priority,
        };
        Ok((what, core.clock.now()))
    }

    async fn register(self) -> Result<Scheduled, EngineError> {
        let core = &self.engine.core;
        check_priority(&self.name, self.priority)?;
        let (what, now) = self.definition().map_err(|error| self.error(error))?;
        if core.is_draining() {
            return Err(EngineError::Closed);
        }
        core.check_runtime()?;
        let name = duty_name(&self.name);
        let (change, saved) = loop {
            let there = core.store.duty(name.clone()).await?;
            let before = there
                .as_ref()
                .and_then(|duty| Saved::read(&duty.value).ok());
            if let Some(before) = &before
                && is_same::<F>(&before.what, &what)
            {
                break (ScheduleChange::Unchanged, before.clone());
            }
            let mut saved = Saved::new(what.clone(), now);
            let change = match (&before, &there) {
                (Some(before), _) => {
                    let timing = before.what.timing.to_string();
                    saved.take_over(before);
                    ScheduleChange::Replaced { before: timing }
                }
                (None, Some(duty)) => ScheduleChange::Replaced {
                    before: duty.value.to_string(),
                },
                (None, None) => ScheduleChange::New,
            };
            if saved.next.is_none() {
                let timing = what.timing.to_string();
                return Err(self.error(ScheduleError::NeverFires { timing, now }));
            }
            let set = SetDuty {
                name: name.clone(),
                revision: there.map(|duty| duty.revision),
                to: Some(saved.to_duty().map_err(|error| self.error(error))?),
                start: Vec::new(),
            };
            if let DutySet::Set(_) = core.store.set_duty(set).await? {
                core.schedules_changed.notify_one();
                break (change, saved);
            }
        };
        let schedule = Schedule::new(self.engine.clone(), &self.name);
        let scheduled = Scheduled {
            schedule,
            change,
            timing: saved.what.timing.to_string(),
            next: saved.ahead(TOLD),
        };
        tracing::info!(change = ?scheduled.change, "{scheduled}");
        Ok(scheduled)
    }
}

/// Returns whether a schedule that is there is the one that is registered.
fn is_same<F: Flow>(before: &Definition, what: &Definition) -> bool {
    let same_input = Definition {
        input: what.input.clone(),
        flow: what.flow.clone(),
        ..before.clone()
    };
    same_input == *what
        && F::TABLE.answers_to(&before.flow)
        && crate::run::is_input::<F>(&before.input, &what.input)
}

impl<'e, F: Flow> IntoFuture for NewSchedule<'e, F> {
    type Output = Result<Scheduled, EngineError>;
    type IntoFuture = BoxFuture<'e, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.register())
    }
}
