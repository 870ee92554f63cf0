//! What the example does without `--root`: three deployments to a temporary folder.

use std::error::Error;

use crate::{
    cli::Cli,
    database::Database,
    error::Trying as _,
    process,
    release::{HealthCheck, Release},
    run::{self, Job},
    server,
    site::{Site, Trouble},
};

/// Should this program be killed, the server that it leaves behind ends after ten minutes.
const MAX_LIFE: u64 = 600;

/// Deploys 1 and 2, fails to deploy 3, shows that 2 is back, and cleans up.
pub(crate) async fn run(cli: &Cli) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir().trying_to(|| "create a temporary folder".to_owned())?;
    let site = Site::open(folder.path())?.with_max_life(cli.max_life.or(Some(MAX_LIFE)));
    let database = folder.path().join("deploy.db");
    let database = Database::open(cli.db.as_ref().unwrap_or(&database)).await?;
    let shown = show(&site, &database, cli.trouble()).await;
    process::stop_all(&site).await?;
    println!("stopped the server and removed {}", folder.path().display());
    shown
}

async fn show(site: &Site, database: &Database, trouble: Trouble) -> Result<(), Box<dyn Error>> {
    for version in [1, 2] {
        println!("deploying release {version}");
        run::run(site, database, release(version, HealthCheck::Good), None).await?;
        ask(site).await;
    }
    let (site, health) = if let Some(step) = trouble.fail_at {
        println!("deploying release 3, which fails at {step}");
        (site.clone().with_trouble(trouble), HealthCheck::Good)
    } else {
        println!("deploying release 3, which never becomes healthy");
        (site.clone(), HealthCheck::NeverGood)
    };
    let deployed = run::run(&site, database, release(3, health), None).await;
    let Err(error) = deployed else {
        return Err("release 3 was to fail, and did not".into());
    };
    println!("{error}");
    ask(&site).await;
    Ok(())
}

fn release(version: u32, health: HealthCheck) -> Job {
    Job::New(Release {
        version,
        tarball: None,
        health,
    })
}

async fn ask(site: &Site) {
    match server::get(site.port(), "/").await {
        Ok((status, body)) => println!("GET {} gives {status}, {}\n", site.url(), body.trim()),
        Err(error) => println!("GET {} gives no answer: {error}\n", site.url()),
    }
}
