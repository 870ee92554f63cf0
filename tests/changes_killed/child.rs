//! A process that runs an execution and tells its end, or kills itself before or after that.

use std::{fs::OpenOptions, io::Write as _, path::Path, time::Duration};

use steps::{
    engine::{Engine, OnChange, StatusChange},
    prelude::*,
};

/// The first argument of a child.
pub(crate) const CHILD: &str = "--as-child";

#[step]
async fn one() -> Result<u32, String> {
    Ok(1)
}

#[flow]
async fn job() -> Result<u32, String> {
    steps! { one = one(); }
    Ok(one)
}

fn die() {
    let own = nix::unistd::Pid::this();
    nix::sys::signal::kill(own, nix::sys::signal::Signal::SIGKILL).expect("it is killed");
}

fn write_down(file: &Path, change: &StatusChange) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    writeln!(file, "{} {} {}", change.execution, change.to, change.key())
}

pub(crate) fn run(role: &str, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (role, folder) = (role.to_owned(), folder.to_owned());
    runtime.block_on(async {
        let url = format!("sqlite:{}", folder.join("steps.db").display());
        let told = folder.join("told");
        let dies = role.clone();
        let tell = move |change: StatusChange| {
            println!("called {}", change.execution);
            if dies == "dies-before" {
                die();
            }
            write_down(&told, &change).expect("it is written");
            if dies == "dies-after" {
                die();
            }
            std::future::ready(Ok::<(), String>(()))
        };
        let on = OnChange::new().flow::<job>().status(Status::Done);
        let engine = Engine::open(&url).await.expect("it opens");
        let engine = engine
            .serve(job::with())
            .on_execution_change("tell", on, tell);
        let engine = engine
            .lease(Duration::from_secs(1))
            .start()
            .await
            .expect("it starts");
        if role != "lives" {
            let run = engine
                .start(job::input())
                .id(&role)
                .await
                .expect("it starts");
            run.outcome().await.expect("it is done");
            // The call comes on another task.
            tokio::time::sleep(Duration::from_secs(30)).await;
            panic!("it should have been killed");
        }
        loop {
            let all = engine.subscriptions().await.expect("they are there");
            if all.iter().all(|it| it.info.waiting == 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        engine
            .shutdown(Duration::from_secs(5))
            .await
            .expect("it ends");
    });
}
