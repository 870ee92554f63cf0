//! A running Postgres server: started for one measurement, so that its background work is not in the
//! others', and ended by its own process id, however the measurement ends.

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{process::Child, time::sleep};

use crate::{Result, cluster::Cluster};

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

pub(crate) struct Server(Child);

impl Server {
    /// Gives it when it takes connections.
    pub(crate) async fn start(cluster: &Cluster) -> Result<Self> {
        let log_path = cluster.data().with_extension("log");
        let log = fs::File::create(&log_path)?;
        let child = cluster
            .command("postgres")
            .arg("-D")
            .arg(cluster.data())
            .arg("-k")
            .arg(cluster.socket())
            .args(["-c", "listen_addresses="])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("postgres can't be started: {error}"))?;
        let mut server = Self(child);

        let start = Instant::now();
        while !ready(cluster) {
            let ended = server.0.try_wait()?;
            if ended.is_some() || start.elapsed() > PATIENCE {
                let said = fs::read_to_string(&log_path).unwrap_or_default();
                return Err(format!("postgres did not start: {}", said.trim()).into());
            }
            sleep(LOOK).await;
        }
        Ok(server)
    }

    /// The id of its first process, which all others are children of.
    pub(crate) fn process(&self) -> Option<u32> {
        self.0.id()
    }

    fn signal(&self, signal: Signal) {
        let pid = self.0.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            // It may have ended by itself, which is what is wanted.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    fn ended_within(&mut self, patience: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < patience {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(LOOK);
        }
        false
    }
}

/// The server writes its state as a line of its own into the file with its process id.
fn ready(cluster: &Cluster) -> bool {
    fs::read_to_string(cluster.data().join("postmaster.pid")).is_ok_and(|file| {
        file.lines()
            .nth(7)
            .is_some_and(|line| line.trim() == "ready")
    })
}

impl Drop for Server {
    /// A fast shutdown, then one without a checkpoint; `kill_on_drop` is left for what ignores both.
    fn drop(&mut self) {
        self.signal(Signal::SIGINT);
        if !self.ended_within(PATIENCE) {
            self.signal(Signal::SIGQUIT);
            self.ended_within(PATIENCE);
        }
    }
}
