//! Several processes on one database, which are killed and stopped at random moments and started again.

use std::{
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::{Duration, Instant},
};

use crate::{
    child::{Orders, READY, Task},
    log::Log,
    places::{Counts, places},
    process::{Process, Said},
    random::Random,
    target::THERE,
};

/// What is to be done to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) processes: u64,
    pub(crate) kills: u64,
    /// How many of them at least are stopped for longer than their lease, besides.
    pub(crate) stops: u64,
    pub(crate) lease: Duration,
    pub(crate) seed: u64,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    pub(crate) kills: u64,
    pub(crate) stops: u64,
    /// Where the kills struck.
    pub(crate) killed: Counts,
    /// Where the stops did.
    pub(crate) stopped: Counts,
}

impl Done {
    pub(crate) fn join(&mut self, other: &Self) {
        self.kills += other.kills;
        self.stops += other.stops;
        self.killed.join(&other.killed);
        self.stopped.join(&other.stopped);
    }
}

/// A child that takes longer than this to do its part hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

enum State {
    Down,
    /// Its engine does not work yet; it is killed before that, or waited for.
    Starting {
        doomed: bool,
    },
    Up,
    Stopped,
}

/// One of the processes that work at once.
struct Slot {
    number: u64,
    life: u64,
    state: State,
    process: Option<Process>,
    /// When something happens to it.
    when: Instant,
}

struct Injector<'a> {
    plan: Plan,
    folder: &'a Path,
    log: Log,
    random: Random,
    said: Sender<Said>,
    hear: Receiver<Said>,
    done: Done,
}

/// Kills and stops processes until the plan is met; at the end, none is left.
pub(crate) fn inject(plan: Plan, folder: &Path) -> Done {
    let (said, hear) = channel();
    let mut injector = Injector {
        plan,
        folder,
        log: Log::open(folder).expect("the log can be opened"),
        random: Random::new(plan.seed),
        said,
        hear,
        done: Done::default(),
    };
    let mut slots: Vec<Slot> = (0..plan.processes)
        .map(|number| Slot {
            number,
            life: 0,
            state: State::Down,
            process: None,
            when: Instant::now(),
        })
        .collect();
    while injector.done.kills < plan.kills || injector.done.stops < plan.stops {
        let next = slots.iter().map(|slot| slot.when).min();
        let left = next.map_or(Duration::ZERO, |next| {
            next.saturating_duration_since(Instant::now())
        });
        match injector.hear.recv_timeout(left) {
            Ok(said) => injector.heard(&mut slots, &said),
            Err(RecvTimeoutError::Timeout) => {
                for slot in &mut slots {
                    if slot.when <= Instant::now() {
                        injector.strike(slot);
                    }
                }
            }
            Err(RecvTimeoutError::Disconnected) => unreachable!("this thread has a sender"),
        }
    }
    for slot in &mut slots {
        if let Some(process) = &mut slot.process {
            process.kill();
        }
    }
    injector.done
}

impl Injector<'_> {
    fn soon(&mut self, range: std::ops::Range<u64>) -> Instant {
        Instant::now() + Duration::from_millis(self.random.within(range))
    }

    fn heard(&mut self, slots: &mut [Slot], said: &Said) {
        let of = |slot: &&mut Slot| slot.process.as_ref().is_some_and(|p| p.pid() == said.pid);
        // What a process said before it was killed is heard after that.
        let Some(slot) = slots.iter_mut().find(of) else {
            return;
        };
        match (&slot.state, &*said.line) {
            (State::Starting { .. }, READY) => {
                slot.state = State::Up;
                slot.when = self.soon(10..250);
            }
            (State::Up, THERE) => self.hit(slot),
            _ => {}
        }
    }

    /// The time of a slot has come.
    fn strike(&mut self, slot: &mut Slot) {
        match slot.state {
            State::Down => self.start(slot),
            State::Starting { doomed } => {
                assert!(
                    doomed,
                    "waited {PATIENCE:?} for a child to open the database"
                );
                self.kill(slot);
            }
            State::Up => self.hit(slot),
            // Of those that were stopped, some never wake.
            State::Stopped if self.random.within(0..4) == 0 => self.kill(slot),
            State::Stopped => {
                if let Some(process) = &slot.process {
                    process.go_on();
                }
                slot.state = State::Up;
                slot.when = self.soon(30..250);
            }
        }
    }

    /// Kills it, or stops it.
    fn hit(&mut self, slot: &mut Slot) {
        if self.plan.stops > 0 && self.random.within(0..2) == 0 {
            self.stop(slot);
        } else {
            self.kill(slot);
        }
    }

    fn start(&mut self, slot: &mut Slot) {
        slot.life += 1;
        let orders = Orders {
            folder: self.folder.to_owned(),
            slot: slot.number,
            life: slot.life,
            target: self.target(),
            lease: self.plan.lease,
            what: Task::Work,
            settings: String::new(),
        };
        slot.process = Some(Process::start(&orders, &self.log, &self.said));
        let doomed = self.random.within(0..12) == 0;
        slot.state = State::Starting { doomed };
        slot.when = if doomed {
            self.soon(0..40)
        } else {
            Instant::now() + PATIENCE
        };
    }

    /// Returns where the process reports to be killed, if anywhere: half of the kills are at such a
    /// point, at its n-th passing, with a random n.
    fn target(&mut self) -> String {
        let point = self.random.of(&["step", "undo", "commit", "takeover"]);
        let most = if point == "takeover" { 6 } else { 40 };
        match self.random.next() % 2 {
            0 => format!("{point}:{}", self.random.within(1..most)),
            _ => "-".to_owned(),
        }
    }

    fn kill(&mut self, slot: &mut Slot) {
        let Some(process) = &mut slot.process else {
            return;
        };
        process.kill();
        self.done.kills += 1;
        let text = self.log.text_from(process.start);
        self.done.killed.add(places(&text, process.pid()));
        slot.process = None;
        slot.state = State::Down;
        slot.when = match self.plan.processes {
            1 => Instant::now(),
            _ => self.soon(0..60),
        };
    }

    fn stop(&mut self, slot: &mut Slot) {
        let Some(process) = &slot.process else {
            return;
        };
        process.stop();
        self.done.stops += 1;
        let text = self.log.text_from(process.start);
        self.done.stopped.add(places(&text, process.pid()));
        slot.state = State::Stopped;
        let lease = u64::try_from(self.plan.lease.as_millis()).expect("a short time");
        slot.when = self.soon(lease * 3 / 2..lease * 3);
    }
}
