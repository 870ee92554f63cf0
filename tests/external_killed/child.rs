//! A process that submits a task, reports on it, or takes up what another one has left; two of them kill
//! themselves.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use steps::{External, Reported, TaskId, TaskReport, prelude::*};

/// The first argument of a child.
pub(crate) const CHILD: &str = "--as-child";

/// The id of the one execution.
const ID: &str = "job";

/// The other side: a file has a line for each submission.
struct Scanner {
    file: PathBuf,
    dies: bool,
}

impl Scanner {
    fn submit(&self, task: &TaskId) -> Result<(), String> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file);
        let written = file.and_then(|mut file| writeln!(file, "{task}"));
        written.map_err(|error| error.to_string())
    }
}

#[step(external)]
async fn scan(scanner: &Scanner, cx: &Cx) -> Result<External<u32>, String> {
    scanner.submit(&cx.task_id())?;
    if scanner.dies {
        die();
    }
    Ok(External::submitted())
}

#[flow]
async fn job(scanner: &Scanner) -> Result<u32, String> {
    steps! { flaws = scan(scanner, cx); }
    Ok(flaws)
}

fn die() {
    let own = nix::unistd::Pid::this();
    nix::sys::signal::kill(own, nix::sys::signal::Signal::SIGKILL).expect("it is killed");
}

pub(crate) fn run(role: &str, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let most = Duration::from_mins(1);
    let done = runtime.block_on(async { tokio::time::timeout(most, play(role, folder)).await });
    done.expect("it takes too long");
}

async fn play(role: &str, folder: &Path) {
    let url = format!("sqlite:{}", folder.join("steps.db").display());
    let file = folder.join("submitted");
    let engine = Engine::open(&url).await.expect("it opens");
    let engine = engine.lease(Duration::from_secs(1));
    if let "reports" | "reports-and-dies" = role {
        // It serves no flow: whoever runs tasks knows none.
        let engine = engine.start().await.expect("it starts");
        let submitted = fs::read_to_string(file).expect("it was submitted");
        let line = submitted.lines().next().expect("there is a line");
        let task: TaskId = line.parse().expect("it is an id");
        let report = TaskReport::done(1, &3).expect("it is a report");
        let answer = engine.report(&task, report).await.expect("it is reported");
        assert_eq!(answer, Reported::Taken);
        println!("reported");
        if role == "reports-and-dies" {
            die();
        }
        engine
            .shutdown(Duration::from_secs(5))
            .await
            .expect("it ends");
        return;
    }
    let dies = role == "submits-and-dies";
    let scanner = Arc::new(Scanner { file, dies });
    let engine = engine.serve(job::with(scanner));
    let engine = engine.start().await.expect("it starts");
    if dies {
        let run = engine.start(job::input()).id(ID).await.expect("it starts");
        let ended = run.ended().await;
        panic!("it should have been killed: {ended:?}");
    }
    let run = engine
        .execution::<job>(ID)
        .await
        .expect("it was left behind");
    if role == "takes-over" {
        while run.status().await.expect("it is there") != Status::Waiting {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    } else {
        println!("flaws: {}", run.outcome().await.expect("it is done"));
    }
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");
}
