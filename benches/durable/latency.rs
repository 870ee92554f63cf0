//! How long a caller waits for the acknowledgement of a start, and for the end of a short flow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use steps::{Engine, Status};
use tokio::task::JoinSet;

use crate::{
    Bench, Error, Result,
    drive::{Place, check_count, engine},
    figures::{Times, commas},
    flows::three,
    table::{Row, Table},
};

pub(crate) fn rows(bench: &Bench, table: &mut Table) -> Result {
    for (at_once, whole, quick) in [(1, 1000, 50), (64, 20_000, 1000), (1024, 20_000, 2048)] {
        let count = bench.size.pick(whole, quick);
        let file = bench.disk.file(&format!("latency-{at_once}.db"));
        let (starts, ends) = bench.runtime.block_on(async {
            let engine = engine(Place::Full(&file), at_once.max(64)).await?;
            let times = times(&engine, at_once, count).await?;
            check_count(&engine, Status::Done, count).await?;
            engine.shutdown(Duration::from_secs(5)).await?;
            Ok::<_, Error>(times)
        })?;
        let of = commas(starts.len() as f64);
        for (what, times) in [
            ("a start is acknowledged", starts),
            ("3 steps, from start to end", ends),
        ] {
            let what = format!("{what}, {at_once} at a time: p50 / p99 / p99.9 of {of}");
            table.row(Row::new(what, times.to_string()));
        }
    }
    Ok(())
}

async fn times(engine: &Engine, at_once: usize, count: u64) -> Result<(Times, Times)> {
    let begun = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..at_once {
        let (engine, begun) = (engine.clone(), Arc::clone(&begun));
        tasks.spawn(async move {
            let mut times = Vec::new();
            loop {
                let n = begun.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok::<_, Error>(times);
                }
                let start = Instant::now();
                let run = engine.start(three::input(n)).await?;
                let started = start.elapsed();
                let output = run.outcome().await?;
                times.push((started, start.elapsed()));
                if output != n + 3 {
                    return Err(format!("an execution gave {output}, not {}", n + 3).into());
                }
            }
        });
    }
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    while let Some(times) = tasks.join_next().await {
        for (start, end) in times?? {
            starts.push(start);
            ends.push(end);
        }
    }
    Ok((Times::new(starts), Times::new(ends)))
}
