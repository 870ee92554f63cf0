//! What a step knows of the schedule that has started its execution.

use jiff::Timestamp;

use super::cx::Cx;

/// The label with the schedule's name.
pub(crate) const SCHEDULE: &str = "schedule";

/// The label with the time of the tick.
pub(crate) const TICK: &str = "tick";

impl Cx {
    /// Returns the name of the [schedule](crate::Engine::schedule) that has started the execution; `None` if
    /// none has.
    pub fn schedule(&self) -> Option<&str> {
        self.label(SCHEDULE)
    }

    /// Returns the time of the tick that has started the execution: when it was to begin, however late it
    /// did. `None` if no schedule has started it.
    pub fn tick(&self) -> Option<Timestamp> {
        self.schedule()?;
        self.label(TICK)?.parse().ok()
    }
}
