//! One measurement, from the job in the arguments to the report in its file. A measurement that
//! measured nothing, or whose store does not hold what was run, fails.

use std::{env, fs, process::ExitCode, sync::Arc};

use crate::{
    Engine, Job, Report, Result, STEPS,
    load::{self, Until},
    processor,
};

/// The whole of a measured process.
pub fn serve<E: Engine>() -> ExitCode {
    match measured::<E>() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured<E: Engine>() -> Result {
    let job = env::args()
        .nth(1)
        .ok_or("the argument is missing: a job as JSON")?;
    let job: Job = serde_json::from_str(&job)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(measure::<E>(&job))?;
    fs::write(&job.report, serde_json::to_string(&report)?)?;
    Ok(())
}

async fn measure<E: Engine>(job: &Job) -> Result<Report> {
    let engine = Arc::new(E::open(job).await?);
    let together = E::together(job);
    let runners = job.concurrency / together;
    let warm_up = load::run(&engine, runners, Until::Time(job.warm_up)).await?;
    let until = job.executions.map_or(Until::Time(job.time), |executions| {
        Until::Executions(executions.div_ceil(together))
    });
    let server_before = job.server.map(processor::time_of).transpose()?;
    let load = load::run(&engine, runners, until).await?;
    let server_after = job.server.map(processor::time_of).transpose()?;

    if load.executions == 0 || load.time.is_zero() {
        return Err("nothing was measured".into());
    }
    let least = (warm_up.executions + load.executions) * together * STEPS;
    let most = least + (warm_up.given_up + load.given_up) * together * STEPS;
    let recorded = engine.recorded().await?;
    if !(least..=most).contains(&recorded) {
        return Err(format!("{least} steps were run, and the store holds {recorded}").into());
    }
    let settings = engine.settings().await?;
    match Arc::into_inner(engine) {
        Some(engine) => engine.close().await?,
        None => return Err("the engine is still in use after the last execution".into()),
    }
    Ok(Report {
        executions: load.executions * together,
        given_up: load.given_up * together,
        time: load.time,
        server_time: server_after
            .zip(server_before)
            .map(|(after, before)| after.saturating_sub(before)),
        settings,
    })
}
