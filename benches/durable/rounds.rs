//! A `loop keep 10` of very many rounds, against one of few: a round, and what is left of them all: nodes,
//! the file, and the time to take the execution up.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Bench, Result,
    drive::{Place, engine},
    flows::kept_rounds,
    process::memory,
    table::{Aim, Row, Table},
};

const FEW: u64 = 100;

/// What so many rounds cost.
struct Cost {
    /// Microseconds of a round.
    round: f64,
    /// Bytes that the process has grown by while the rounds ran.
    grown: f64,
    nodes: usize,
    /// Bytes of the file, when it is closed.
    file: f64,
    /// Milliseconds from the signal that ends the wait to the outcome, in an engine of its own.
    taken_up: f64,
}

pub(crate) fn rows(bench: &Bench, table: &mut Table) -> Result {
    let many = bench.size.pick(100_000, 20_000);
    let cost = |rounds: u64| {
        let file = bench.disk.file(&format!("rounds-{rounds}.db"));
        bench.runtime.block_on(run(&file, rounds))
    };
    // Whoever comes first pays for what is made once.
    cost(FEW - 1)?;
    let (few, many, rounds) = (cost(FEW)?, cost(many)?, many);
    let of = |what: &str| format!("{rounds} rounds of `loop keep 10`: {what}");
    let row = |what: &str, unit: &str, ours: f64, beside: f64| {
        Row::new(of(what), format!("{ours:.1} {unit}"))
            .beside(format!("{beside:.1} {unit} of {FEW}"), ours / beside)
    };
    table.row(
        row("a round, without syncs", "µs", many.round, few.round).ratio_aim(Aim::AtMost(1.5)),
    );
    let nodes = (many.nodes as f64, few.nodes as f64);
    table.row(row("nodes recorded", "", nodes.0, nodes.1).ratio_aim(Aim::AtMost(1.0)));
    let kib = 1024.0;
    table.row(row("the file", "KiB", many.file / kib, few.file / kib).ratio_aim(Aim::AtMost(1.5)));
    table.row(row("taken up", "ms", many.taken_up, few.taken_up).ratio_aim(Aim::AtMost(1.5)));
    let grown = many.grown / kib;
    let row = Row::new(of("the process grows by"), format!("{grown:.0} KiB"));
    table.row(row.aim(grown, Aim::AtMost(2048.0), "KiB"));
    Ok(())
}

async fn run(file: &Path, rounds: u64) -> Result<Cost> {
    let first = engine(Place::Normal(file), 1).await?;
    let before = memory()?;
    let start = Instant::now();
    let run = first.start(kept_rounds::input(rounds)).id("rounds").await?;
    while run.status().await? != steps::Status::Waiting {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let round = start.elapsed().as_secs_f64() * 1e6 / rounds as f64;
    let grown = memory()? - before;
    let nodes = run.tree().await?.walk().count();
    first.shutdown(Duration::from_secs(5)).await?;
    let size = fs::metadata(file)?.len() as f64;

    let second = engine(Place::Normal(file), 1).await?;
    let run = second.execution::<kept_rounds>("rounds").await?;
    let start = Instant::now();
    run.signal(kept_rounds::STEPS.go, &true).await?;
    let sum = run.outcome().await?;
    let taken_up = start.elapsed().as_secs_f64() * 1e3;
    second.shutdown(Duration::from_secs(5)).await?;
    if sum != rounds {
        return Err(format!("{rounds} rounds gave {sum}").into());
    }
    Ok(Cost {
        round,
        grown,
        nodes,
        file: size,
        taken_up,
    })
}
