//! Starting, finding and stopping the server of a release.
//!
//! A server writes its pid into a file of its own and keeps that file locked as long as it lives.
//! So a pid is signalled only while its owner holds the lock: one that the system has given to
//! somebody else since is left alone, and a zombie, which holds no lock, does not count as alive.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::{DeployError, Trying as _},
    release::PROGRAM,
    site::{Site, gone},
};

/// What a server says about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) pid: u32,
    pub(crate) version: u32,
    /// In seconds since 1970.
    pub(crate) started: u64,
}

/// How long a server may take to listen, and to end after a signal.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// Called by a server that listens: makes it known as long as the file is kept.
pub(crate) fn register(pid_file: &Path, version: u32) -> io::Result<File> {
    let started = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let server = Server {
        pid: std::process::id(),
        version,
        started: started.as_secs(),
    };
    // Under its own name only once it is locked and whole: nobody reads the pid of a server before.
    let new = pid_file.with_added_extension(format!("{}.new", server.pid));
    let mut file = File::create(&new)?;
    file.try_lock()?;
    file.write_all(&serde_json::to_vec(&server)?)?;
    fs::rename(new, pid_file)?;
    Ok(file)
}

/// The server that holds this file, if one lives.
pub(crate) fn live(pid_file: &Path) -> Result<Option<Server>, DeployError> {
    let what = || format!("look who holds {}", pid_file.display());
    let file = match File::open(pid_file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.trying_to(what)?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).trying_to(what),
        Err(TryLockError::WouldBlock) => serde_json::from_reader(file)
            .map(Some)
            .map_err(io::Error::from)
            .trying_to(what),
    }
}

/// Starts the server of a release, unless it runs, and waits until it listens. It outlives this
/// process, and a signal to this process's group does not reach it.
pub(crate) async fn start(site: &Site, version: u32) -> Result<Server, DeployError> {
    let pid_file = site.pid_file(version);
    if let Some(server) = live(&pid_file)? {
        return Ok(server);
    }
    let mut child = spawn(site, version).trying_to(|| format!("start release {version}"))?;
    let begun = Instant::now();
    loop {
        if let Some(server) = live(&pid_file)? {
            // Collects it when it ends, should this process still be there.
            thread::spawn(move || child.wait());
            return Ok(server);
        }
        let ended = child.try_wait().trying_to(|| "wait for it".to_owned())?;
        if ended.is_some() {
            return Err(died(site, version));
        }
        if begun.elapsed() > PATIENCE {
            // The child is still ours, so its pid is still its own.
            let _ = child.kill().and_then(|()| child.wait());
            return Err(DeployError::Silent(version));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn spawn(site: &Site, version: u32) -> io::Result<Child> {
    let log = File::options().create(true).append(true).open(site.log())?;
    let mut command = Command::new(site.release(version).join(PROGRAM));
    command.arg("serve").arg(site.root());
    if let Some(seconds) = site.max_life() {
        command.arg("--max-life").arg(seconds.to_string());
    }
    command
        .current_dir(site.root())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

/// The error that says what the server of this release last wrote.
pub(crate) fn died(site: &Site, version: u32) -> DeployError {
    let log = fs::read_to_string(site.log()).unwrap_or_default();
    let log = log.lines().last().unwrap_or("(empty)").to_owned();
    DeployError::Died { version, log }
}

/// Stops the server that holds this file: asks it, and if it does not listen, makes it. Returns
/// the pid that it had.
pub(crate) async fn stop(pid_file: &Path) -> Result<Option<u32>, DeployError> {
    let Some(Server { pid, .. }) = live(pid_file)? else {
        return Ok(None);
    };
    let target = i32::try_from(pid).map_err(|_| DeployError::WontStop(pid))?;
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        match kill(Pid::from_raw(target), signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(error.into()).trying_to(|| format!("stop process {pid}")),
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match live(pid_file)? {
                Some(server) if server.pid == pid => tokio::time::sleep(PAUSE).await,
                _ => return Ok(Some(pid)),
            }
        }
    }
    Err(DeployError::WontStop(pid))
}

/// Stops the server that holds this file and forgets that there was one.
pub(crate) async fn stop_for_good(pid_file: &Path) -> Result<(), DeployError> {
    stop(pid_file).await?;
    gone(fs::remove_file(pid_file)).trying_to(|| format!("remove {}", pid_file.display()))
}

/// Takes the site out of service and stops all its servers.
pub(crate) async fn stop_all(site: &Site) -> Result<(), DeployError> {
    site.set_traffic(None)?;
    let what = || "list the servers".to_owned();
    for entry in fs::read_dir(site.root().join("run")).trying_to(what)? {
        let path = entry.trying_to(what)?.path();
        if path.extension().is_some_and(|extension| extension == "pid") {
            stop_for_good(&path).await?;
        }
    }
    Ok(())
}
