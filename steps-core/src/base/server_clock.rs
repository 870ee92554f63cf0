//! The clock of a database's server, as a process knows it.

use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

use super::clock::Moment;

/// Nobody was asked yet.
const UNKNOWN: i64 = i64::MIN;

/// The clock of a [store](crate::store::Store::clock)'s server: what it has shown when it was asked, and the time that
/// has passed since. The wall clock of this machine is not looked at, so it may be wrong, or be set.
///
/// The server is asked again from time to time. The answer says that its clock showed a time at some moment between
/// the question and the answer; as long as that is true of what is shown here, too, nothing is changed. So where this
/// machine's clock was right when the server was asked first, this one shows the same, and else it is off by no more than the
/// quickest answer has taken.
///
/// ```
/// use jiff::Timestamp;
/// use steps_core::clock::ServerClock;
///
/// let clock = ServerClock::new();
/// let asked = ServerClock::ask();
/// let answer: Timestamp = "2031-02-03T04:05:06Z".parse()?;   // as the server says
/// clock.answered(asked, answer);
/// assert!(clock.now() >= answer);
/// # Ok::<(), jiff::Error>(())
/// ```
pub struct ServerClock {
    /// What it showed at moment zero, in nanoseconds.
    origin: AtomicI64,
}

/// When a server was asked for the time.
#[derive(Clone, Copy, Debug)]
pub struct Asked(Moment);

impl Default for ServerClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ServerClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerClock").field(&self.now()).finish()
    }
}

impl ServerClock {
    /// Returns one that shows this machine's time until a server has [answered](Self::answered).
    pub const fn new() -> Self {
        Self {
            origin: AtomicI64::new(UNKNOWN),
        }
    }

    /// To be called just before the server is asked for the time.
    pub fn ask() -> Asked {
        Asked(Moment::of_system())
    }

    /// Takes the server's answer in: `shown` is what its clock showed at some moment since it was asked.
    pub fn answered(&self, asked: Asked, shown: Timestamp) {
        // In this order: what comes between them makes it late, and not early.
        let (wall, now) = (Timestamp::now(), Moment::of_system());
        let of_machine = nanos(wall.as_nanosecond()).saturating_sub(now.nanos());
        self.showed((asked.0, now), shown, of_machine);
    }

    /// The server's clock showed this at some moment between these two; the machine's would have shown this at moment
    /// zero.
    fn showed(&self, (first, last): (Moment, Moment), shown: Timestamp, of_machine: i64) {
        let shown = nanos(shown.as_nanosecond());
        let lowest = shown.saturating_sub(last.nanos());
        let highest = shown.saturating_sub(first.nanos()).max(lowest);
        let known = self.origin().unwrap_or(of_machine);
        // Of two answers that come together, either is right.
        self.origin
            .store(known.clamp(lowest, highest), Ordering::Relaxed);
    }

    /// Returns what it shows.
    pub fn now(&self) -> Timestamp {
        self.at(Moment::of_system())
    }

    /// Returns what it shows at this moment.
    pub(crate) fn at(&self, moment: Moment) -> Timestamp {
        let shown = self
            .origin()
            .map(|origin| origin.saturating_add(moment.nanos()));
        let shown = shown.and_then(|nanos| Timestamp::from_nanosecond(nanos.into()).ok());
        shown.unwrap_or_else(Timestamp::now)
    }

    /// What it showed at moment zero, if a server has answered.
    pub(crate) fn origin(&self) -> Option<i64> {
        let origin = self.origin.load(Ordering::Relaxed);
        (origin != UNKNOWN).then_some(origin)
    }
}

fn nanos(nanos: i128) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn moment(seconds: u64) -> Moment {
        Moment::default().after(Duration::from_secs(seconds))
    }

    fn shows(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    /// The server's clock shows a time between two moments, on a machine whose clock is so many seconds ahead of what it
    /// showed at moment zero.
    fn asks(clock: &ServerClock, first: u64, last: u64, seconds: i64, ahead: i64) {
        let of_machine = nanos(shows(ahead).as_nanosecond());
        clock.showed((moment(first), moment(last)), shows(seconds), of_machine);
    }

    #[test]
    fn a_machine_whose_clock_may_be_right_is_believed() {
        let clock = ServerClock::new();
        asks(&clock, 10, 20, 15, 3);
        assert_eq!(clock.at(moment(20)), shows(23));
        // The machine's clock is set, and these answers take long.
        asks(&clock, 30, 60, 35, 3_600);
        asks(&clock, 61, 90, 70, -3_600);
        assert_eq!(clock.at(moment(100)), shows(103));
    }

    #[test]
    fn a_machine_whose_clock_is_wrong_is_not_and_a_quicker_answer_makes_it_better() {
        for (ahead, first, second) in [(3_600, 5, 1), (-3_600, -5, -1)] {
            let clock = ServerClock::new();
            asks(&clock, 10, 20, 15, ahead);
            assert_eq!(clock.at(moment(20)), shows(20 + first));
            asks(&clock, 30, 32, 31, ahead);
            assert_eq!(clock.at(moment(40)), shows(40 + second));
            asks(&clock, 50, 60, 55, ahead);
            assert_eq!(clock.at(moment(70)), shows(70 + second));
        }
    }

    #[test]
    fn a_server_whose_clock_is_set_is_followed_as_far_as_that_is_sure() {
        let clock = ServerClock::new();
        asks(&clock, 10, 10, 10, 0);
        asks(&clock, 20, 30, 3_630, 0);
        assert_eq!(clock.at(moment(40)), shows(3_640));
        asks(&clock, 50, 54, 49, 0);
        assert_eq!(clock.at(moment(60)), shows(59));
    }

    #[test]
    fn without_an_answer_it_is_the_time_of_this_machine() {
        let (before, clock) = (Timestamp::now(), ServerClock::new());
        let shown = clock.now();
        assert!(before <= shown && shown <= Timestamp::now());
    }
}
