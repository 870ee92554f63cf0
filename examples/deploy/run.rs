//! Running a deployment on the engine: a new one, or the one that was cut off.

use std::{path::Path, time::Duration};

use steps::{
    Status,
    engine::{EngineError, Execution},
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    database::{self, Database, RELEASE, SITE, Unfinished},
    error::DeployError,
    flow::deploy,
    progress::Progress,
    release::Release,
    site::{Site, Step},
    switch::InService,
};

/// A deployment whose process was killed is taken up so long after its last sign of life. By
/// default this is 10 seconds, as nobody can tell a dead process from one that hangs; here the lock
/// on the site has told it already. Still it must outlast a disk that is busy with a tarball.
const LEASE: Duration = Duration::from_secs(5);

/// How long the step at work may take to end after Ctrl-C or SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// What to run.
pub(crate) enum Job {
    /// A new deployment.
    New(Release),
    /// One that has not come to its end.
    Unfinished(Unfinished),
}

impl Job {
    /// Says what is about to happen.
    pub(crate) fn announce(&self, root: &Path) {
        let root = root.display();
        match self {
            Self::New(release) => println!("deploying release {} to {root}", release.version),
            Self::Unfinished(Unfinished { release, at, .. }) => {
                let version = release.version;
                let at = at.as_deref().unwrap_or("no step");
                println!("going on with release {version} to {root}: it was cut off in `{at}`");
            }
        }
    }
}

/// Runs the deployment to its end, and shows what happens.
pub(crate) async fn run(
    site: &Site,
    database: &Database,
    job: Job,
    skip_undo: Option<Step>,
) -> Result<InService, DeployError> {
    let engine = database::engine(database.path())
        .await?
        .serve(deploy::with(site.clone()))
        .lease(LEASE)
        .start()
        .await?;
    let mut progress = Progress::default();
    let execution = match job {
        Job::New(release) => {
            let id = database.next_id(release.version).await?;
            let (version, root) = (release.version.to_string(), site.root().to_string_lossy());
            let start = engine.start(deploy::input(release));
            start
                .id(id)
                .label(RELEASE, version)
                .label(SITE, root)
                .await?
        }
        Job::Unfinished(unfinished) => {
            let execution = engine.execution::<deploy>(unfinished.id).await?;
            progress = Progress::since(&execution.tree().await?);
            if unfinished.status == Status::Stuck {
                unstick(&execution, skip_undo).await?;
            }
            execution
        }
    };
    let ended = tokio::select! {
        ended = follow(&execution, &mut progress) => ended,
        () = interrupted() => Err(DeployError::Interrupted),
    };
    // What is at work may end; the rest is for the next run.
    engine.shutdown(GRACE).await?;
    ended
}

/// Lets a rollback that got stuck go on.
async fn unstick(execution: &Execution<deploy>, skip: Option<Step>) -> Result<(), DeployError> {
    match skip {
        Some(step) => execution.skip_undo_path(&step.to_string()).await?,
        None => {
            execution.retry_undo().await?;
        }
    }
    Ok(())
}

/// Shows each change until the end.
async fn follow(
    execution: &Execution<deploy>,
    progress: &mut Progress,
) -> Result<InService, DeployError> {
    let mut watch = execution.watch();
    loop {
        tokio::select! {
            // It ends with the execution, and also where that does not fit this program.
            outcome = execution.outcome() => {
                if !matches!(outcome, Err(EngineError::Incompatible { .. })) {
                    progress.show_end(&execution.tree().await?);
                }
                return Ok(outcome?);
            }
            Some(watched) = watch.next() => progress.show(watched?.state.state()),
        }
    }
}

/// Ends with Ctrl-C or SIGTERM.
async fn interrupted() {
    let signals = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        // Then the signal ends this process at once, which loses nothing.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
