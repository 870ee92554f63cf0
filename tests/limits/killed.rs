//! Processes that are killed with `kill -9` while they work on a flow with a limit.

use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use steps::{
    Status,
    engine::{Filter, FlowLimits},
    prelude::*,
};

use crate::support::wait_for;

const CHILD: &str = "STEPS_LIMITS_CHILD";

#[step]
async fn note(cx: &Cx, file: &std::path::Path, what: &str) -> Result<(), String> {
    let line = format!("{what} {} {}\n", cx.execution(), std::process::id());
    let mut file = std::fs::File::options()
        .append(true)
        .create(true)
        .open(file)
        .unwrap();
    std::io::Write::write_all(&mut file, line.as_bytes()).map_err(|error| error.to_string())
}

/// Notes in a file when it begins and when it ends.
#[flow]
async fn noted(file: &std::path::Path, ms: u64) -> Result<(), String> {
    steps! {
        begins = note(cx, file, "begins");
        steps::sleep(Duration::from_millis(ms));
        ends   = note(cx, file, "ends");
    }
    Ok(())
}

async fn serve_noted(folder: &std::path::Path) -> Engine {
    let url = format!("sqlite:{}", folder.join("steps.db").display());
    let engine = Engine::open(&url).await.expect("it opens");
    let engine = engine
        .poll(Duration::from_millis(10))
        .lease(Duration::from_millis(400));
    let flow = noted::with(Arc::<std::path::Path>::from(folder.join("log")));
    let flow = flow.limits(FlowLimits::new().at_once(1));
    engine.serve(flow).start().await.expect("it starts")
}

/// A process that is killed when this is dropped.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().expect("it is killed");
        self.0.wait().expect("it has ended");
    }
}

/// A process of its own, if this was started as one: works until it is killed.
#[tokio::test]
async fn child() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let _engine = serve_noted(folder.as_ref()).await;
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn processes_that_are_killed_leave_their_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let spawn = || {
        let test = std::env::current_exe().expect("this program");
        let mut command = Command::new(test);
        command
            .args(["--exact", "killed::child"])
            .env(CHILD, folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Killed(command.spawn().expect("it starts"))
    };
    let url = format!("sqlite:{}", folder.path().join("steps.db").display());
    let front = Engine::open(&url)
        .await
        .expect("it opens")
        .start()
        .await
        .expect("it starts");
    for _ in 0..10 {
        front.start(noted::input(30)).await.expect("it is accepted");
    }
    let mut children = [spawn(), spawn(), spawn()];
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    for round in 1..=3 {
        wait_for("some more", async || {
            log().matches("ends").count() >= 2 * round
        })
        .await;
        // Whoever works now: kill -9.
        let last = log();
        let last = last
            .lines()
            .last()
            .and_then(|line| line.split(' ').next_back());
        let last: u32 = last.expect("a line").parse().expect("a number");
        for child in &mut children {
            if child.0.id() == last {
                // The old one is killed as it is dropped.
                *child = spawn();
            }
        }
    }
    wait_for("the end of all", async || {
        let done = Filter::new().flow::<noted>().status(Status::Done);
        front.count(done).await.expect("it counts") == 10
    })
    .await;
    drop(children);
    // Whatever was repeated, nothing of one lies between two lines of another.
    let log = log();
    let ids = log.lines().filter_map(|line| line.split(' ').nth(1));
    let mut ids: Vec<&str> = ids.collect();
    ids.dedup();
    assert_eq!(ids.len(), 10, "{log}");
}
