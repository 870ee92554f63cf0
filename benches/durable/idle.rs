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
    flows::{alarm, asleep, signalled},
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

    let [bytes] = answer(FILL, &file, [count, 0])?[..] else {
        return Err("what filled the store has not said how".into());
    };
    let what = format!("memory of a waiting execution, in the process that began {of}");
    table.row(Row::new(what, format!("{bytes:.0} bytes")));

    let [bytes, share, rest @ ..] = &answer(REST, &file, [count, seconds])?[..] else {
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
    Ok(())
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

/// Starts executions, half of them with a timer and half with a signal, and prints how many bytes
/// each adds to the process.
pub(crate) async fn fill(file: &Path, [count, _]: [u64; 2]) -> Result {
    let engine = engine(Place::Normal(file), 64).await?;
    begin(&engine, 0, FIRST).await?;
    let before = process::memory()?;
    begin(&engine, FIRST, count).await?;
    println!("{}", (process::memory()? - before) / (count - FIRST) as f64);
    engine.shutdown(Duration::from_secs(30)).await?;
    Ok(())
}

/// Starts executions, and waits until all of them wait.
async fn begin(engine: &Engine, from: u64, to: u64) -> Result {
    let mut tasks = JoinSet::new();
    for place in 0..64 {
        let engine = engine.clone();
        tasks.spawn(async move {
            for n in (from..to).filter(|n| n % 64 == place) {
                if n % 2 == 0 {
                    engine.start(signalled::input(n)).await?;
                } else {
                    engine.start(asleep::input(n)).await?;
                }
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let waiting = Filter::new().status(Status::Waiting);
    for _ in 0..1000 {
        if engine.count(waiting.clone()).await? == to {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(format!("{to} executions don't all wait").into())
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
