//! The sources of time, which a test can replace: the wall clock, for the times that are recorded,
//! and a clock that nobody can set, for how long something takes.
//!
//! A test that must not wait passes a [`TestClock`] to [`Run::clock`](crate::Run::clock). The clock
//! of this example jumps ahead to each time that the flow waits for.
//!
//! ```
//! use std::{sync::{Arc, Mutex}, time::Duration};
//! use jiff::Timestamp;
//! use steps::{clock::TestClock, journal::BoxFuture, prelude::*};
//!
//! #[derive(Debug)]
//! struct Fast(Mutex<Timestamp>);
//!
//! impl TestClock for Fast {
//!     fn now(&self) -> Timestamp {
//!         *self.0.lock().unwrap()
//!     }
//!     fn sleep_until(&self, time: Timestamp) -> BoxFuture<'static, ()> {
//!         let mut now = self.0.lock().unwrap();
//!         *now = time.max(*now);
//!         Box::pin(std::future::ready(()))
//!     }
//! }
//!
//! #[flow]
//! async fn wait() -> Result<(), String> {
//!     steps! { year = steps::sleep(Duration::from_secs(31_536_000)); }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), steps::Failure> {
//! let clock = Arc::new(Fast(Mutex::new(Timestamp::UNIX_EPOCH)));
//! wait().clock(clock.clone()).await?;
//! assert_eq!(clock.now().to_string(), "1971-01-01T00:00:00Z");
//! # Ok(())
//! # }
//! ```
//!
//! Timeouts are measured by the same clock, so don't use this one for steps that have a `timeout`.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::future::BoxFuture;
pub use super::server_clock::{Asked, ServerClock};

/// A source of time for tests.
pub trait TestClock: fmt::Debug + Send + Sync {
    /// Returns the wall clock's time, which is recorded. It may be set forward and back.
    fn now(&self) -> Timestamp;

    /// Completes when the wall clock shows `time`.
    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'static, ()>;

    /// Returns how much time has passed since some fixed moment. Setting the wall clock does not
    /// change it. By default the wall clock's time since 1970: right for a clock that is never set.
    fn elapsed(&self) -> Duration {
        Duration::try_from(self.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default()
    }

    /// Completes when [`elapsed`](Self::elapsed) has come this far. By default by
    /// [`sleep_until`](Self::sleep_until).
    fn sleep_until_elapsed(&self, elapsed: Duration) -> BoxFuture<'static, ()> {
        let left = elapsed.saturating_sub(self.elapsed());
        self.sleep_until(add(self.now(), left))
    }

    /// Returns a guard for a piece of work that the clock can't see, such as a thread's: until it is
    /// dropped, a clock that jumps where nobody has work must not jump. A store takes one for each
    /// call that its threads do. By default nothing: right for a clock that does not jump by itself.
    fn hold(&self) -> Box<dyn Any + Send + Sync> {
        Box::new(())
    }
}

/// A moment by a clock that nobody can set, as the time since some fixed moment. Only moments of
/// one process can be compared.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// Returns that of the system's clock.
    pub(super) fn of_system() -> Self {
        Self(Instant::now().saturating_duration_since(*ORIGIN))
    }

    /// Returns the time since the fixed moment, in nanoseconds.
    pub(super) fn nanos(self) -> i64 {
        i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX)
    }

    /// Returns the moment `span` later, or the last possible one.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// Returns the time since an earlier moment; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The end of a wait. Within this process the moment counts; the time is what is recorded, and what
/// another process goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) moment: Moment,
    pub(crate) until: Timestamp,
}

impl Deadline {
    /// Returns what the wall clock would show now if nobody had set it since the wait began; of a
    /// wait that is over, its end.
    pub(crate) fn shown(self, now: Moment) -> Timestamp {
        let left = SignedDuration::try_from(self.moment.since(now));
        let shown = left.ok().and_then(|left| self.until.checked_sub(left).ok());
        shown.unwrap_or(Timestamp::MIN)
    }

    /// Returns a deadline that is as early as both by each clock: they can differ in which is the
    /// earlier one if the wall clock was set in between.
    pub(crate) fn sooner(self, other: Self) -> Self {
        Self {
            moment: self.moment.min(other.moment),
            until: self.until.min(other.until),
        }
    }
}

/// What the two clocks showed at once.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// The wall clock.
    pub wall: Timestamp,
    /// The clock that nobody can set.
    pub moment: Moment,
    /// What the wall clock would have shown at moment zero: the same as long as nobody sets it.
    pub origin: Timestamp,
}

impl Now {
    /// Returns when the wall clock will have come to `time` if nobody sets it.
    pub(crate) fn deadline(self, time: Timestamp) -> Deadline {
        Deadline {
            moment: self
                .moment
                .after(after(self.wall, time).unwrap_or_default()),
            until: time,
        }
    }

    /// Returns what the wall clock shows at this moment, or showed, if nobody sets it.
    pub(crate) fn wall_at(self, moment: Moment) -> Timestamp {
        add(self.origin, moment.0)
    }
}

/// The system's time, that of a store's server, or a test's.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock, with tokio's timers.
    #[default]
    System,
    /// The clock of the server that the store is on, with tokio's timers.
    Server(Arc<ServerClock>),
    /// A test's clock.
    Test(Arc<dyn TestClock>),
}

/// What the moments of this process count from. Earlier than now, as the time of a tokio runtime
/// that is paused stands still.
static ORIGIN: LazyLock<Instant> = LazyLock::new(|| {
    let now = std::time::Instant::now();
    Instant::from_std(now.checked_sub(Duration::from_hours(1)).unwrap_or(now))
});

/// How far the system's two clocks are apart.
static SYSTEM: Apart = Apart::new();

impl Clock {
    /// Returns the wall clock's time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Server(clock) => clock.now(),
            Self::Test(clock) => clock.now(),
        }
    }

    /// Returns the moment.
    pub fn moment(&self) -> Moment {
        match self {
            Self::System | Self::Server(_) => Moment::of_system(),
            Self::Test(clock) => Moment(clock.elapsed()),
        }
    }

    /// Whether it is a test's, which jumps ahead and is never polled by.
    pub(crate) fn is_of_test(&self) -> bool {
        matches!(self, Self::Test(_))
    }

    /// Reads both clocks.
    pub fn read(&self) -> Now {
        let (wall, moment) = (self.now(), self.moment());
        let apart = || {
            let wall = i64::try_from(wall.as_nanosecond()).unwrap_or(i64::MAX);
            SYSTEM.of(wall, moment.nanos())
        };
        let origin = match self {
            Self::System => Timestamp::from_nanosecond(apart().into()).ok(),
            Self::Server(clock) => {
                let origin = clock.origin().unwrap_or_else(apart);
                Timestamp::from_nanosecond(origin.into()).ok()
            }
            Self::Test(_) => SignedDuration::try_from(moment.0)
                .ok()
                .and_then(|elapsed| wall.checked_sub(elapsed).ok()),
        };
        Now {
            wall,
            moment,
            origin: origin.unwrap_or(Timestamp::MIN),
        }
    }

    /// Returns the end of a wait of this length which began at `now`.
    pub(crate) fn deadline(&self, now: Timestamp, wait: Duration) -> Deadline {
        Deadline {
            moment: self.moment().after(wait),
            until: add(now, wait),
        }
    }

    /// Completes when this moment has come, whatever is done to the wall clock.
    pub async fn sleep_until(&self, moment: Moment) {
        match self {
            Self::System | Self::Server(_) => {
                let left = moment.since(self.moment());
                if !left.is_zero() {
                    tokio::time::sleep(left).await;
                }
            }
            Self::Test(clock) => clock.sleep_until_elapsed(moment.0).await,
        }
    }

    /// Completes when the first of these has come: something is due, or it is time to ask for what others have
    /// changed. By a test's clock nobody is asked, as that would make it jump forward for ever.
    pub(crate) async fn until_due_or(&self, due: Option<Moment>, poll: Moment) {
        let until = match due {
            due if self.is_of_test() => due,
            due => Some(due.map_or(poll, |due| due.min(poll))),
        };
        match until {
            Some(until) => self.sleep_until(until).await,
            None => std::future::pending().await,
        }
    }
}

/// How far two clocks are apart, the same number as long as neither is set: two clocks are not read
/// at the very same moment, so the difference of two readings is never quite the same.
#[doc(hidden)]
#[derive(Debug)]
pub struct Apart(AtomicI64);

impl Default for Apart {
    fn default() -> Self {
        Self::new()
    }
}

impl Apart {
    /// The largest difference that is taken for one of the reading, in nanoseconds.
    const SAME: u64 = 1_000_000;

    /// Nothing is known yet.
    pub const fn new() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    /// Returns how far the first clock is ahead of the second, in nanoseconds.
    pub fn of(&self, first: i64, second: i64) -> i64 {
        let read = first.saturating_sub(second);
        let known = self.0.load(Ordering::Relaxed);
        if read.abs_diff(known) <= Self::SAME {
            return known;
        }
        self.0.store(read, Ordering::Relaxed);
        read
    }
}

/// Returns the time from `now` to `time`; `None` if `time` is not later than `now`.
pub(crate) fn after(now: Timestamp, time: Timestamp) -> Option<Duration> {
    Duration::try_from(time.duration_since(now))
        .ok()
        .filter(|left| !left.is_zero())
}

/// Returns how much later the second time is; zero if the clock was set back in between.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Returns the time `span` after `time`, or the latest possible one.
pub(crate) fn add(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}
