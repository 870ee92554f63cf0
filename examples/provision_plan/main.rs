//! Provisioning by a plan: which machines there are to be, with which volumes, is read from a JSON file, and runs on an
//! engine with a SQLite file.
//!
//! ```text
//! cargo run --example provision_plan                            # the plan in this folder, in a temporary folder
//! cargo run --example provision_plan -- --fail traffic          # its last step fails: all is taken back
//! cargo run --example provision_plan -- --root /tmp/p --die-at hosts.db.vm   # dies in the middle
//! cargo run --example provision_plan -- --root /tmp/p           # and the same command goes on
//! cargo run --example provision_plan -- --plan mine.json --check            # what is wrong with a plan of yours
//! ```
//!
//! The cloud is a folder with a file for each thing in it.

mod cloud;
mod flow;

use std::{error::Error, fs, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use steps::{Plan, prelude::*};

use crate::{cloud::Cloud, flow::provision};

/// Provisions what a plan says, and takes it back if a step fails.
#[derive(Parser)]
struct Args {
    /// The plan, as JSON; without it, the one beside this program's source
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Checks the plan, shows its steps, and does nothing else
    #[arg(long)]
    check: bool,
    /// Where the cloud and the file of the engine are; without it, a temporary folder
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
    /// Lets this step of the plan fail, by its path, such as `hosts.web.link`
    #[arg(long, value_name = "STEP")]
    fail: Option<String>,
    /// Lets the program die in this step of the plan
    #[arg(long, value_name = "STEP")]
    die_at: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let text = match &args.plan {
        Some(file) => {
            fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?
        }
        None => include_str!("plan.json").to_owned(),
    };
    // Everything about a plan is checked here; what is wrong with it is told at once.
    let plan = Plan::<provision>::from_json(&text)?;
    if args.check {
        for step in plan.steps() {
            println!("{}: {}", step.path, step.step);
        }
        return Ok(());
    }
    let temporary = tempfile::tempdir()?;
    let root = args.root.unwrap_or_else(|| temporary.path().to_owned());
    let at = |step: Option<String>| -> Result<Option<String>, Box<dyn Error>> {
        // The cloud knows steps by where they stand in the tree.
        let Some(step) = step else { return Ok(None) };
        let found = plan.step_ref::<()>(&step);
        Ok(Some(
            found
                .ok_or_else(|| format!("the plan has no step `{step}`"))?
                .path(),
        ))
    };
    let cloud = Cloud::open(root.join("cloud"), at(args.fail)?, at(args.die_at)?)?;
    let cloud = Arc::new(cloud);

    let url = format!("sqlite:{}", root.join("steps.db").display());
    let engine = Engine::open(&url).await?.lease(Duration::from_secs(2));
    let engine = engine
        .serve(provision::with(Arc::clone(&cloud)))
        .start()
        .await?;
    // The same plan once more is the same execution: after a death, this one goes on.
    let run = engine.start(provision::input(plan)).id("provision").await?;
    let outcome = run.outcome().await;
    println!("{}", run.tree().await?.tree());
    match outcome {
        Ok(outputs) => {
            for (step, output) in outputs.iter() {
                println!("{step}: {output}");
            }
        }
        Err(EngineError::Failed { failure, .. }) => println!("{failure}"),
        Err(error) => return Err(error.into()),
    }
    println!("in the cloud: {}", cloud.things()?.join(", "));
    engine.shutdown(Duration::from_secs(10)).await?;
    Ok(())
}
