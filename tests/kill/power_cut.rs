//! The power is cut while a process works: what it had been told was safe has to be there.
//!
//! The process runs under `strace`, so each write and each sync of its files is known, in order. A
//! cut at any moment of that order gives the files as a disk may have them then: see `disk`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::mpsc::channel,
    time::Duration,
};

use crate::{
    acknowledged,
    child::{Orders, Task, database},
    disk::Disk,
    faults::PATIENCE,
    finish::{finish, runtime},
    log::{Log, NONE, What, records},
    process::{CHILD, Process},
    random::Random,
    scenario::{Folder, Size},
    stored,
    trace::{self, Call},
};

const LEASE: Duration = Duration::from_millis(250);

/// Where a cut strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Before the engine worked: while the tables were made.
    Opening,
    /// The log of the database has writes that are not synced.
    Commit,
    /// The database itself has: its log is being copied into it.
    Checkpoint,
    /// All is synced.
    Quiet,
}

/// With the settings that are the default, nothing that was told is lost.
pub(crate) fn full(size: Size) {
    let cuts = (size.kills / 6).max(24);
    let mut random = Random::new(size.seed);
    let folder = Folder::new();
    let calls = work(folder.path(), "?checkpoint=64");
    let log = fs::read(folder.path().join("log")).expect("a log");
    let places = places(&calls, &log);
    let mut struck: BTreeMap<Place, u64> = BTreeMap::new();
    let mut all = 0;
    for number in 0..cuts {
        // Each sort of place in turn.
        let wanted = [
            Place::Opening,
            Place::Commit,
            Place::Checkpoint,
            Place::Quiet,
        ];
        let place = wanted[usize::try_from(number).expect("a count") % wanted.len()];
        let here: Vec<usize> = places[&place].iter().copied().collect();
        assert!(!here.is_empty(), "the process was never in {place:?}");
        let at = random.of(&here);
        *struck.entry(place).or_default() += 1;
        let cut = Folder::new();
        let text = lay(&calls[..=at], &log, cut.path(), &mut random);
        sound(cut.path());
        let stored = runtime().block_on(stored::read(&database(cut.path())));
        let (missing, looked) = acknowledged::check(&stored, &text);
        all += looked;
        assert!(
            missing.is_empty(),
            "cut after call {at} of {}, in {place:?}: {} things are lost:\n  {}",
            calls.len(),
            missing.len(),
            missing.join("\n  ")
        );
        // What is left is as good as what a kill leaves.
        if number % 5 == 0 && !text.is_empty() {
            finish(cut.path(), LEASE);
        }
    }
    println!(
        "  {cuts} cuts among {} calls: {struck:?}; {all} told things were there",
        calls.len()
    );
    assert!(all > 0, "nothing had been told before any cut");
    let missed = [Place::Opening, Place::Commit, Place::Checkpoint]
        .into_iter()
        .find(|place| !struck.contains_key(place));
    assert_eq!(missed, None, "no cut struck there");
}

/// The same with `synchronous=normal`, which is known to lose commits: a test that can't see that
/// would see nothing.
pub(crate) fn normal(size: Size) {
    let mut random = Random::new(size.seed);
    let folder = Folder::new();
    let calls = work(folder.path(), "?synchronous=normal");
    let log = fs::read(folder.path().join("log")).expect("a log");
    let places = places(&calls, &log);
    let here: Vec<usize> = places[&Place::Commit].iter().copied().collect();
    assert!(
        !here.is_empty(),
        "the process never had a write that was not synced"
    );
    let (mut lost, mut whole) = (0, 0);
    for _ in 0..10 {
        let at = random.of(&here);
        let cut = Folder::new();
        let text = lay(&calls[..=at], &log, cut.path(), &mut random);
        sound(cut.path());
        let stored = runtime().block_on(stored::read(&database(cut.path())));
        match acknowledged::check(&stored, &text).0.len() {
            0 => whole += 1,
            _ => lost += 1,
        }
    }
    println!("  {lost} cuts lost what was told, {whole} did not");
    assert!(
        lost > 0,
        "without syncs nothing was lost: the cuts do not cut"
    );
}

/// Lets a process work under `strace` for a while, on a database with these settings.
fn work(folder: &Path, settings: &str) -> Vec<Call> {
    let output = folder.join("trace");
    let log = Log::open(folder).expect("the log can be opened");
    let orders = Orders {
        folder: folder.to_owned(),
        slot: 0,
        life: 1,
        target: "-".to_owned(),
        lease: LEASE,
        what: Task::Briefly,
        settings: settings.to_owned(),
    };
    let mut command = trace::strace(&output);
    command
        .arg(std::env::current_exe().expect("this program's own path"))
        .arg(CHILD)
        .args(orders.to_args());
    let (said, _hear) = channel();
    let mut process = Process::of(&mut command, &log, &said);
    let ended = process.wait(PATIENCE);
    assert!(
        ended.is_some_and(|status| status.success()),
        "waited {PATIENCE:?} for a process under strace, which came to: {ended:?}"
    );
    trace::read(&fs::read_to_string(&output).expect("what strace wrote"))
}

/// The calls after which the power may be cut, by where that strikes.
fn places(calls: &[Call], log: &[u8]) -> BTreeMap<Place, BTreeSet<usize>> {
    let text = String::from_utf8_lossy(log);
    let ready = text.find("\nready ").expect("its engine worked");
    let mut disk = Disk::default();
    let all = [
        Place::Opening,
        Place::Commit,
        Place::Checkpoint,
        Place::Quiet,
    ];
    let mut places: BTreeMap<Place, BTreeSet<usize>> = all
        .into_iter()
        .map(|place| (place, BTreeSet::new()))
        .collect();
    for (number, call) in calls.iter().enumerate() {
        disk.take(number, call);
        let opening = usize::try_from(disk.log).expect("a length") <= ready;
        let place = match () {
            () if opening => Place::Opening,
            () if disk.is_open("steps.db") => Place::Checkpoint,
            () if disk.is_open("steps.db-wal") => Place::Commit,
            () => Place::Quiet,
        };
        places.entry(place).or_default().insert(number);
    }
    places
}

/// Puts into a folder what is left when the power is cut after these calls. Returns the log.
fn lay(calls: &[Call], log: &[u8], folder: &Path, random: &mut Random) -> String {
    let mut disk = Disk::default();
    for (number, call) in calls.iter().enumerate() {
        disk.take(number, call);
    }
    for (name, bytes) in disk.cut(random) {
        fs::write(folder.join(name), bytes).expect("a file is written");
    }
    let length = usize::try_from(disk.log).expect("a length").min(log.len());
    let text = String::from_utf8_lossy(&log[..length]).into_owned();
    fs::write(folder.join("log"), &text).expect("a file is written");
    // The process is as dead as one that was killed.
    if let Some(record) = records(&text).next() {
        let log = Log::open(folder).expect("the log can be opened");
        log.of(record.pid, What::Killed, NONE, "");
    }
    text
}

/// The database is one.
fn sound(folder: &Path) {
    let path = database(folder);
    let connection = rusqlite::Connection::open(path).expect("the database opens");
    let answer: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("its integrity can be checked");
    assert_eq!(answer, "ok", "the integrity check");
}
