//! `kill -9` of a process whose step has logged: what was written is there, and what was logged just before
//! is not.

use std::{
    env, os::unix::process::ExitStatusExt as _, path::Path, process::Command, time::Duration,
};

use steps::prelude::*;

/// Names the folder of the store, in a child.
const FOLDER: &str = "STEPS_TEST_LOG_FOLDER";

#[step]
async fn print(cx: &Cx, dies: bool) -> Result<(), String> {
    cx.log("begins");
    if dies {
        // Much longer than a line waits to be written.
        tokio::time::sleep(Duration::from_secs(3)).await;
        cx.log("dies");
        let own = nix::unistd::Pid::this();
        nix::sys::signal::kill(own, nix::sys::signal::Signal::SIGKILL).expect("it is killed");
    }
    Ok(())
}

#[flow]
async fn paper(dies: bool) -> Result<(), String> {
    steps! { printed = print(cx, dies); }
    let _: () = printed;
    Ok(())
}

async fn open(folder: &Path) -> Engine {
    let url = format!("sqlite:{}", folder.join("steps.db").display());
    let builder = Engine::open(&url).await.expect("it opens");
    builder.start().await.expect("it starts")
}

/// Not a test, but the child of the one below.
#[tokio::test]
#[ignore = "it kills its process"]
async fn child() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let url = format!("sqlite:{}", Path::new(&folder).join("steps.db").display());
    let builder = Engine::open(&url)
        .await
        .expect("it opens")
        .serve(paper::with());
    let engine = builder.start().await.expect("it starts");
    let run = engine
        .start(paper::input(true))
        .id("p")
        .await
        .expect("it starts");
    let _ = run.outcome().await;
}

#[tokio::test]
async fn a_log_outlasts_its_process_up_to_the_last_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "killed::child", "--ignored", "--nocapture"]);
    let output = command.env(FOLDER, folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.signal(), Some(9), "{said}");
    let engine = open(folder.path()).await;
    let lines = engine.get("p").await.unwrap().log().await.unwrap();
    let told: Vec<&str> = lines.iter().map(|line| &*line.message).collect();
    assert_eq!(told, ["begins"]);
}
