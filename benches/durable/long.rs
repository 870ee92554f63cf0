//! A step of a long flow, compared with a step of a short flow of the same form. Commits are not
//! synced one by one, because that would hide the engine's own cost.

use std::time::{Duration, Instant};

use steps::{Engine, Status};

use crate::{
    Bench, Result,
    drive::{Place, check_count, engine},
    figures::Pairs,
    flows::items,
    table::{Aim, Row, Table},
};

const SHORT: u64 = 10;

pub(crate) fn rows(bench: &Bench, table: &mut Table) -> Result {
    let long = bench.size.pick(10_000, 2000);
    let file = bench.disk.file("long.db");
    let engine = bench.runtime.block_on(engine(Place::Normal(&file), 1))?;
    let one = |count, executions| bench.runtime.block_on(run(&engine, count, executions));
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

/// Returns the microseconds per step, from the start of the first execution to the end of the last.
async fn run(engine: &Engine, count: u64, executions: u64) -> Result<f64> {
    let engine = engine.clone();
    let run = tokio::spawn(async move {
        let start = Instant::now();
        for _ in 0..executions {
            let sum = engine.start(items::input(count)).await?.outcome().await?;
            if sum != count * (count + 1) / 2 {
                return Err(format!("{count} items gave {sum}").into());
            }
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / (count * executions) as f64)
    });
    run.await?
}
