//! The folder that is deployed to: where everything lies, and the few files that say what is so.
//!
//! ```text
//! DIR/port              the port of this site, chosen once
//! DIR/tarballs/N.tar.gz what `pack` made
//! DIR/releases/N/       what `unpack` made of it
//! DIR/current           a link to one of the releases
//! DIR/run/N.pid         locked by the server of release N as long as it lives
//! DIR/traffic.json      which release answers requests, if any
//! DIR/server.log        what the servers wrote
//! DIR/deploy.lock       locked by the deployment at work
//! DIR/deploy.db         the deployments, unless --db names another file
//! ```

use std::{
    fmt,
    fs::{self, File, TryLockError},
    hash::{BuildHasher, RandomState},
    io::{self, ErrorKind, Write as _},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use clap::ValueEnum;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use crate::error::{DeployError, Trying as _};

/// The steps of a deployment, as `--fail-at` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Step {
    Pack,
    Unpack,
    OutOfService,
    StopOld,
    SwitchLink,
    StartNew,
    Healthy,
    InService,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |v| v.get_name()))
    }
}

/// What is to happen after the effect of a step, to show what follows from it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trouble {
    /// This step fails.
    pub(crate) fail_at: Option<Step>,
    /// This process is killed before the step could report.
    pub(crate) kill_at: Option<Step>,
    /// This process is killed before the step's undo could report.
    pub(crate) kill_at_undo: Option<Step>,
}

/// Which release answers requests; others answer 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Traffic {
    /// The release that is meant.
    pub(crate) version: u32,
    /// Whether it answers.
    pub(crate) open: bool,
}

/// The folder that is deployed to. It is lent to the steps and never saved.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    root: PathBuf,
    port: u16,
    trouble: Trouble,
    max_life: Option<u64>,
    _lock: Arc<File>,
}

impl Site {
    /// Opens `root`, creating what is missing, and keeps other deployments out of it until the
    /// last clone is dropped.
    pub(crate) fn open(root: &Path) -> Result<Self, DeployError> {
        let what = || format!("use the folder {}", root.display());
        for folder in ["tarballs", "releases", "run"] {
            fs::create_dir_all(root.join(folder)).trying_to(what)?;
        }
        let root = root.canonicalize().trying_to(what)?;
        let lock = File::create(root.join("deploy.lock")).trying_to(what)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DeployError::Busy(root)),
            Err(TryLockError::Error(error)) => return Err(error).trying_to(what),
        }
        let port = match read_port(&root) {
            Err(error) if error.kind() == ErrorKind::NotFound => choose_port(&root),
            read => read,
        };
        Ok(Self {
            port: port.trying_to(|| format!("agree on a port in {}", root.display()))?,
            root,
            trouble: Trouble::default(),
            max_life: None,
            _lock: Arc::new(lock),
        })
    }

    /// The same site, with trouble ahead.
    pub(crate) fn with_trouble(mut self, trouble: Trouble) -> Self {
        self.trouble = trouble;
        self
    }

    /// The same site, whose servers end themselves after so many seconds.
    pub(crate) fn with_max_life(mut self, seconds: Option<u64>) -> Self {
        self.max_life = seconds;
        self
    }

    /// Comes after the effect of `step`: fails, or kills the process, where that was asked for.
    pub(crate) fn after(&self, step: Step) -> Result<(), DeployError> {
        if self.trouble.kill_at == Some(step) {
            eprintln!("kill -9, by --kill-at {step}; the same command without it goes on");
            die();
        }
        if self.trouble.fail_at == Some(step) {
            return Err(DeployError::MadeToFail(step));
        }
        Ok(())
    }

    /// Comes after `step` was taken back: kills the process where that was asked for.
    pub(crate) fn after_undo(&self, step: Step) {
        if self.trouble.kill_at_undo == Some(step) {
            eprintln!("kill -9, by --kill-at-undo {step}; the same command without it goes on");
            die();
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// In seconds.
    pub(crate) fn max_life(&self) -> Option<u64> {
        self.max_life
    }

    pub(crate) fn tarball(&self, version: u32) -> PathBuf {
        self.root.join(format!("tarballs/{version}.tar.gz"))
    }

    pub(crate) fn release(&self, version: u32) -> PathBuf {
        self.root.join(format!("releases/{version}"))
    }

    pub(crate) fn pid_file(&self, version: u32) -> PathBuf {
        pid_file(&self.root, version)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("server.log")
    }

    /// The release that `current` points to.
    pub(crate) fn current(&self) -> Result<Option<u32>, DeployError> {
        let link = self.root.join("current");
        let what = || format!("read the link {}", link.display());
        let target = match fs::read_link(&link) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.trying_to(what)?,
        };
        let name = target.file_name().and_then(|name| name.to_str());
        let version = name.and_then(|name| name.parse().ok());
        version.map(Some).ok_or(DeployError::NotARelease {
            path: target,
            reason: format!("{} should point to one", link.display()),
        })
    }

    /// Points `current` to another release, or to none, in one step: nobody sees it missing in
    /// between.
    pub(crate) fn set_current(&self, version: Option<u32>) -> Result<(), DeployError> {
        let link = self.root.join("current");
        let new = self.root.join("current.new");
        let Some(version) = version else {
            return gone(fs::remove_file(&link)).trying_to(|| format!("remove {}", link.display()));
        };
        gone(fs::remove_file(&new))
            .and_then(|()| symlink(format!("releases/{version}"), &new))
            .and_then(|()| fs::rename(&new, &link))
            .trying_to(|| format!("point {} to release {version}", link.display()))
    }

    /// Which release answers requests.
    pub(crate) fn traffic(&self) -> Result<Option<Traffic>, DeployError> {
        traffic(&self.root).trying_to(|| "read traffic.json".to_owned())
    }

    /// Says which release answers requests from now on.
    pub(crate) fn set_traffic(&self, traffic: Option<Traffic>) -> Result<(), DeployError> {
        let path = self.root.join("traffic.json");
        match traffic {
            None => gone(fs::remove_file(path)),
            Some(traffic) => serde_json::to_vec(&traffic)
                .map_err(io::Error::from)
                .and_then(|json| write_whole(&path, &json)),
        }
        .trying_to(|| "write traffic.json".to_owned())
    }
}

/// Which release answers requests in `root`, as its servers see it.
pub(crate) fn traffic(root: &Path) -> io::Result<Option<Traffic>> {
    match fs::read(root.join("traffic.json")) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => Ok(Some(serde_json::from_slice(&read?)?)),
    }
}

/// The file that the server of a release keeps locked.
pub(crate) fn pid_file(root: &Path, version: u32) -> PathBuf {
    root.join(format!("run/{version}.pid"))
}

/// The port that was chosen for `root`.
pub(crate) fn read_port(root: &Path) -> io::Result<u16> {
    let text = fs::read_to_string(root.join("port"))?;
    text.trim()
        .parse()
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "the file `port` holds no port"))
}

/// Below the range that systems give to outgoing connections, so that none of them takes it
/// while one server has ended and the next has not begun.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The signal that nothing can catch: no destructor runs, nothing is flushed or given back.
fn die() -> ! {
    let _ = kill(Pid::this(), Signal::SIGKILL);
    loop {
        thread::park();
    }
}

fn choose_port(root: &Path) -> io::Result<u16> {
    let ports = u64::from(PORTS.end - PORTS.start);
    for attempt in 0..100_u32 {
        let port = RandomState::new().hash_one(attempt) % ports;
        let port = PORTS.start + u16::try_from(port).unwrap_or_default();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            write_whole(&root.join("port"), port.to_string().as_bytes())?;
            return Ok(port);
        }
    }
    Err(ErrorKind::AddrInUse.into())
}

/// Writes a file so that it is there whole or not at all.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(new, path)
}

/// The result of removing something that need not be there.
pub(crate) fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
