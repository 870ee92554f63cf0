//! The end of a round: one more process, which is left alone until all has ended; then the checks.

use std::{path::Path, sync::mpsc::channel, time::Duration};

use crate::{
    checked::Checked,
    checks::check,
    child::{Orders, Task, database},
    faults::PATIENCE,
    log::Log,
    process::Process,
    stored,
};

/// Lets all that there is come to its end, and checks it.
///
/// # Panics
///
/// Where it does not, or a rule is broken.
pub(crate) fn finish(folder: &Path, lease: Duration) -> Checked {
    let log = Log::open(folder).expect("the log can be opened");
    let orders = Orders {
        folder: folder.to_owned(),
        slot: 99,
        life: 0,
        target: "-".to_owned(),
        lease,
        what: Task::Finish,
        settings: String::new(),
    };
    let (said, _hear) = channel();
    let mut process = Process::start(&orders, &log, &said);
    match process.wait(PATIENCE) {
        Some(status) => assert!(status.success(), "the last process ended with {status}"),
        None => {
            process.kill();
            let left = unfinished(folder).join("\n  ");
            panic!("waited {PATIENCE:?} for these executions to end:\n  {left}");
        }
    }
    let stored = runtime().block_on(stored::read(&database(folder)));
    let checked = check(&stored, &log.text_from(0));
    if !checked.broken.is_empty() {
        let some: Vec<_> = checked.broken.iter().take(20).map(|b| &**b).collect();
        let (count, some) = (checked.broken.len(), some.join("\n  "));
        panic!("{count} rules are broken:\n  {some}");
    }
    checked
}

fn unfinished(folder: &Path) -> Vec<String> {
    let stored = runtime().block_on(stored::read(&database(folder)));
    let ended = |status: &str| matches!(status, "done" | "undone");
    stored
        .into_iter()
        .filter(|(_, stored)| !ended(&stored.status))
        .map(|(id, stored)| {
            let open = stored.nodes.iter().filter(|(_, node)| {
                matches!(
                    &*node.status,
                    "running" | "waiting" | "undoing" | "undo_failed"
                )
            });
            let open: Vec<_> = open
                .map(|(path, node)| format!("{path} {}", node.status))
                .collect();
            format!("{id} is {}: {}", stored.status, open.join(", "))
        })
        .collect()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}
