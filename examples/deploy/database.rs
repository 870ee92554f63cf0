//! The database of a site: each deployment to it is an execution there, kept before each step's
//! effect and when the step has ended, so that one that was cut off goes on.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use steps::{
    Engine, Json, State, Status,
    engine::{Builder, EngineError, Filter},
    sqlite::SqliteOptions,
    state::Kind,
};

use crate::{error::DeployError, flow::deploy, release::Release, site::Site};

/// The labels of each execution.
pub(crate) const RELEASE: &str = "release";
pub(crate) const SITE: &str = "site";

/// A database, and an engine on it that serves no flow: it looks, and runs nothing.
pub(crate) struct Database {
    path: PathBuf,
    look: Engine,
}

/// A deployment that has not come to its end.
#[derive(Clone, Debug)]
pub(crate) struct Unfinished {
    /// The execution's id.
    pub(crate) id: String,
    /// What it deploys.
    pub(crate) release: Release,
    /// Where it stands; stuck, if its rollback is.
    pub(crate) status: Status,
    /// The step at which it was cut off or got stuck, if it had begun.
    pub(crate) at: Option<String>,
}

/// The flow's input, as it is saved: a field for each parameter that is taken by value.
#[derive(Deserialize)]
struct Input {
    release: Release,
}

impl Database {
    /// Opens the file, which is made where it is missing.
    pub(crate) async fn open(path: &Path) -> Result<Self, DeployError> {
        let path = path.to_owned();
        let open = async { engine(&path).await?.start().await };
        match open.await {
            Ok(look) => Ok(Self { path, look }),
            Err(source) => Err(DeployError::Database(source)),
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The deployment that was cut off, or got stuck, if there is one. It must be one to this site:
    /// served with this site, another's would be done here.
    pub(crate) async fn unfinished(&self, site: &Site) -> Result<Option<Unfinished>, DeployError> {
        let filter = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Undoing,
            Status::Stuck,
        ]
        .into_iter()
        .fold(Filter::new().flow::<deploy>(), Filter::status);
        let Some(info) = self.look.list(filter.limit(1)).await?.pop() else {
            return Ok(None);
        };
        let root = site.root().to_string_lossy();
        match info.labels.get(SITE) {
            Some(other) if *other != root => {
                return Err(DeployError::OtherSite {
                    database: self.path.clone(),
                    site: other.into(),
                });
            }
            _ => {}
        }
        let state = self.look.get(&info.id).await?.tree().await?;
        let input = state.input.as_ref().map(Json::decode::<Input>).transpose();
        let input = input.map_err(|error| DeployError::NotADeployment {
            database: self.path.clone(),
            reason: format!("the input of `{}` is no release: {error}", info.id),
        })?;
        Ok(input.map(|input| Unfinished {
            release: input.release,
            status: info.status,
            at: at_work(&state),
            id: info.id,
        }))
    }

    /// An id for a new deployment of a release: the first one of release 2 is `deploy-2-1`.
    pub(crate) async fn next_id(&self, version: u32) -> Result<String, EngineError> {
        let earlier = Filter::new().label(RELEASE, version.to_string());
        let number = self.look.count(earlier).await? + 1;
        Ok(format!("deploy-{version}-{number}"))
    }
}

/// The step that had begun, or was being taken back, and had not ended.
fn at_work(state: &State) -> Option<String> {
    let open = |status: Status| !status.is_final() || status == Status::UndoFailed;
    let mut steps = state.walk().filter(|(_, node)| node.kind == Kind::Step);
    steps.find_map(|(path, node)| open(node.status).then_some(path))
}

/// An engine on this file, which serves nothing yet.
pub(crate) async fn engine(path: &Path) -> Result<Builder, EngineError> {
    Ok(Engine::with_store(SqliteOptions::new(path).open().await?))
}
