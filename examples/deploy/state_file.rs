//! The file of `--state`: a journal in one file. It is written before each step's effect and when
//! the step has ended, so that a deployment that was cut off can go on.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use steps::{
    Json, State, Status,
    journal::{Batch, BoxFuture, Journal, JournalError},
};

use crate::{
    error::{DeployError, Trying as _},
    release::Release,
    site::write_whole,
};

/// The file, and the deployment in it that has not come to its end.
pub(crate) struct StateFile {
    path: PathBuf,
    unfinished: Option<State>,
}

/// The flow's input, as it is saved: a field for each parameter that is taken by value.
#[derive(Deserialize)]
struct Input {
    release: Release,
}

impl StateFile {
    /// Reads the file, if it is there. A deployment that is done, or was taken back, is over: the
    /// next one begins anew.
    pub(crate) fn open(path: &Path) -> Result<Self, DeployError> {
        let bad = |reason: String| DeployError::NotAState {
            path: path.to_owned(),
            reason,
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(bad(format!("{} is no folder", folder.display())));
        }
        let mut unfinished = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            read => {
                let text = read.trying_to(|| format!("read {}", path.display()))?;
                Some(State::from_json(&text).map_err(|error| bad(error.to_string()))?)
            }
        };
        unfinished = unfinished.filter(|state| {
            !matches!(state.status, Status::Done | Status::Failed | Status::Undone)
        });
        if let Some(state) = &mut unfinished
            && state.status == Status::Stuck
        {
            state.retry_undo().map_err(|error| bad(error.to_string()))?;
        }
        Ok(Self {
            path: path.to_owned(),
            unfinished,
        })
    }

    /// What the unfinished deployment deploys.
    pub(crate) fn release(&self) -> Result<Option<Release>, DeployError> {
        let input = self
            .unfinished
            .as_ref()
            .and_then(|state| state.input.as_ref());
        let input = input.map(Json::decode::<Input>).transpose();
        input
            .map(|input| input.map(|input| input.release))
            .map_err(|error| DeployError::NotAState {
                path: self.path.clone(),
                reason: format!("its input is no release: {error}"),
            })
    }

    /// The state to go on from.
    pub(crate) fn take_unfinished(&mut self) -> Option<State> {
        self.unfinished.take()
    }
}

impl Journal for StateFile {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let json = batch.state().to_json_pretty();
            write_whole(&self.path, json.as_bytes())
                .trying_to(|| format!("write {}", self.path.display()))
                .map_err(JournalError::new)
        })
    }
}
