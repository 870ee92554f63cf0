//! The database is full while executions run: who asks is told, nothing that was acknowledged is
//! lost, and once there is room all goes on.

use std::{sync::mpsc::channel, time::Duration};

use crate::{
    child::{Orders, Task},
    faults::PATIENCE,
    finish::finish,
    log::{Log, NONE, Record, What, records},
    process::Process,
    scenario::{Folder, Size},
};

const LEASE: Duration = Duration::from_millis(250);

pub(crate) fn full(_: Size) {
    let folder = Folder::new();
    let log = Log::open(folder.path()).expect("the log can be opened");
    let orders = Orders {
        folder: folder.path().to_owned(),
        slot: 0,
        life: 1,
        target: "-".to_owned(),
        lease: LEASE,
        what: Task::Fill,
        settings: "?max_pages=60".to_owned(),
    };
    let (said, _hear) = channel();
    let mut process = Process::start(&orders, &log, &said);
    let ended = process.wait(PATIENCE);
    assert!(
        ended.is_some_and(|status| status.success()),
        "waited {PATIENCE:?} for a child to be told that there is no space, which came to {ended:?}"
    );
    log.of(process.pid(), What::Killed, NONE, "");
    let text = log.text_from(0);
    let told = |what: What| {
        let full =
            |record: &Record<'_>| record.what == what && record.more.contains("no space left");
        records(&text).filter(full).count()
    };
    let (starts, outcomes) = (told(What::Refused), told(What::Outcome));
    assert!(starts > 0, "no start was refused for want of space");
    assert!(outcomes > 0, "no outcome told of the want of space");
    let checked = finish(folder.path(), LEASE);
    println!("  {starts} starts refused, {outcomes} outcomes told why; then {checked}");
    assert!(checked.acknowledged > 0, "nothing was started before");
}
