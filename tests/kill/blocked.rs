//! A process is stopped in the middle of a commit, with the database locked, for longer than the
//! others wait for that: their calls fail, and they go on when it does.

use std::{
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use crate::{
    child::{Orders, READY, Task},
    faults::PATIENCE,
    finish::finish,
    log::{Log, What, records},
    process::{Process, Said},
    random::Random,
    scenario::{Folder, Size},
    target::THERE,
};

const LEASE: Duration = Duration::from_millis(250);

/// How often it has to be met with the lock in its hands.
const WANTED: u32 = 3;

/// In how many attempts.
const TRIES: u32 = 60;

pub(crate) fn stopped(size: Size) {
    let mut random = Random::new(size.seed);
    let folder = Folder::new();
    let log = Log::open(folder.path()).expect("the log can be opened");
    let (said, hear) = channel();
    let orders = |slot: u64, life: u64, target: String| Orders {
        folder: folder.path().to_owned(),
        slot,
        life,
        target,
        lease: LEASE,
        what: Task::Work,
        // Who is stopped need not be the one that does not wait.
        settings: if slot == 0 { "" } else { "?busy_timeout=200ms" }.to_owned(),
    };
    let mut other = Process::start(&orders(1, 0, "-".to_owned()), &log, &said);
    wait_for(READY, &mut other, &hear);
    let (mut blocked, mut tries) = (0, 0);
    while blocked < WANTED {
        tries += 1;
        assert!(
            tries <= TRIES,
            "in {TRIES} stops, {blocked} were with the database locked"
        );
        let target = format!("commit:{}", random.within(10..80));
        let mut process = Process::start(&orders(0, u64::from(tries), target), &log, &said);
        wait_for(THERE, &mut process, &hear);
        // From the beginning of a write to its end is about as long as this loop's way.
        thread::sleep(Duration::from_micros(random.within(0..1500)));
        process.stop();
        if !writes(&log, other.pid(), Duration::from_millis(300)) {
            blocked += 1;
            thread::sleep(Duration::from_millis(500));
        }
        process.go_on();
        assert!(
            writes(&log, other.pid(), PATIENCE),
            "waited {PATIENCE:?} for a process to write again after the lock was given back"
        );
        process.kill();
    }
    other.kill();
    let text = log.text_from(0);
    let busy = records(&text).filter(|r| r.what == What::Lost && r.more.contains(" Busy "));
    let busy = busy.count();
    let checked = finish(folder.path(), LEASE);
    println!(
        "  {blocked} of {tries} stops had the database locked, {busy} writes failed; {checked}"
    );
    assert!(busy > 0, "no write failed as the database was locked");
}

/// Whether the process has something written within that time.
fn writes(log: &Log, pid: u32, time: Duration) -> bool {
    let (start, begin) = (log.len(), Instant::now());
    loop {
        let text = log.text_from(start);
        if records(&text).any(|record| record.pid == pid && record.what == What::Written) {
            return true;
        }
        if begin.elapsed() > time {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn wait_for(line: &str, process: &mut Process, hear: &Receiver<Said>) {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if let Ok(said) = hear.recv_timeout(Duration::from_millis(100)) {
            if said.pid == process.pid() && said.line == line {
                return;
            }
        } else if let Some(status) = process.ended() {
            panic!("a child was to say `{line}`, and ended with {status}");
        }
    }
    panic!("waited {PATIENCE:?} for a child to say `{line}`");
}
