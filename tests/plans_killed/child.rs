//! A process that runs the plan, or takes it up, and may kill itself in one of its steps.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use steps::{Plan, prelude::*};

/// The first argument of a child.
pub(crate) const CHILD: &str = "--as-child";

/// What was done: a file has a line for each effect.
struct World {
    file: PathBuf,
    dies_at: String,
}

impl World {
    /// Does it, and dies after that, if it is time.
    fn act(&self, what: &str) -> Result<(), String> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file);
        let written = file.and_then(|mut file| writeln!(file, "{what}"));
        written.map_err(|error| error.to_string())?;
        if what == self.dies_at {
            let own = nix::unistd::Pid::this();
            nix::sys::signal::kill(own, nix::sys::signal::Signal::SIGKILL).expect("it is killed");
        }
        Ok(())
    }
}

#[step]
async fn act(world: &World, after: Option<String>, cx: &Cx) -> Result<String, String> {
    let name = cx.item().unwrap_or_default();
    world.act(&name)?;
    Ok(format!("{}{name}", after.unwrap_or_default()))
}

#[undo(act)]
async fn act_back(world: &World, _: Option<String>, _: &Cx, done: &String) -> Result<(), String> {
    world.act(&format!("undo {done}"))
}

#[step]
async fn fail(text: &str) -> Result<(), String> {
    Err(text.to_owned())
}

#[plan]
async fn work(world: &World) {
    steps! {
        act(world, after: Option<String>, cx);
        fail(text: &str);
    }
}

/// `a`, then `b` and `c`, each in a group of its own, at once with `d`; then `e`, and an end that fails.
fn plan() -> Plan<work> {
    let mut plan = work::plan();
    let a = plan.step("a", work::act(None));
    let b = plan.parallel("p", |p| {
        let b = p.in_order("q", |q| {
            let b = q.step("b", work::act(&a));
            q.step("c", work::act(&b));
            b
        });
        p.step("d", work::act(&a));
        b
    });
    plan.step("e", work::act(&b));
    plan.step("end", work::fail("it fails"));
    plan.build().expect("it is one")
}

pub(crate) fn run(dies_at: &str, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let most = Duration::from_mins(1);
    let done = runtime.block_on(async { tokio::time::timeout(most, play(dies_at, folder)).await });
    done.expect("it takes too long");
}

async fn play(dies_at: &str, folder: &Path) {
    let url = format!("sqlite:{}", folder.join("steps.db").display());
    let world = Arc::new(World {
        file: folder.join("done"),
        dies_at: dies_at.to_owned(),
    });
    let engine = Engine::open(&url).await.expect("it opens");
    let engine = engine
        .lease(Duration::from_secs(1))
        .serve(work::with(world));
    let engine = engine.start().await.expect("it starts");
    let run = match engine.execution::<work>("job").await {
        Ok(left) => left,
        Err(_) => engine
            .start(work::input(plan()))
            .id("job")
            .await
            .expect("it starts"),
    };
    let failure = run.outcome().await.expect_err("it fails");
    assert_eq!(run.status().await.expect("it is there"), Status::Undone);
    println!("{failure}");
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");
}
