//! Two versions of a program at once, as processes that are killed and exchanged at random: no effect
//! happens twice, none is missing, and nothing stands still that fits a living program.
//!
//! `STEPS_KILLS=5000` sets how many kills there are (200), of which an eighth is made here, as each takes
//! a while; `STEPS_SEED=…` sets which processes are killed, and when.

mod versions;

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use steps::{Engine, Status, engine::Filter};
use versions::{Desk, Version, open};

const CHILD: &str = "child";

/// `STEPS_KILLS`, unless it is set.
const KILLS: u64 = 200;

/// How many processes there are at once.
const PROCESSES: usize = 3;

/// How long the rest may take when nobody is killed any more.
const PATIENCE: Duration = Duration::from_mins(1);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    if let [first, version, folder, name] = &args[..]
        && first == CHILD
    {
        runtime.block_on(start_for_ever(version, Path::new(folder), name));
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|arg| arg == "--list") {
        println!("two_versions_are_killed_and_exchanged: test");
        return ExitCode::SUCCESS;
    }
    let seed = number("STEPS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let kills = number("STEPS_KILLS").unwrap_or(KILLS) / 8;
    println!("two versions, {kills} kills, seed {seed}");
    let folder = tempfile::tempdir().expect("a folder");
    exchange(folder.path(), kills, seed);
    runtime.block_on(check(folder.path()));
    ExitCode::SUCCESS
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// A process of one version: it starts executions, and runs those that fit it.
async fn start_for_ever(version: &str, folder: &Path, name: &str) {
    let version = Version::of(version);
    let engine = open(folder, &[version]).await.remove(0);
    for n in 0.. {
        let id = format!("{version:?}-{name}-{n}");
        version.start(&engine, &id, n % 5 == 4).await;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Kills processes at random, and starts others of one version or the other in their place.
fn exchange(folder: &Path, kills: u64, seed: u64) {
    let mut random = Random(seed);
    let mut begun = 0;
    let mut next = |random: &mut Random| {
        // The first is of the old version, which was there first.
        let version = match begun {
            0 => Version::Old,
            1 => Version::New,
            _ => random.of([Version::Old, Version::New]),
        };
        begun += 1;
        spawn(folder, version, begun)
    };
    let mut processes: Vec<Child> = Vec::new();
    for _ in 0..PROCESSES {
        processes.push(next(&mut random));
        std::thread::sleep(Duration::from_millis(300));
    }
    for _ in 0..kills {
        std::thread::sleep(Duration::from_millis(30 + random.below(400)));
        let at = usize::try_from(random.below(3)).expect("a small number");
        let mut killed = std::mem::replace(&mut processes[at], next(&mut random));
        let ended = killed.try_wait().expect("it is a child");
        assert!(
            ended.is_none(),
            "seed {seed}: a process ended by itself: {ended:?}"
        );
        end(&mut killed);
    }
    for process in &mut processes {
        end(process);
    }
}

fn spawn(folder: &Path, version: Version, number: u32) -> Child {
    let program = std::env::current_exe().expect("this program");
    Command::new(program)
        .arg(CHILD)
        .arg(format!("{version:?}"))
        .arg(folder)
        .arg(number.to_string())
        .stdin(Stdio::null())
        .spawn()
        .expect("a process")
}

fn end(process: &mut Child) {
    process.kill().expect("it is killed");
    process.wait().expect("it has ended");
}

/// Lets a process of each version finish the rest, and looks at what has happened.
async fn check(folder: &Path) {
    let engines = open(folder, &[Version::Old, Version::New]).await;
    let engine = &engines[0];
    let begun = Instant::now();
    while left(engine).await > 0 {
        assert!(
            begun.elapsed() < PATIENCE,
            "{} executions stand still: {:?}",
            left(engine).await,
            engine.list(Filter::new().unfinished().limit(3)).await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused = Filter::new().incompatible();
    assert_eq!(engine.count(refused).await.expect("a count"), 0);

    let desk = Desk::of(folder);
    assert_eq!(desk.twice(), BTreeSet::new(), "effects that happened twice");
    let mut counts = [[0; 2]; 2];
    let mut filter = Filter::new();
    loop {
        let page = engine.list(filter.clone()).await.expect("a list");
        let Some(last) = page.last() else { break };
        filter = filter.after(last);
        for info in page {
            let id = &info.id;
            let of = usize::from(id.starts_with("New"));
            counts[of][usize::from(info.status == Status::Done)] += 1;
            let has = |what: &str| desk.has(id, what);
            match info.status {
                Status::Done => {
                    assert!(has("ship"), "{id}: it was not shipped");
                    let invoice = has("invoice");
                    assert!(
                        of == 0 || invoice,
                        "{id} was begun by the new version: no invoice"
                    );
                }
                Status::Undone => assert!(has("ship") && has("return"), "{id}: not taken back"),
                other => panic!("{id} is {other}: {info:?}"),
            }
        }
    }
    println!("executions, of the old and the new version, undone and done: {counts:?}");
    assert!(
        counts.iter().flatten().all(|count| *count > 0),
        "{counts:?}"
    );
    for engine in engines {
        engine
            .shutdown(Duration::from_secs(5))
            .await
            .expect("it ends");
    }
}

async fn left(engine: &Engine) -> u64 {
    let unfinished = Filter::new().unfinished();
    engine.count(unfinished).await.expect("a count")
}

/// A `SplitMix64` generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn of<T: Copy>(&mut self, two: [T; 2]) -> T {
        two[usize::from(self.below(2) == 1)]
    }
}
