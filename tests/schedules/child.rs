//! A process that registers a schedule, makes its ticks, and kills itself at one of them.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use steps::{
    engine::{Engine, Filter, Missed},
    prelude::*,
    sqlite::SqliteStore,
    testing::{Cut, CutStore},
};

/// The first argument of a child.
pub(crate) const CHILD: &str = "--as-child";

/// How many ticks are made in all.
pub(crate) const TICKS: u64 = 4;

#[step]
async fn write_down(cx: &Cx, file: &str) -> Result<(), String> {
    let tick = cx.tick().ok_or("no tick")?;
    let file = OpenOptions::new().create(true).append(true).open(file);
    let written = file.and_then(|mut file| file.write_all(format!("{tick}\n").as_bytes()));
    written.map_err(|error| error.to_string())
}

#[flow]
async fn ticks(file: String) -> Result<(), String> {
    steps! { write_down(cx, &file); }
    Ok(())
}

pub(crate) fn run(role: &str, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // The first call that counts of the first child is the registration; the others find it there.
        let cut = match role {
            "dies-before" => Some(Cut::Before(2)),
            "dies-after" => Some(Cut::After(1)),
            _ => None,
        };
        let url = format!("sqlite:{}", folder.join("steps.db").display());
        let store = SqliteStore::open(&url).await.expect("it opens");
        let store = CutStore::new(store).cut_at(cut);
        let engine = Engine::with_store(store.clone()).serve(ticks::with());
        let engine = engine.start().await.expect("it starts");
        let file = folder.join("ticks").display().to_string();
        let schedule = engine.schedule("each-second", ticks::input(file));
        let scheduled = schedule.every("1s").missed(Missed::All(1000)).await;
        let scheduled = scheduled.expect("it is kept");
        println!("{:?} {}", scheduled.change, scheduled.next[0]);
        if cut.is_some() {
            store.struck().await;
            let own = nix::unistd::Pid::this();
            nix::sys::signal::kill(own, nix::sys::signal::Signal::SIGKILL).expect("it is killed");
        }
        let done = || {
            Filter::new()
                .label("schedule", "each-second")
                .status(Status::Done)
        };
        while engine.count(done()).await.expect("a count") < TICKS {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        scheduled.schedule.pause().await.expect("it is there");
    });
}
