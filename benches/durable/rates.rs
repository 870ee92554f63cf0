//! Steps per second, compared with bare commits of the same rows.

use std::time::Duration;

use steps::{Engine, Status};

use crate::{
    Bench, Result,
    bare::{Bare, Rows, log_is_full},
    drive::{Place, check_count, engine, turn},
    figures::{Pairs, median, rate},
    table::{Aim, Row, Table},
};

/// The number of turns for each row.
const TURNS: usize = 11;

pub(crate) fn rows(bench: &Bench, table: &mut Table) -> Result {
    for (at_once, least) in [(1, 0.8), (64, 0.4)] {
        on_disk(bench, table, at_once, least)?;
    }
    for at_once in [1, 64] {
        in_memory(bench, table, at_once)?;
    }
    Ok(())
}

fn window(bench: &Bench) -> Duration {
    Duration::from_millis(bench.size.pick(400, 100))
}

fn on_disk(bench: &Bench, table: &mut Table, at_once: usize, least: f64) -> Result {
    let file = bench.disk.file(&format!("rates-{at_once}.db"));
    let engine = bench.runtime.block_on(engine(Place::Full(&file), 64))?;
    let run = |at_once, window| bench.runtime.block_on(turn(&engine, at_once, window));
    // Creates the rows that the bare side also writes, and fills the log.
    let mut executions = 0;
    while !log_is_full(&file) {
        executions += run(64, window(bench) / 2)?.executions;
    }
    let other = bench.disk.file(&format!("bare-{at_once}.db"));
    let mut bare = Bare::new(&other, Rows::of(&file)?)?;
    bare.warm(&other, at_once)?;
    let mut pairs = Pairs::new();
    let mut cpu = Vec::new();
    for _ in 0..TURNS {
        let beside = bare.turn(at_once, window(bench))?;
        let ours = run(at_once, window(bench))?;
        executions += ours.executions;
        cpu.push(ours.cpu);
        pairs.add(ours.rate, beside);
    }
    checked(bench, engine, executions)?;
    let how = match at_once {
        1 => "one execution at a time".to_owned(),
        _ => format!("{at_once} executions at a time"),
    };
    let commits = match at_once {
        1 => "commits of one row".to_owned(),
        _ => format!("in commits of {at_once} rows"),
    };
    table.row(
        Row::new(format!("steps of 10, {how}"), rate(pairs.ours()))
            .beside(format!("{} {commits}", rate(pairs.beside())), pairs.ratio())
            .ratio_aim(Aim::AtLeast(least)),
    );
    let cpu = format!("{:.0} µs", median(cpu));
    table.row(Row::new(format!("processor time of a step, {how}"), cpu));
    Ok(())
}

fn in_memory(bench: &Bench, table: &mut Table, at_once: usize) -> Result {
    let engine = bench.runtime.block_on(engine(Place::Memory, at_once))?;
    let (mut rates, mut cpu, mut executions) = (Vec::new(), Vec::new(), 0);
    for _ in 0..5 {
        let turn = turn(&engine, at_once, window(bench) / 4);
        let turn = bench.runtime.block_on(turn)?;
        executions += turn.executions;
        rates.push(turn.rate);
        cpu.push(turn.cpu);
    }
    checked(bench, engine, executions)?;
    let what = format!("steps of 10, in memory, {at_once} at a time");
    let value = format!(
        "{}, {:.1} µs of processor",
        rate(median(rates)),
        median(cpu)
    );
    table.row(Row::new(what, value));
    Ok(())
}

/// Checks that all executions exist and are done, and shuts the engine down.
fn checked(bench: &Bench, engine: Engine, executions: u64) -> Result {
    bench.runtime.block_on(async {
        check_count(&engine, Status::Done, executions).await?;
        engine.shutdown(Duration::from_secs(5)).await?;
        Ok(())
    })
}
