//! A clock that jumps.

use std::{
    any::Any,
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::base::{
    clock::{TestClock, add, after},
    future::BoxFuture,
    sync::lock,
};

/// A clock that stands still while there is work, and jumps to the next alarm when everybody who
/// asked it for the time sleeps. A flow that waits for days runs in no time.
///
/// It begins at the same time in each test, and a microsecond passes each time it is asked, so no
/// two events happen at once. What sleeps by another clock, or works on another thread, is not
/// seen: steps under test sleep by [`sleep`](Self::sleep). A store with threads keeps the clock from
/// jumping while they work, if it is opened with the same clock; a test does so by
/// [`hold`](TestClock::hold).
///
/// [`set`](Self::set) sets the wall clock alone, as an administrator or NTP does. No time
/// passes by that, so what waits for a while waits neither longer nor shorter:
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// use steps::{clock::TestClock, testing::FakeClock};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = FakeClock::new();
/// let begun = clock.now();
/// clock.sleep(Duration::from_secs(86_400)).await;
/// assert!(clock.now().duration_since(begun).as_secs() >= 86_400);
///
/// let passed = clock.elapsed();
/// clock.set(begun);
/// assert!(clock.now().duration_since(begun).as_secs() < 1);
/// assert!(clock.elapsed() >= passed);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FakeClock(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    /// The time that has passed.
    elapsed: Duration,
    /// What the wall clock showed, or would have shown, when none had passed.
    origin: Timestamp,
    next: u64,
    /// Who sleeps, and until how much time has passed.
    alarms: BTreeMap<u64, Duration>,
    /// How many pieces of work are under way that the clock can't see.
    holds: usize,
    /// The sleepers that look again when there is none, or when time has passed.
    held: Vec<Waker>,
}

impl Inner {
    fn wall(&self) -> Timestamp {
        add(self.origin, self.elapsed)
    }

    fn wake_held(&mut self) {
        self.held.drain(..).for_each(Waker::wake);
    }
}

/// How often a sleeper yields to others before it concludes that nobody has work.
const PATIENCE: u32 = 8;

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeClock {
    /// A clock at the beginning of 2030.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            elapsed: Duration::ZERO,
            origin: Timestamp::from_second(1_893_456_000).unwrap_or(Timestamp::UNIX_EPOCH),
            next: 0,
            alarms: BTreeMap::new(),
            holds: 0,
            held: Vec::new(),
        })))
    }

    /// Sleeps for this long by this clock.
    pub async fn sleep(&self, duration: Duration) {
        let until = self.elapsed().saturating_add(duration);
        self.sleep_until_elapsed(until).await;
    }

    /// Lets this much time pass, as if the process had been away.
    pub fn advance(&self, duration: Duration) {
        let mut inner = lock(&self.0);
        inner.elapsed = inner.elapsed.saturating_add(duration);
        inner.wake_held();
    }

    /// Sets the wall clock to this time, forward or back. No time passes.
    pub fn set(&self, time: Timestamp) {
        let mut inner = lock(&self.0);
        let elapsed = SignedDuration::try_from(inner.elapsed).unwrap_or(SignedDuration::MAX);
        inner.origin = time.checked_sub(elapsed).unwrap_or(Timestamp::MIN);
    }
}

struct Alarm {
    clock: FakeClock,
    id: u64,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        lock(&self.clock.0).alarms.remove(&self.id);
    }
}

/// A piece of work that the clock can't see.
struct Hold(FakeClock);

impl Drop for Hold {
    fn drop(&mut self) {
        let mut inner = lock(&self.0.0);
        inner.holds -= 1;
        if inner.holds == 0 {
            inner.wake_held();
        }
    }
}

impl TestClock for FakeClock {
    fn now(&self) -> Timestamp {
        let mut inner = lock(&self.0);
        inner.elapsed = inner.elapsed.saturating_add(Duration::from_micros(1));
        inner.wall()
    }

    /// Goes by what the wall clock shows now: setting it later changes nothing.
    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'static, ()> {
        let until = {
            let inner = lock(&self.0);
            let left = after(inner.wall(), time).unwrap_or_default();
            inner.elapsed.saturating_add(left)
        };
        self.sleep_until_elapsed(until)
    }

    fn elapsed(&self) -> Duration {
        lock(&self.0).elapsed
    }

    fn hold(&self) -> Box<dyn Any + Send + Sync> {
        lock(&self.0).holds += 1;
        Box::new(Hold(self.clone()))
    }

    fn sleep_until_elapsed(&self, elapsed: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        let alarm = {
            let mut inner = lock(&clock.0);
            let id = inner.next;
            inner.next += 1;
            inner.alarms.insert(id, elapsed);
            Alarm {
                clock: clock.clone(),
                id,
            }
        };
        let mut patience = PATIENCE;
        Box::pin(async move {
            let alarm = alarm;
            poll_fn(move |cx| {
                let mut inner = lock(&alarm.clock.0);
                if inner.elapsed >= elapsed {
                    return Poll::Ready(());
                }
                if inner.holds > 0 {
                    patience = PATIENCE;
                    inner.held.push(cx.waker().clone());
                    return Poll::Pending;
                }
                if inner.alarms.values().all(|other| *other >= elapsed) {
                    patience -= 1;
                    if patience == 0 {
                        inner.elapsed = elapsed;
                        return Poll::Ready(());
                    }
                }
                drop(inner);
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_does_not_jump_while_a_thread_works() {
        let clock = FakeClock::new();
        let day = Duration::from_hours(24);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(day).await }
        });
        let held = clock.hold();
        let worked = tokio::task::spawn_blocking(|| {
            std::thread::sleep(Duration::from_millis(20));
        });
        worked.await.expect("it ends");
        assert_eq!(clock.elapsed(), Duration::ZERO);
        assert!(!sleeper.is_finished());
        drop(held);
        sleeper.await.expect("it wakes up");
        assert!(clock.elapsed() >= day);
    }

    #[tokio::test]
    async fn whoever_lets_time_pass_wakes_up_who_waits_for_a_thread() {
        let clock = FakeClock::new();
        let second = Duration::from_secs(1);
        let _held = clock.hold();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(second).await }
        });
        tokio::task::yield_now().await;
        clock.advance(second);
        sleeper.await.expect("it wakes up");
    }
}
