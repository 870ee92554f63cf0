//! A process that continues the unfinished executions of a killed process.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::{
    Bench, Error, Result, child,
    drive::{Place, engine, turn},
    figures::{Pairs, commas, median},
    flows::{AT_GATE, WRONG, twenty},
    table::{Aim, Row, Table},
};

pub(crate) const TOPIC: &str = "takeup";
pub(crate) const CHILD: &str = "leave";

/// How long the leases of a dead process last: the engine's default.
const LEASE: Duration = Duration::from_secs(10);

/// The number of repetitions.
const TURNS: usize = 3;

/// Stores with unfinished executions. They can't be claimed before their leases end, so they are
/// created first and measured last.
pub(crate) struct Left(Option<Files>);

struct Files {
    few: (u64, PathBuf),
    many: (u64, PathBuf),
    killed: Instant,
}

impl Left {
    pub(crate) fn prepare(bench: &Bench, table: &Table) -> Result<Self> {
        if !table.wants(TOPIC) {
            return Ok(Self(None));
        }
        let make = |count: u64| {
            let file = bench.disk.file(&format!("left-{count}.db"));
            leave(&file, count).map(|()| (count, file))
        };
        Ok(Self(Some(Files {
            few: make(bench.size.pick(2500, 500))?,
            many: make(bench.size.pick(10_000, 2000))?,
            killed: Instant::now(),
        })))
    }

    pub(crate) fn rows(self, bench: &Bench, table: &mut Table) -> Result {
        match self.0 {
            None => Ok(()),
            Some(files) => files.rows(bench, table),
        }
    }
}

/// Runs executions of 20 steps up to their 11th step in another process, and kills it.
fn leave(file: &Path, count: u64) -> Result {
    let mut child = child::command(CHILD, file, [count, 0])?
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut said)?;
    }
    child.kill()?;
    child.wait()?;
    if said.trim() != "all at the gate" {
        return Err(format!("{count} executions did not get to their middle").into());
    }
    // After this, a copy needs only the file itself.
    let conn = Connection::open(file)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

pub(crate) async fn child(file: &Path, [count, _]: [u64; 2]) -> Result {
    let engine = engine(Place::Normal(file), usize::try_from(count)?).await?;
    let mut tasks = JoinSet::new();
    for place in 0..64 {
        let engine = engine.clone();
        tasks.spawn(async move {
            for n in (0..count).filter(|n| n % 64 == place) {
                engine.start(twenty::input(n)).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    at_gate(count).await?;
    println!("all at the gate");
    std::future::pending().await
}

/// Waits until this many executions have reached the step that never ends.
async fn at_gate(count: u64) -> Result {
    let start = Instant::now();
    while AT_GATE.load(Ordering::Relaxed) < count {
        if start.elapsed() > Duration::from_mins(2) {
            let found = AT_GATE.load(Ordering::Relaxed);
            return Err(format!("{found} of {count} executions came to their middle").into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

impl Files {
    fn rows(self, bench: &Bench, table: &mut Table) -> Result {
        let left = LEASE.saturating_sub(self.killed.elapsed());
        std::thread::sleep(left + Duration::from_millis(100));
        let steps = bench.disk.file("takeup-steps.db");
        let steps = bench.runtime.block_on(engine(Place::Full(&steps), 64))?;
        let window = Duration::from_millis(bench.size.pick(400, 100));
        let (mut few, mut cost) = (Vec::new(), Pairs::new());
        let mut growth = Pairs::new();
        for index in 0..TURNS {
            let small = take_up(bench, &self.few, index)?;
            let large = take_up(bench, &self.many, index)?;
            let step = bench.runtime.block_on(turn(&steps, 64, window))?;
            few.push(small);
            growth.add(large, small);
            cost.add(large, 5e6 / step.rate);
        }
        let [small, large] = [&self.few, &self.many].map(|(count, _)| commas(*count as f64));
        table.row(
            Row::new(
                format!("taking up an execution of 20 steps from its middle, of {large}"),
                format!("{:.0} µs", cost.ours()),
            )
            .beside(
                format!("{:.0} µs for 5 steps, 64 at a time", cost.beside()),
                cost.ratio(),
            )
            .ratio_aim(Aim::AtMost(1.0)),
        );
        table.row(
            Row::new("the same again", format!("{:.0} µs", growth.ours()))
                .beside(format!("{:.0} µs of {small}", median(few)), growth.ratio())
                .ratio_aim(Aim::AtMost(1.2)),
        );
        Ok(())
    }
}

/// Returns the microseconds per execution, from the opening of the store until every execution is
/// at its previous step again.
fn take_up(bench: &Bench, (count, left): &(u64, PathBuf), index: usize) -> Result<f64> {
    let file = bench.disk.file(&format!("taken-{count}-{index}.db"));
    fs::copy(left, &file)?;
    fs::File::open(&file)?.sync_all()?;
    bench.runtime.block_on(async {
        AT_GATE.store(0, Ordering::Relaxed);
        let start = Instant::now();
        let engine = engine(Place::Full(&file), usize::try_from(*count)?).await?;
        at_gate(*count).await?;
        let took = start.elapsed();
        tokio::time::sleep(Duration::from_millis(20)).await;
        if AT_GATE.load(Ordering::Relaxed) != *count || WRONG.load(Ordering::Relaxed) {
            return Err("what was taken up is not what was left".into());
        }
        // This stops the engine as if it were killed. The store's threads close the file.
        drop(engine);
        closed(&file).await;
        Ok(took.as_secs_f64() * 1e6 / *count as f64)
    })
}

/// Waits until the database is closed everywhere: SQLite then deletes its log.
async fn closed(file: &Path) {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    for _ in 0..500 {
        if !Path::new(&log).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
