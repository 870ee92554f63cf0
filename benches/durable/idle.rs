//! The cost of waiting executions: memory, processor time, and the delay of timers.

use std::{path::Path, process::Stdio, time::Duration};

use jiff::Timestamp;
use steps::{
    Engine, Status,
    engine::{Execution, Filter},
    state::Until,
};
use tokio::task::JoinSet;

use crate::{
    Bench, Error, Result, child,
    drive::{Place, engine},
    figures::{Times, commas},
    flows::{alarm, asleep, raced, signalled},
    process,
    table::{Aim, Row, Table},
};

pub(crate) const FILL: &str = "fill";
pub(crate) const REST: &str = "rest";

/// Started before the first measurement of memory, to fill caches and pools.
const FIRST: u64 = 2000;

pub(crate) fn rows(bench: &Bench, table: &mut Table) -> Result {
    let file = bench.disk.file("idle.db");
    let count = bench.size.pick(100_000, 10_000);
    let seconds = bench.size.pick(10, 2);
    let of = commas(count as f64);

    let [bytes, _] = filled(&file, count, OF_BOTH)?;
    let what = format!("memory of a waiting execution, in the process that began {of}");
    table.row(Row::new(what, format!("{bytes:.0} bytes")));

    let rested = answer(REST, &file, [count, seconds])?;
    let [bytes, share, rest @ ..] = &rested[..] else {
        return Err("what rested has not said how".into());
    };
    let what = format!("the same, in a process that finds {of} in the store");
    table.row(Row::new(what, format!("{bytes:.0} bytes")));
    let what = format!("processor, {of} waiting for timers and signals, over {seconds} s");
    let percent = 100.0 * share;
    table.row(Row::new(what, format!("{percent:.2} % of a core")).aim(
        percent,
        Aim::AtMost(1.0),
        " %",
    ));

    let late = Times::new(rest.iter().map(|s| Duration::from_secs_f64(*s)).collect());
    let what = format!("a timer is late, {of} waiting: p50 / p99 of {}", late.len());
    let worst = late.quantile(0.99).as_secs_f64() * 1e3;
    table.row(Row::new(what, late.to_string()).aim(worst, Aim::AtMost(50.0), " ms"));
    races(bench, table, count, seconds)
}

/// What it costs to wait for a signal or a time, against waiting for a time alone.
fn races(bench: &Bench, table: &mut Table, count: u64, seconds: u64) -> Result {
    let cost = |name: &str, kind: u64| -> Result<[f64; 5]> {
        let file = bench.disk.file(&format!("idle-{name}.db"));
        let [bytes, begin] = filled(&file, count, kind)?;
        let size = std::fs::metadata(&file)?.len() as f64 / count as f64;
        let rested = answer(REST, &file, [count, seconds])?;
        let [in_other, share, ..] = rested[..] else {
            return Err("what rested has not said how".into());
        };
        Ok([begin * 1e6, bytes, in_other, size, 100.0 * share])
    };
    // Whoever comes first pays for what is made once.
    cost("first", SLEEPS)?;
    let (sleeps, races) = (cost("sleeps", SLEEPS)?, cost("races", RACES)?);
    let of = commas(count as f64);
    let what = [
        ("processor, to begin it", "µs"),
        ("memory, in the process that began them", "bytes"),
        ("memory, in a process that finds them in the store", "bytes"),
        ("the file", "bytes"),
        ("processor, while all wait", "% of a core"),
    ];
    for ((what, unit), (race, sleep)) in what.into_iter().zip(races.into_iter().zip(sleeps)) {
        let what = format!("a race of a signal and a sleep, {of} waiting: {what}");
        let row = Row::new(what, format!("{race:.2} {unit}"));
        table.row(row.beside(format!("{sleep:.2} {unit} of a sleep"), race / sleep));
    }
    Ok(())
}

/// Which executions fill a store.
const OF_BOTH: u64 = 0;
const SLEEPS: u64 = 1;
const RACES: u64 = 2;

/// Fills a store. Returns what each execution adds to the memory of the process, in bytes, and how long the
/// processor works for it, in seconds.
fn filled(file: &Path, count: u64, kind: u64) -> Result<[f64; 2]> {
    let said = answer(FILL, file, [count, kind])?;
    said.try_into()
        .map_err(|_| "what filled the store has not said how".into())
}

/// Returns the numbers that a child prints.
fn answer(what: &str, file: &Path, counts: [u64; 2]) -> Result<Vec<f64>> {
    let output = child::command(what, file, counts)?
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the process that had to {what}: {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(str::parse).collect::<Result<_, _>>()?)
}

/// Starts executions of this kind: those of both have half of them a timer and half a signal. Prints how many
/// bytes each adds to the process, and how many seconds of the processor it takes.
pub(crate) async fn fill(file: &Path, [count, kind]: [u64; 2]) -> Result {
    let engine = engine(Place::Normal(file), 64).await?;
    begin(&engine, 0, FIRST, kind).await?;
    let (memory, cpu) = (process::memory()?, process::cpu()?);
    begin(&engine, FIRST, count, kind).await?;
    let each = |all: f64| all / (count - FIRST) as f64;
    println!("{}", each(process::memory()? - memory));
    println!("{}", each(process::cpu()? - cpu));
    engine.shutdown(Duration::from_secs(30)).await?;
    Ok(())
}

/// Starts executions, and waits until all of them wait.
async fn begin(engine: &Engine, from: u64, to: u64, kind: u64) -> Result {
    let mut tasks = JoinSet::new();
    for place in 0..64 {
        let engine = engine.clone();
        tasks.spawn(async move {
            for n in (from..to).filter(|n| n % 64 == place) {
                if kind == RACES {
                    engine.start(raced::input(n)).await?;
                } else if kind == SLEEPS || n % 2 == 1 {
                    engine.start(asleep::input(n)).await?;
                } else {
                    engine.start(signalled::input(n)).await?;
                }
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let waiting = Filter::new().status(Status::Waiting);
    let (mut most, mut looks) = (0, 0);
    while looks < 1000 {
        let count = engine.count(waiting.clone()).await?;
        if count == to {
            return Ok(());
        }
        // Starting them is faster than letting them come to their wait.
        looks = if count > most { 0 } else { looks + 1 };
        most = most.max(count);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(format!("{most} of {to} executions wait").into())
}

/// Opens a store with waiting executions. Prints the memory that each adds to the process, the
/// share of a core that is used while nothing happens, and the delay of each of some timers.
pub(crate) async fn rest(file: &Path, [count, seconds]: [u64; 2]) -> Result {
    let empty = file.with_extension("empty.db");
    let other = engine(Place::Full(&empty), 64).await?;
    late(&other, 0).await?;
    let before = process::memory()?;
    let engine = engine(Place::Full(file), 64).await?;
    let found = engine.count(Filter::new().status(Status::Waiting)).await?;
    if found != count {
        return Err(format!("{found} executions wait; it should be {count}").into());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!("{}", (process::memory()? - before) / count as f64);
    other.shutdown(Duration::from_secs(5)).await?;

    come_to_rest().await?;
    let pause = Duration::from_secs(seconds);
    let cpu = process::cpu()?;
    tokio::time::sleep(pause).await;
    let used = process::cpu()? - cpu;
    println!("{}", used / pause.as_secs_f64());

    let mut tasks = JoinSet::new();
    for n in 0..25 * seconds {
        let engine = engine.clone();
        tasks.spawn(async move { late(&engine, n).await });
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    while let Some(late) = tasks.join_next().await {
        println!("{}", late??);
    }
    engine.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}

/// Waits until an engine has done what it does when it starts: it compares what waits with its program. An
/// engine that never rests is measured all the same.
async fn come_to_rest() -> Result {
    const LOOK: Duration = Duration::from_millis(500);
    for _ in 0..60 {
        let cpu = process::cpu()?;
        tokio::time::sleep(LOOK).await;
        if process::cpu()? - cpu < 0.02 * LOOK.as_secs_f64() {
            break;
        }
    }
    Ok(())
}

/// Starts a flow that sleeps, and returns the delay of the step after the sleep, in seconds.
async fn late(engine: &Engine, n: u64) -> Result<f64> {
    // Longer than a wait inside a turn, and different for each timer.
    let millis = 100 + (n * 7919) % 1000;
    let run: Execution<alarm> = engine.start(alarm::input(millis)).await?;
    let due = loop {
        let state = run.tree().await?;
        if let Some(Until::Time(due)) = state.until {
            break due;
        }
        if state.status.is_final() {
            return Err("it has not slept".into());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    let at: Timestamp = run.outcome().await?;
    let late = at.duration_since(due).as_secs_f64();
    if late < 0.0 {
        return Err(format!("a timer was {late} s early").into());
    }
    Ok(late)
}
