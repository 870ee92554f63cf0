//! Deploys releases of this very program, for real: files, a link, processes and HTTP.
//!
//! ```sh
//! cargo run --example deploy                          # 1, then 2, then a broken 3
//! cargo run --example deploy -- --root /tmp/site      # one release more in that folder
//! cargo run --example deploy -- --root /tmp/site --fail-at healthy
//! cargo run --example deploy -- --root /tmp/site --stop
//! ```
//!
//! The flow is in `flow.rs`: begin there. Its steps are in `release.rs` and `switch.rs`, each with
//! what undoes it. The rest is the job itself: folders, processes and a small HTTP server.
//!
//! Exit status: 0 deployed, 1 failed and taken back, 2 bad input.

mod cli;
mod demo;
mod error;
mod flow;
mod process;
mod progress;
mod release;
mod server;
mod site;
mod state_file;
mod switch;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser as _;
use steps::Cause;

use cli::{Cli, Command};
use error::{DeployError, Trying as _};
use release::{HealthCheck, Manifest, Release, not_a_release};
use site::Site;
use state_file::StateFile;

/// The command line, or what it names, makes no sense.
const BAD_INPUT: u8 = 2;

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
    let (site, release, file) = match prepare(&cli, root) {
        Ok(prepared) => prepared,
        Err(error @ DeployError::Busy(_)) => return ended(Err::<(), _>(error), ExitCode::FAILURE),
        Err(error) => return ended(Err::<(), _>(error), BAD_INPUT.into()),
    };
    if cli.stop {
        return ended(process::stop_all(&site).await, ExitCode::FAILURE);
    }
    println!(
        "deploying release {} to {}",
        release.version,
        root.display()
    );
    match flow::run(&site, release, file).await {
        Ok(service) => {
            println!("release {} answers on {}", service.version, service.url);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            match failure.cause {
                Cause::Misfit(_) => BAD_INPUT.into(),
                _ => ExitCode::FAILURE,
            }
        }
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
fn prepare(cli: &Cli, root: &Path) -> Result<(Site, Release, Option<StateFile>), DeployError> {
    let given = cli.tarball.as_deref().map(given).transpose()?;
    let file = cli.state.as_deref().map(StateFile::open).transpose()?;
    let saved = file.as_ref().map(StateFile::release).transpose()?.flatten();
    let site = Site::open(root)?
        .with_trouble(cli.trouble())
        .with_max_life(cli.max_life);
    let release = match given {
        Some((tarball, manifest)) => {
            let version = manifest.version;
            if cli.version.is_some_and(|wanted| wanted != version) {
                let reason = format!("it holds version {version}, not the one of --version");
                return Err(not_a_release(&tarball, &reason));
            }
            Release {
                version,
                tarball: Some(tarball),
                health: manifest.health,
            }
        }
        None => Release {
            version: match (cli.version, &saved) {
                (Some(version), _) => version,
                (None, Some(saved)) => saved.version,
                (None, None) => site
                    .current()?
                    .map_or(1, |version| version.saturating_add(1)),
            },
            tarball: saved.as_ref().and_then(|saved| saved.tarball.clone()),
            health: match &saved {
                _ if cli.broken => HealthCheck::NeverGood,
                Some(saved) => saved.health,
                None => HealthCheck::Good,
            },
        },
    };
    match saved {
        Some(saved) if saved != release => Err(DeployError::Unfinished(saved.version)),
        _ => Ok((site, release, file)),
    }
}

fn given(tarball: &Path) -> Result<(PathBuf, Manifest), DeployError> {
    let path = tarball
        .canonicalize()
        .trying_to(|| format!("read the tarball {}", tarball.display()))?;
    let manifest = Manifest::of_tarball(&path)?;
    Ok((path, manifest))
}
