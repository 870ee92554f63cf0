//! Deploys releases of this very program, for real: files, a link, processes and HTTP.
//!
//! ```sh
//! cargo run --example deploy                          # 1, then 2, then a broken 3
//! cargo run --example deploy -- --root /tmp/site      # one release more in that folder
//! cargo run --example deploy -- --root /tmp/site --fail-at healthy
//! cargo run --example deploy -- --root /tmp/site --stop
//! ```
//!
//! Each deployment is an execution in a SQLite file. Kill this program at any moment, give the same
//! command again, and it goes on; `--kill-at STEP` does that right after a step's effect:
//!
//! ```sh
//! cargo run --example deploy -- --root /tmp/site --kill-at switch_link
//! cargo run --example deploy -- --root /tmp/site
//! ```
//!
//! The flow is in `flow.rs`: begin there. Its steps are in `release.rs` and `switch.rs`, each with
//! what undoes it; `run.rs` runs it on an engine. The rest is the job itself: folders, processes and
//! a small HTTP server.
//!
//! Exit status: 0 deployed; 1 failed and taken back; 2 bad input, or a database that can't be used;
//! 3 a step could not be taken back; 4 interrupted, the same command goes on.

mod cli;
mod database;
mod demo;
mod error;
mod flow;
mod process;
mod progress;
mod release;
mod run;
mod server;
mod site;
mod switch;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser as _;
use steps::{Status, engine::EngineError};

use cli::{Cli, Command};
use database::{Database, Unfinished};
use error::{DeployError, Trying as _};
use release::{HealthCheck, Manifest, Release, not_a_release};
use run::Job;
use site::Site;

/// The command line, or what it names, makes no sense.
const BAD_INPUT: u8 = 2;
/// A step could not be taken back: somebody has to look.
const STUCK: u8 = 3;
/// It has not come to its end, and goes on with the same command.
const INTERRUPTED: u8 = 4;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Command::Serve { root, max_life }) = cli.command {
        let served = server::serve(root, max_life.map(Duration::from_secs)).await;
        return ended(served, ExitCode::FAILURE);
    }
    let Some(root) = &cli.root else {
        return ended(demo::run(&cli).await, ExitCode::FAILURE);
    };
    if cli.stop {
        let stopped = async { process::stop_all(&Site::open(root)?).await };
        return ended(stopped.await, ExitCode::FAILURE);
    }
    let (site, database, job) = match prepare(&cli, root).await {
        Ok(prepared) => prepared,
        Err(error @ DeployError::Busy(_)) => return ended(Err::<(), _>(error), ExitCode::FAILURE),
        Err(error) => return ended(Err::<(), _>(error), BAD_INPUT.into()),
    };
    job.announce(root);
    match run::run(&site, &database, job, cli.skip_undo).await {
        Ok(service) => {
            println!("release {} answers on {}", service.version, service.url);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            code_of(&error)
        }
    }
}

/// What to tell whoever started this program.
fn code_of(error: &DeployError) -> ExitCode {
    match error {
        DeployError::Interrupted | DeployError::Engine(EngineError::StoreFailed { .. }) => {
            INTERRUPTED.into()
        }
        DeployError::Engine(EngineError::Failed { failure, .. }) => match failure.status() {
            Status::Stuck => STUCK.into(),
            _ => ExitCode::FAILURE,
        },
        DeployError::Engine(_) => BAD_INPUT.into(),
        _ => ExitCode::FAILURE,
    }
}

fn ended<T, E: std::fmt::Display>(result: Result<T, E>, code: ExitCode) -> ExitCode {
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            code
        }
    }
}

/// Checks everything that may be wrong with the command line, before anything happens.
async fn prepare(cli: &Cli, root: &Path) -> Result<(Site, Database, Job), DeployError> {
    let given = cli.tarball.as_deref().map(given).transpose()?;
    let named = match &cli.db {
        Some(path) => Some(Database::open(path).await?),
        None => None,
    };
    let site = Site::open(root)?
        .with_trouble(cli.trouble())
        .with_max_life(cli.max_life);
    let database = match named {
        Some(named) => named,
        None => Database::open(&site.root().join("deploy.db")).await?,
    };
    let unfinished = database.unfinished(&site).await?;
    let is_stuck = |unfinished: &Unfinished| unfinished.status == Status::Stuck;
    if cli.skip_undo.is_some() && !unfinished.as_ref().is_some_and(is_stuck) {
        return Err(DeployError::NotStuck);
    }
    let job = match unfinished {
        Some(unfinished) if asks_for_another(cli, given.as_ref(), &unfinished.release) => {
            return Err(DeployError::Unfinished(unfinished.release.version));
        }
        Some(unfinished) => Job::Unfinished(unfinished),
        None => Job::New(wanted(cli, given, &site)?),
    };
    Ok((site, database, job))
}

/// Whether the command line names something else than what is unfinished.
fn asks_for_another(cli: &Cli, given: Option<&Given>, saved: &Release) -> bool {
    let version = cli.version.or(given.map(|(_, manifest)| manifest.version));
    version.is_some_and(|version| version != saved.version)
        || given.is_some_and(|(tarball, _)| saved.tarball.as_ref() != Some(tarball))
        || cli.broken && saved.health != HealthCheck::NeverGood
}

/// What the command line asks for.
fn wanted(cli: &Cli, given: Option<Given>, site: &Site) -> Result<Release, DeployError> {
    if let Some((tarball, manifest)) = given {
        let version = manifest.version;
        if cli.version.is_some_and(|wanted| wanted != version) {
            let reason = format!("it holds version {version}, not the one of --version");
            return Err(not_a_release(&tarball, &reason));
        }
        return Ok(Release {
            version,
            tarball: Some(tarball),
            health: manifest.health,
        });
    }
    let next = |current: Option<u32>| current.map_or(1, |version| version.saturating_add(1));
    Ok(Release {
        version: match cli.version {
            Some(version) => version,
            None => next(site.current()?),
        },
        tarball: None,
        health: if cli.broken {
            HealthCheck::NeverGood
        } else {
            HealthCheck::Good
        },
    })
}

/// A tarball and what it says about itself.
type Given = (PathBuf, Manifest);

fn given(tarball: &Path) -> Result<Given, DeployError> {
    let path = tarball
        .canonicalize()
        .trying_to(|| format!("read the tarball {}", tarball.display()))?;
    let manifest = Manifest::of_tarball(&path)?;
    Ok((path, manifest))
}
