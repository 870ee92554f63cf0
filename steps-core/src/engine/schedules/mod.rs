//! Schedules: executions that are started at times.
//!
//! A schedule is a [duty](crate::store::Duty) of the store, whose value (`saved`) has all that is known of
//! it. Each engine that serves the flow looks at those that are due (`keeper`), decides which ticks are
//! made (`saved`), and writes the schedule's next state together with the executions that it starts, under
//! the condition that nobody was faster. So each tick starts one execution, whichever process makes it,
//! and a crash is before that write or after it. `new` registers a schedule, and `handle` looks after
//! those that are there.

mod handle;
pub(super) mod keeper;
mod new;
mod saved;

pub use handle::{Schedule, ScheduleInfo};
pub use new::{NewSchedule, ScheduleChange, Scheduled};

/// What the names of duties begin with that are schedules.
const PREFIX: &str = "schedule/";

/// The longest name, so that an id has room for the time as well.
const LONGEST_NAME: usize = 200;

fn duty_name(name: &str) -> String {
    format!("{PREFIX}{name}")
}
