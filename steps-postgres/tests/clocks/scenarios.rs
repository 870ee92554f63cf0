//! The scenarios, each with a clock that is an hour ahead and with one that is an hour behind.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use steps::{
    Engine, Open as _, Status,
    engine::{EngineError, Filter},
    store::ExecutionInfo,
};
use tempfile::TempDir;

use crate::{
    child::LEASE,
    common::server::{Server, schema},
    process::{ABOUT, PATIENCE, Process},
};

type Scenario = (&'static str, fn(&Place, i64));

const SCENARIOS: &[Scenario] = &[
    ("timers_of_ones_own", own_timers),
    ("timers_of_a_process_that_died", others_timers),
    ("a_good_lease_is_left_alone_and_a_dead_ones_ends", leases),
    ("schedules", schedules),
    ("retention", retention),
];

/// How far a wrong clock is off, in seconds.
const WRONG: [i64; 2] = [3600, -3600];

/// Where a scenario happens.
struct Place {
    url: String,
    folder: TempDir,
    /// Looks at the database, and serves nothing.
    engine: Engine,
    runtime: tokio::runtime::Runtime,
}

/// Runs the scenarios with one of these words in their names, or all: at once, as they mostly wait.
pub(crate) fn run(args: &[String]) -> ExitCode {
    if args.iter().any(|arg| arg == "--list") {
        for (name, _) in SCENARIOS {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    // Options are those of other tests' harness.
    let words = args.iter().filter(|word| !word.starts_with('-'));
    let words: Vec<&String> = words.collect();
    let chosen = SCENARIOS
        .iter()
        .filter(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(*word)));
    let running = chosen.flat_map(|(name, scenario)| {
        WRONG.map(|off| {
            let run = move || scenario(&Place::new(), off);
            let ran = thread::spawn(move || catch_unwind(AssertUnwindSafe(run)).is_ok());
            (name, off, ran)
        })
    });
    let running: Vec<_> = running.collect();
    let mut code = ExitCode::SUCCESS;
    for (name, off, ran) in running {
        let is_good = ran.join().expect("its panics were caught");
        let result = if is_good { "ok" } else { "FAILED" };
        println!("test {name}, with a clock that is {off} s off ... {result}");
        if !is_good {
            code = ExitCode::FAILURE;
        }
    }
    code
}

impl Place {
    fn new() -> Self {
        let url = format!("{}&schema={}", Server::shared().url(), schema());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let engine = runtime.block_on(async {
            let engine = Engine::open(&url).await.expect("it opens");
            engine.start().await.expect("it starts")
        });
        Self {
            url,
            folder: tempfile::tempdir().expect("a temporary folder"),
            engine,
            runtime,
        }
    }

    fn process(&self, off: i64) -> Process {
        Process::start(&self.url, self.folder(), off)
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets the steps end that wait for it.
    fn go(&self) {
        fs::write(self.folder().join("go"), "").expect("it is written");
    }

    fn look(&self, id: &str) -> Option<ExecutionInfo> {
        let look = async { self.engine.get(id).await?.info().await };
        match self.runtime.block_on(look) {
            Ok(info) => Some(info),
            Err(EngineError::Unknown { .. }) => None,
            Err(error) => panic!("{id}: {error}"),
        }
    }

    /// Waits until an execution is there and like this.
    fn until(&self, id: &str, is_it: impl Fn(&ExecutionInfo) -> bool) -> ExecutionInfo {
        let begun = Instant::now();
        loop {
            let found = self.look(id);
            if let Some(info) = found.as_ref().filter(|info| is_it(info)) {
                return info.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "{id}: {found:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until it is done, and checks that it has waited for so many milliseconds since it was created, and that all
    /// of its times are true.
    fn done_after(&self, id: &str, millis: i64) {
        let info = self.until(id, |info| info.status == Status::Done);
        let done = info.done_at.expect("it is done");
        for time in [info.created_at, info.started_at.expect("it began"), done] {
            is_about(time, Timestamp::now());
        }
        // What a process knows of the server's clock is as exact as the server answers quickly.
        let took = done.duration_since(info.created_at) + SignedDuration::from_secs(2);
        assert!(took >= SignedDuration::from_millis(millis), "{id}: {took}");
    }

    /// Waits until it is due at a time, and returns that.
    fn waits(&self, id: &str) -> Timestamp {
        let waits = |info: &ExecutionInfo| info.worker.is_none() && info.due.is_some();
        let info = self.until(id, waits);
        info.due.expect("it was asked for")
    }

    /// The executions that a schedule has made.
    fn ticks(&self, schedule: &str) -> Vec<ExecutionInfo> {
        let filter = Filter::new().label("schedule", schedule).limit(1000);
        let listed = self.runtime.block_on(self.engine.list(filter));
        listed.expect("a list")
    }

    /// Waits until a schedule has made so many.
    fn ticked(&self, schedule: &str, count: usize) {
        let begun = Instant::now();
        while self.ticks(schedule).len() < count {
            let ticks = self.ticks(schedule);
            assert!(begun.elapsed() < PATIENCE, "{schedule}: {ticks:?}");
            thread::sleep(Duration::from_millis(50));
        }
        for info in self.ticks(schedule) {
            let tick: Timestamp = info.labels["tick"].parse().expect("a time");
            is_about(tick, Timestamp::now());
        }
    }
}

fn is_about(time: Timestamp, expected: Timestamp) {
    let differs = time.duration_since(expected);
    assert!(differs.abs() < ABOUT, "{time} in place of {expected}");
}

const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

/// What a process with a wrong clock waits for by itself.
fn own_timers(place: &Place, off: i64) {
    let mut wrong = place.process(off);
    wrong.does("nap short 5000");
    wrong.does("later begins 5000");
    wrong.does("nap long 1800000");
    place.done_after("short", 5000);
    place.done_after("begins", 5000);
    is_about(place.waits("long"), Timestamp::now() + HALF_AN_HOUR);
    assert!(!wrong.has_told("begun long"));
}

/// What a process waited for whose clock is wrong ends in its time in one whose clock is right, and the other way round.
fn others_timers(place: &Place, off: i64) {
    for (name, of_first, of_second) in [("wrong", off, 0), ("right", 0, off)] {
        let ids = ["short", "begins", "long"].map(|id| format!("{name}-{id}"));
        let [short, begins, long] = &ids;
        let mut first = place.process(of_first);
        first.does(&format!("nap {short} 5000"));
        first.does(&format!("later {begins} 5000"));
        first.does(&format!("nap {long} 1800000"));
        for id in [short, begins] {
            is_about(place.waits(id), Timestamp::now());
        }
        place.waits(long);
        drop(first);
        let mut second = place.process(of_second);
        place.done_after(short, 5000);
        place.done_after(begins, 5000);
        // By now it has seen all that waits.
        is_about(place.waits(long), Timestamp::now() + HALF_AN_HOUR);
        assert!(!second.has_told(&format!("begun {long}")));
    }
}

/// Who holds an execution keeps it, whatever the other one's clock says, and loses it by dying.
fn leases(place: &Place, off: i64) {
    for (name, of_holder, of_other) in [("wrong", off, 0), ("right", 0, off)] {
        let (held, begun) = (format!("{name}-held"), format!("begun {name}-held"));
        let mut holder = place.process(of_holder);
        holder.does(&format!("hold {held}"));
        holder.tells(&begun);
        let since = Instant::now();
        let mut other = place.process(of_other);
        // Until the other one has taken something up after several leases' time: then it has looked at this one, too.
        for number in 0.. {
            let id = format!("{name}-{number}");
            let start = place.engine.start(crate::child::nap::input(0)).id(&id);
            place
                .runtime
                .block_on(async { start.await })
                .expect("it starts");
            place.until(&id, |info| info.status == Status::Done);
            if other.has_told(&format!("begun {id}")) && since.elapsed() > 3 * LEASE {
                break;
            }
            assert!(since.elapsed() < PATIENCE, "the other one takes nothing up");
        }
        assert!(!other.has_told(&begun), "{held} is held by the first one");
        assert!(!holder.has_told(&begun), "{held} has begun twice");
        drop(holder);
        other.tells(&begun);
        place.go();
        place.until(&held, |info| info.status == Status::Done);
        assert!(!other.has_told(&begun), "{held} has begun twice");
        fs::remove_file(place.folder().join("go")).expect("it is there");
    }
}

/// Ticks are made at the times that the server's clock shows, by whomever.
fn schedules(place: &Place, off: i64) {
    let mut right = place.process(0);
    let later = Timestamp::now() + HALF_AN_HOUR;
    right.does("every mine 1s");
    right.does(&format!("at later {later}"));
    place.ticked("mine", 1);
    drop(right);
    let mut wrong = place.process(off);
    wrong.does("every its 1s");
    let before = place.ticks("mine").len();
    place.ticked("mine", before + 3);
    place.ticked("its", 3);
    let later = place.ticks("later");
    assert!(later.is_empty(), "half an hour early: {later:?}");
}

/// What has ended stays for as long as it is to be kept, and no longer.
fn retention(place: &Place, off: i64) {
    let mut right = place.process(0);
    right.does("record kept-0");
    place.done_after("kept-0", 0);
    drop(right);
    let mut wrong = place.process(off);
    wrong.does("record kept-1");
    place.done_after("kept-1", 0);
    for number in 0..3 {
        let id = format!("swept-{number}");
        wrong.does(&format!("trifle {id}"));
        wrong.tells(&format!("begun {id}"));
        let begun = Instant::now();
        while place.look(&id).is_some() {
            assert!(begun.elapsed() < PATIENCE, "{id} is kept for too long");
            thread::sleep(Duration::from_millis(50));
        }
    }
    for id in ["kept-0", "kept-1"] {
        assert!(
            place.look(id).is_some(),
            "{id} was deleted half an hour early"
        );
    }
}
