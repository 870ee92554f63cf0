//! A worker process. Each line of its input is an order, and each line that it writes and that starts with `> ` is for
//! the scenario.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use steps::{Engine, Open as _, engine::Retention, prelude::*};

/// The first argument of a child.
pub(crate) const CHILD: &str = "child";

/// After this a dead process' executions are taken over.
pub(crate) const LEASE: Duration = Duration::from_secs(5);

/// Tells that it has begun, and ends once the file `go` is there.
#[step]
async fn holds(cx: &Cx, folder: &Path) -> Result<(), String> {
    println!("> begun {}", cx.execution());
    while !folder.join("go").exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[flow]
pub(crate) async fn hold(folder: &PathBuf) -> Result<(), String> {
    steps! { holds(cx, folder.as_path()); }
    Ok(())
}

#[step]
async fn says(cx: &Cx) -> Result<(), String> {
    println!("> begun {}", cx.execution());
    Ok(())
}

/// Does nothing for some milliseconds.
#[flow]
pub(crate) async fn nap(millis: u64) -> Result<(), String> {
    steps! {
        pause = steps::sleep(Duration::from_millis(millis));
        says(cx);
    }
    let () = pause;
    Ok(())
}

/// What is kept for a second.
#[flow]
pub(crate) async fn trifle() -> Result<(), String> {
    steps! { says(cx); }
    Ok(())
}

/// What is kept for half an hour.
#[flow]
pub(crate) async fn record() -> Result<(), String> {
    steps! { says(cx); }
    Ok(())
}

pub(crate) fn run(url: &str, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(worker(url, folder));
}

async fn worker(url: &str, folder: &Path) {
    let engine = Engine::open(url).await.expect("it opens");
    let engine = engine
        .lease(LEASE)
        .poll(Duration::from_millis(100))
        .retain(Retention::of_flow::<trifle>().for_time("1s"))
        .retain(Retention::of_flow::<record>().for_time("30m"))
        .sweep_every(Duration::from_millis(200))
        .serve(hold::with(folder.to_owned()))
        .serve(nap::with())
        .serve(trifle::with())
        .serve(record::with());
    let engine = engine.start().await.expect("it starts");
    println!("> up at {}", jiff::Timestamp::now());
    // Not on a thread of the runtime, whose end would wait for it.
    let (orders, mut order) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            drop(orders.send(line.expect("a line")));
        }
    });
    while let Some(line) = order.recv().await {
        let words: Vec<&str> = line.split(' ').collect();
        let start = match words[..] {
            ["hold", id] => engine.start(hold::input()).id(id).await.map(drop),
            ["nap", id, millis] => {
                let millis = millis.parse().expect("a number");
                engine.start(nap::input(millis)).id(id).await.map(drop)
            }
            ["record", id] => engine.start(record::input()).id(id).await.map(drop),
            ["trifle", id] => engine.start(trifle::input()).id(id).await.map(drop),
            ["later", id, millis] => {
                let pause = Duration::from_millis(millis.parse().expect("a number"));
                let start = engine.start(nap::input(0)).id(id).after(pause);
                start.await.map(drop)
            }
            ["every", name, every] => {
                let schedule = engine.schedule(name, nap::input(0)).every(every);
                schedule.await.map(drop)
            }
            ["at", name, time] => {
                let time = time.parse().expect("a time");
                let schedule = engine.schedule(name, nap::input(0)).at(time);
                schedule.await.map(drop)
            }
            _ => panic!("no order: {line}"),
        };
        start.expect("it is done");
        println!("> did {line}");
    }
}
