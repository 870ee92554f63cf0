//! Executions of many steps: a step of a long flow, compared with a step of a short flow of the same
//! form, and items at once, compared with items one after the other.

use std::time::{Duration, Instant};

use steps::{Engine, Flow, Input, Status};

use crate::{
    Bench, Result,
    drive::{Place, check_count, engine},
    figures::{Pairs, rate},
    flows::{hundred_at_once, items},
    table::{Aim, Row, Table},
};

const SHORT: u64 = 10;

pub(crate) fn rows(bench: &Bench, table: &mut Table) -> Result {
    in_turn(bench, table)?;
    at_once(bench, table)
}

/// Commits are not synced one by one, because that would hide the engine's own cost.
fn in_turn(bench: &Bench, table: &mut Table) -> Result {
    let long = bench.size.pick(10_000, 2000);
    let file = bench.disk.file("long.db");
    let engine = bench.runtime.block_on(engine(Place::Normal(&file), 1))?;
    let one = |count, executions| {
        bench
            .runtime
            .block_on(run(&engine, count, executions, items::input))
    };
    one(SHORT, 20)?;
    let (mut executions, mut pairs) = (20, Pairs::new());
    for _ in 0..5 {
        let shorts = long / SHORT / 4;
        let beside = one(SHORT, shorts)?;
        pairs.add(one(long, 1)?, beside);
        executions += shorts + 1;
    }
    table.row(
        Row::new(
            format!("a step of {long} `for` items, without syncs"),
            format!("{:.0} µs", pairs.ours()),
        )
        .beside(
            format!("{:.0} µs of {SHORT}", pairs.beside()),
            pairs.ratio(),
        )
        .ratio_aim(Aim::AtMost(1.2)),
    );
    bench.runtime.block_on(async {
        check_count(&engine, Status::Done, executions).await?;
        engine.shutdown(Duration::from_secs(5)).await?;
        Ok(())
    })
}

/// The items of one execution, which share their commits if they run at once.
fn at_once(bench: &Bench, table: &mut Table) -> Result {
    let count = bench.size.pick(2000, 500);
    let file = bench.disk.file("at-once.db");
    let engine = bench.runtime.block_on(engine(Place::Full(&file), 1))?;
    let runtime = &bench.runtime;
    let mut pairs = Pairs::new();
    for _ in 0..5 {
        let beside = runtime.block_on(run(&engine, count, 1, items::input))?;
        let ours = runtime.block_on(run(&engine, count, 1, hundred_at_once::input))?;
        pairs.add(1e6 / ours, 1e6 / beside);
    }
    table.row(
        Row::new(
            format!("{count} items of one execution, `parallel(100)`"),
            rate(pairs.ours()),
        )
        .beside(
            format!("{} one after the other", rate(pairs.beside())),
            pairs.ratio(),
        ),
    );
    bench.runtime.block_on(async {
        check_count(&engine, Status::Done, 10).await?;
        engine.shutdown(Duration::from_secs(5)).await?;
        Ok(())
    })
}

/// Returns the microseconds per step, from the start of the first execution to the end of the last.
async fn run<F: Flow<Output = u64>>(
    engine: &Engine,
    count: u64,
    executions: u64,
    input: fn(u64) -> Input<F>,
) -> Result<f64> {
    let engine = engine.clone();
    let run = tokio::spawn(async move {
        let start = Instant::now();
        for _ in 0..executions {
            let sum = engine.start(input(count)).await?.outcome().await?;
            if sum != count * (count + 1) / 2 {
                return Err(format!("{count} items gave {sum}").into());
            }
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / (count * executions) as f64)
    });
    run.await?
}
