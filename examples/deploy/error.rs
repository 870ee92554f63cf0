//! What can go wrong in a deployment.

use std::{io, path::PathBuf};

use steps::engine::EngineError;

use crate::site::Step;

/// Why a step, or its undo, failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeployError {
    /// A file, a process or a socket refused.
    #[error("can't {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A tarball, or a folder that should have come from one, is not what it should be.
    #[error("{} is not a release of this program: {reason}", path.display())]
    NotARelease {
        /// The tarball or the folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Releases never change: the same version with another content needs another number.
    #[error("release {0} exists already, and its content differs; choose another version")]
    OtherContent(u32),
    /// One deployment has to end before another begins.
    #[error(
        "the deployment of release {0} has not ended; \
         let it go on first, without --version, --tarball and --broken"
    )]
    Unfinished(u32),
    /// `--skip-undo` has nothing to skip.
    #[error("there is no rollback that got stuck")]
    NotStuck,
    /// There is nothing to do.
    #[error("release {0} is the current one, and its server runs")]
    AlreadyCurrent(u32),
    /// Two deployments at once would take each other's processes.
    #[error("another deployment is at work in {}", .0.display())]
    Busy(PathBuf),
    /// The new process ended before, or soon after, it listened.
    #[error("the server of release {version} has ended; the last line of its log: {log}")]
    Died {
        /// The release it ran.
        version: u32,
        /// The last line that it wrote.
        log: String,
    },
    /// The new process runs, but never listened.
    #[error("the server of release {0} does not listen")]
    Silent(u32),
    /// A process outlived even the signal that can't be ignored.
    #[error("process {0} does not end")]
    WontStop(u32),
    /// The database can't be used.
    #[error("can't use the database: {0}")]
    Database(EngineError),
    /// The database has something else in it.
    #[error("{} holds no deployment to go on from: {reason}", database.display())]
    NotADeployment {
        /// The database.
        database: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Each site has its own database.
    #[error(
        "{} holds an unfinished deployment to another site, {site}; each site needs its own",
        database.display()
    )]
    OtherSite {
        /// The database.
        database: PathBuf,
        /// The other site.
        site: String,
    },
    /// The deployment ended badly, or the database took no more records of it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Ctrl-C, or SIGTERM.
    #[error("interrupted; the same command goes on")]
    Interrupted,
    /// `--fail-at`
    #[error("made to fail after its effect, by --fail-at {0}")]
    MadeToFail(Step),
}

/// Says what was tried when an I/O error came back.
pub(crate) trait Trying<T> {
    /// Turns the error into a [`DeployError::Io`]; `what` completes "can't …".
    fn trying_to(self, what: impl FnOnce() -> String) -> Result<T, DeployError>;
}

impl<T> Trying<T> for io::Result<T> {
    fn trying_to(self, what: impl FnOnce() -> String) -> Result<T, DeployError> {
        self.map_err(|source| DeployError::Io {
            what: what(),
            source,
        })
    }
}
