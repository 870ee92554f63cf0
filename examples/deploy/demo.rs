//! What the example does without `--root`: three deployments to a temporary folder.

use crate::{
    cli::Cli,
    error::{DeployError, Trying as _},
    flow, process,
    release::{HealthCheck, Release},
    server,
    site::{Site, Trouble},
};

/// Should this program be killed, the server that it leaves behind ends after ten minutes.
const MAX_LIFE: u64 = 600;

/// Deploys 1 and 2, fails to deploy 3, shows that 2 is back, and cleans up.
pub(crate) async fn run(cli: &Cli) -> Result<(), DeployError> {
    let folder = tempfile::tempdir().trying_to(|| "create a temporary folder".to_owned())?;
    let site = Site::open(folder.path())?.with_max_life(cli.max_life.or(Some(MAX_LIFE)));
    let shown = show(&site, cli.trouble()).await;
    process::stop_all(&site).await?;
    println!(
        "\nstopped the server and removed {}",
        folder.path().display()
    );
    shown
}

async fn show(site: &Site, trouble: Trouble) -> Result<(), DeployError> {
    for version in [1, 2] {
        println!("\ndeploying release {version}");
        flow::deploy(site, release(version, HealthCheck::Good), None).await?;
        ask(site).await;
    }
    let (site, health) = if trouble.fail_at.is_some() {
        (site.clone().with_trouble(trouble), HealthCheck::Good)
    } else {
        (site.clone(), HealthCheck::NeverGood)
    };
    println!("\ndeploying release 3, which will fail");
    let failed = flow::deploy(&site, release(3, health), None).await;
    if let Err(error) = failed {
        println!("release 3 was not deployed: {error}");
    }
    ask(&site).await;
    Ok(())
}

fn release(version: u32, health: HealthCheck) -> Release {
    Release {
        version,
        tarball: None,
        health,
    }
}

async fn ask(site: &Site) {
    match server::get(site.port(), "/").await {
        Ok((status, body)) => println!("GET {} gives {status}, {}", site.url(), body.trim()),
        Err(error) => println!("GET {} gives no answer: {error}", site.url()),
    }
}
