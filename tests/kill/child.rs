//! A child: a process that starts executions and runs them until it is killed, or until all that
//! there is has ended.

use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use steps::engine::{Concurrency, Engine};

use crate::{
    flows::{asks, beside, family, fan, held, kin, nest, order, rounds, stuck, withdrawn},
    log::{Log, NONE, What},
    operator, starter,
    target::Target,
    watched::Watched,
    world::World,
};

/// No child lives longer than this, whatever becomes of its parent.
const LIFE: Duration = Duration::from_mins(5);

/// How long a process works at least that is to end by itself, and how much it logs.
const BRIEFLY: (Duration, u64) = (Duration::from_millis(1500), 150_000);

/// What a child is told on its command line.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    /// Where the database and the log are.
    pub(crate) folder: PathBuf,
    /// Which of the processes that work at once.
    pub(crate) slot: u64,
    /// Which of those that came one after the other.
    pub(crate) life: u64,
    /// Where it says that it is there.
    pub(crate) target: String,
    pub(crate) lease: Duration,
    pub(crate) what: Task,
    /// What stands behind the file in the database's URL.
    pub(crate) settings: String,
}

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Starts executions and runs them, until it is killed.
    Work,
    /// Runs what there is to its end, and ends.
    Finish,
    /// Opens the database, starts one execution, and ends.
    Open,
    /// Works for a moment, and ends in the middle of it.
    Briefly,
    /// Works until it was told, in each way there is, that there is no space left.
    Fill,
}

impl Task {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Work, "work"),
        (Self::Finish, "finish"),
        (Self::Open, "open"),
        (Self::Briefly, "briefly"),
        (Self::Fill, "fill"),
    ];
}

impl Orders {
    /// As arguments of a command.
    pub(crate) fn to_args(&self) -> Vec<String> {
        let name = Task::NAMES.iter().find(|(task, _)| *task == self.what);
        vec![
            self.folder.display().to_string(),
            self.slot.to_string(),
            self.life.to_string(),
            self.target.clone(),
            self.lease.as_millis().to_string(),
            name.map_or("", |(_, name)| name).to_owned(),
            self.settings.clone(),
        ]
    }

    /// From arguments of a command.
    pub(crate) fn from_args(args: &[String]) -> Option<Self> {
        let [folder, slot, life, target, lease, what, settings] = args else {
            return None;
        };
        let (what, _) = Task::NAMES.into_iter().find(|(_, name)| name == what)?;
        Some(Self {
            folder: folder.into(),
            slot: slot.parse().ok()?,
            life: life.parse().ok()?,
            target: target.clone(),
            lease: Duration::from_millis(lease.parse().ok()?),
            what,
            settings: settings.clone(),
        })
    }
}

/// The database of a folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("steps.db")
}

/// What a child says when its engine works.
pub(crate) const READY: &str = "ready";

/// The child's whole life.
pub(crate) fn run(orders: &Orders) {
    end_with_the_parent();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(live(orders));
}

async fn live(orders: &Orders) {
    let log = Log::open(&orders.folder).expect("the log can be opened");
    let target: Target = orders.target.parse().expect("a target");
    log.mark(What::Opening, NONE, "");
    println!("opening");
    let url = format!(
        "sqlite:{}{}",
        database(&orders.folder).display(),
        orders.settings
    );
    let store = steps::sqlite::SqliteStore::open(&url)
        .await
        .expect("the store opens");
    let watched = Watched::new(store, log.clone(), target.clone());
    let world = Arc::new(World::new(log.clone(), target));
    let engine = Engine::with_store(watched)
        // That the processes are killed at any time is no fault of the steps.
        .limits(steps::RunLimits::DEFAULT.deaths(100_000))
        .serve(order::with(Arc::clone(&world)))
        .serve(fan::with(Arc::clone(&world)))
        .serve(rounds::with(Arc::clone(&world)))
        .serve(nest::with(Arc::clone(&world)))
        .serve(asks::with(Arc::clone(&world)))
        .serve(held::with(Arc::clone(&world)))
        .serve(stuck::with(Arc::clone(&world)))
        .serve(beside::with(Arc::clone(&world)))
        .serve(withdrawn::with(Arc::clone(&world)))
        .serve(family::with(Arc::clone(&world)))
        .serve(kin::with(world))
        .lease(orders.lease)
        .poll(Duration::from_millis(20))
        .concurrency(Concurrency::fixed(16))
        .start()
        .await
        .expect("the engine starts");
    log.mark(What::Ready, NONE, "");
    println!("{READY}");
    let work = async {
        let operator = operator::operate(&engine, &log);
        let starter = starter::start_many(&engine, &log, orders);
        tokio::join!(operator, starter);
    };
    match orders.what {
        Task::Work => work.await,
        Task::Briefly => {
            let enough = async {
                tokio::time::sleep(BRIEFLY.0).await;
                while log.len() < BRIEFLY.1 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::select! {
                () = work => {}
                () = enough => {}
            }
            // With no chance for anything to close itself.
            std::process::exit(0);
        }
        Task::Fill => {
            tokio::select! {
                () = work => {}
                () = starter::told_that_it_is_full(&engine, &log, orders) => {}
            }
            std::process::exit(0);
        }
        Task::Finish => {
            tokio::select! {
                () = operator::operate(&engine, &log) => {}
                () = operator::all_ended(&engine) => {}
            }
            engine
                .clone()
                .shutdown(Duration::from_secs(10))
                .await
                .expect("the engine shuts down");
        }
        Task::Open => starter::start_one(&engine, &log, orders).await,
    }
}

/// The parent holds the other end of standard input, and never writes.
fn end_with_the_parent() {
    // One that is stopped would not see that.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).expect("a signal is set");
    thread::spawn(|| {
        let mut nothing = [0];
        let _ = std::io::stdin().read(&mut nothing);
        std::process::exit(3);
    });
    thread::spawn(|| {
        thread::sleep(LIFE);
        std::process::exit(4);
    });
}
