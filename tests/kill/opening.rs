//! Processes that are killed while they open a database that is not there yet: the next one opens it.

use std::{
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use crate::{
    child::{Orders, READY, Task, database},
    faults::PATIENCE,
    finish::runtime,
    log::{Log, What, records},
    places::{Place, places},
    process::{Process, Said},
    random::Random,
    scenario::{Folder, Size},
    stored,
};

pub(crate) fn killed(size: Size) {
    let mut random = Random::new(size.seed);
    let mut inside = 0;
    let mut halfway = 0;
    // How long it takes, by the first one, which is left alone.
    let mut usual = Duration::ZERO;
    let folders = (size.kills / 7).max(20);
    for number in 0..folders {
        let folder = Folder::new();
        let log = Log::open(folder.path()).expect("the log can be opened");
        let kills = if number == 0 { 0 } else { random.within(1..4) };
        for life in 0..kills {
            let micros = u64::try_from(usual.as_micros()).expect("a short time");
            let wait = Duration::from_micros(random.within(0..micros * 5 / 4));
            if let Some(struck) = kill_after(&orders(&folder, life), &log, wait) {
                inside += u64::from(struck);
                // Something is there, and no engine has worked on it yet.
                let whole = log.text_from(0).contains("\nready ");
                halfway += u64::from(struck && !whole && database(folder.path()).exists());
            }
        }
        usual = usual.max(open(&orders(&folder, kills), &log));
        let stored = runtime().block_on(stored::read(&database(folder.path())));
        for record in records(&log.text_from(0)).filter(|record| record.what == What::Ack) {
            let id = record.execution;
            assert!(
                stored.contains_key(id),
                "{id} was acknowledged, and is not there"
            );
        }
        assert!(!stored.is_empty(), "the last one started an execution");
    }
    println!("  {folders} databases, {inside} kills while one was opened, {halfway} halfway made");
    assert!(inside > 0, "no kill struck inside an opening");
    assert!(halfway > 0, "no kill struck while a database was made");
}

fn orders(folder: &Folder, life: u64) -> Orders {
    Orders {
        folder: folder.path().to_owned(),
        slot: 0,
        life,
        target: "-".to_owned(),
        lease: Duration::from_millis(250),
        what: Task::Open,
        settings: String::new(),
    }
}

/// Kills a process that long after it began to open the database. Whether that was before its
/// engine worked; none if it was faster, and had ended.
fn kill_after(orders: &Orders, log: &Log, wait: Duration) -> Option<bool> {
    let (said, hear) = channel();
    let mut process = Process::start(orders, log, &said);
    let first: Said = hear
        .recv_timeout(PATIENCE)
        .expect("a child says that it opens");
    assert_eq!(first.line, "opening");
    thread::sleep(wait);
    if let Some(status) = process.ended() {
        assert!(status.success(), "a child ended with {status}");
        return None;
    }
    process.kill();
    let text = log.text_from(process.start);
    Some(places(&text, process.pid()).contains(&Place::Opening))
}

/// Lets a process open the database, start an execution and end. Returns how long the opening took.
fn open(orders: &Orders, log: &Log) -> Duration {
    let (said, hear) = channel();
    let mut process = Process::start(orders, log, &said);
    let mut begin = Instant::now();
    loop {
        let said = hear
            .recv_timeout(PATIENCE)
            .expect("a child says that it is ready");
        match &*said.line {
            READY => break,
            _ => begin = Instant::now(),
        }
    }
    let took = begin.elapsed();
    let ended = process.wait(PATIENCE);
    assert!(
        ended.is_some_and(|status| status.success()),
        "waited {PATIENCE:?} for a child to start one execution, which came to: {ended:?}"
    );
    took
}
