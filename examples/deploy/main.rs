//! Deploys releases of this very program, for real: files, a link, processes and HTTP.
//!
//! ```sh
//! cargo run --example deploy                          # 1, then 2, then a broken 3
//! cargo run --example deploy -- --root /tmp/site      # one release more in that folder
//! cargo run --example deploy -- --root /tmp/site --fail-at healthy
//! cargo run --example deploy -- --root /tmp/site --stop
//! ```
//!
//! The steps are in `release.rs` and `switch.rs`, the flow that they make in `flow.rs`.

mod cli;
mod demo;
mod error;
mod flow;
mod process;
mod progress;
mod release;
mod server;
mod site;
mod switch;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser as _;

use cli::{Cli, Command};
use error::{DeployError, Trying as _};
use release::{HealthCheck, Manifest, Release, not_a_release};
use site::Site;

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
    let (site, release) = match prepare(&cli, root) {
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
    let deployed = flow::deploy(&site, release, cli.state.as_deref()).await;
    if let Ok(service) = &deployed {
        println!("release {} answers on {}", service.version, service.url);
    }
    ended(deployed, ExitCode::FAILURE)
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
fn prepare(cli: &Cli, root: &Path) -> Result<(Site, Release), DeployError> {
    let given = cli.tarball.as_deref().map(given).transpose()?;
    let site = Site::open(root)?
        .with_trouble(cli.trouble())
        .with_max_life(cli.max_life);
    let release = match (given, cli.version) {
        (Some((tarball, manifest)), wanted) => {
            let version = manifest.version;
            if wanted.is_some_and(|wanted| wanted != version) {
                let reason = format!("it holds version {version}, not the one of --version");
                return Err(not_a_release(&tarball, &reason));
            }
            Release {
                version,
                tarball: Some(tarball),
                health: manifest.health,
            }
        }
        (None, wanted) => Release {
            version: match wanted {
                Some(version) => version,
                None => site
                    .current()?
                    .map_or(1, |version| version.saturating_add(1)),
            },
            tarball: None,
            health: if cli.broken {
                HealthCheck::NeverGood
            } else {
                HealthCheck::Good
            },
        },
    };
    Ok((site, release))
}

fn given(tarball: &Path) -> Result<(PathBuf, Manifest), DeployError> {
    let path = tarball
        .canonicalize()
        .trying_to(|| format!("read the tarball {}", tarball.display()))?;
    let manifest = Manifest::of_tarball(&path)?;
    Ok((path, manifest))
}
