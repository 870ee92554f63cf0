//! The measurements, in turns: every engine once in each round, so that whatever else the machine
//! does is spread over all. Each is a process of its own on a fresh store.

use std::{fs, path::Path, process::Stdio, time::Duration};

use peers_worker::{Job, Report};
use tokio::process::Command;

use crate::{
    Result,
    build::{Program, Programs},
    cluster::Cluster,
    engines::{Entrant, Store},
    options::Options,
    scratch::Scratch,
    server::Server,
};

const WARM_UP: Duration = Duration::from_millis(500);

/// All measurements of one engine with one number of executions at once.
pub(crate) struct Measured {
    pub(crate) entrant: Entrant,
    pub(crate) version: String,
    pub(crate) concurrency: u64,
    pub(crate) reports: Vec<Report>,
}

pub(crate) async fn in_turns(
    options: &Options,
    entrants: &[Entrant],
    programs: &Programs,
    scratch: &Scratch,
) -> Result<Vec<Measured>> {
    let postgres = entrants.iter().any(|one| one.store == Store::Postgres);
    let cluster = if postgres {
        Some(Cluster::make(scratch.path()).await?)
    } else {
        None
    };
    let mut all: Vec<Measured> = Vec::new();
    let given = options.concurrency.as_deref();
    let mut every: Vec<u64> = entrants
        .iter()
        .flat_map(|entrant| given.unwrap_or(entrant.at_once))
        .copied()
        .collect();
    every.sort_unstable();
    every.dedup();
    for concurrency in every {
        let with = entrants
            .iter()
            .filter(|entrant| given.unwrap_or(entrant.at_once).contains(&concurrency));
        all.extend(with.map(|&entrant| Measured {
            entrant,
            version: programs[entrant.engine].version.clone(),
            concurrency,
            reports: Vec::new(),
        }));
    }
    for round in 1..=options.rounds {
        for measured in &mut all {
            let Measured {
                entrant,
                concurrency,
                ..
            } = *measured;
            let name = format!("{}-{concurrency}-{round}", entrant.name);
            let program = &programs[entrant.engine];
            let run = Run {
                options,
                program,
                entrant,
                concurrency,
                name: &name,
            };
            let report = run
                .measure(scratch.path(), cluster.as_ref())
                .await
                .map_err(|error| format!("{} with {concurrency} at once: {error}", entrant.name))?;
            eprintln!(
                "round {round}: {} with {concurrency} at once: {} executions in {:.2?}",
                entrant.name, report.executions, report.time
            );
            measured.reports.push(report);
        }
    }
    Ok(all)
}

/// One measurement.
struct Run<'a> {
    options: &'a Options,
    program: &'a Program,
    entrant: Entrant,
    concurrency: u64,
    /// No other measurement's.
    name: &'a str,
}

impl Run<'_> {
    async fn measure(&self, scratch: &Path, cluster: Option<&Cluster>) -> Result<Report> {
        let folder = scratch.join(self.name);
        fs::create_dir(&folder)?;
        let (store, server) = match (self.entrant.store, cluster) {
            (Store::Postgres, Some(cluster)) => {
                let database = self.name.replace('-', "_");
                let server = Server::start(cluster).await?;
                cluster.create(&database).await?;
                (cluster.url(&database), Some(server))
            }
            (Store::Postgres, None) => return Err("there is no Postgres cluster".into()),
            (Store::SqliteFile | Store::RedbFile, _) => {
                let file = folder.join("state.db");
                (file.to_string_lossy().into_owned(), None)
            }
        };
        let server_process = server.as_ref().and_then(Server::process);
        let report = self.process(&folder, store, server_process).await?;
        drop(server);
        fs::remove_dir_all(folder)?;
        Ok(report)
    }

    async fn process(&self, folder: &Path, store: String, server: Option<u32>) -> Result<Report> {
        let job = Job {
            store,
            tuning: self.entrant.tuning,
            concurrency: self.concurrency,
            warm_up: WARM_UP,
            time: self.options.time,
            executions: self.options.executions,
            server,
            report: folder.join("report.json"),
        };
        let done = Command::new(&self.program.path)
            .arg(serde_json::to_string(&job)?)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            return Err(format!("{}: {}", done.status, said.trim()).into());
        }
        Ok(serde_json::from_str(&fs::read_to_string(&job.report)?)?)
    }
}
