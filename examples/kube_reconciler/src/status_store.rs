//! The state of a flow in the status of the object that it is about.
//!
//! This file stands alone: copy it into a controller of your own, and implement [`KeepsExecution`] for its resource.

use std::fmt::Debug;

use kube::{
    Api, Resource, ResourceExt as _,
    api::{Patch, PatchParams},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use steps::{
    State,
    state_store::{NewState, SaveError, Saved, StateStore},
};

/// The most bytes that the state may take in an object.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The most bytes that an object as a whole may take: 1.5 MiB, the limit of an etcd request, less what is written
/// around it. An API server answers a larger one with status 500, which looks as if it would pass.
const MAX_OBJECT_BYTES: usize = 1472 * 1024;

/// How often a save tries again because the object was changed, though not the state in it.
const TRIES: usize = 5;

/// The part of a status that holds the state of a flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// The JSON of the state, as text: the API server would drop fields that the schema of the resource does not
    /// have, and keep no number with more digits than an `i64` or an `f64`.
    pub state: String,
    /// Raised by each save.
    pub revision: i64,
}

/// A resource with an [`Execution`] in `.status.execution`.
pub trait KeepsExecution {
    /// Returns it, if there is one.
    fn execution(&self) -> Option<&Execution>;
}

/// A [`StateStore`] in the status of one object.
///
/// A save says over which `resourceVersion`, so the API server refuses it if the object was changed. If that change
/// was one of labels, of finalizers, or of anything else but the state, it is saved over the new version. Otherwise
/// somebody else has made a pass, and the save is a conflict.
///
/// Beside the state it writes `phase`, `step` and `message`, for people.
#[derive(Clone, Debug)]
pub struct StatusStore<K> {
    api: Api<K>,
    name: String,
    uid: String,
    /// For the state, beside what else is in the object.
    max_bytes: usize,
}

/// Which state an object has.
#[derive(Clone, Debug)]
pub struct Version {
    resource_version: String,
    revision: i64,
}

/// Why the object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StatusStoreError {
    /// The API server's answer.
    #[error("the API server: {0}")]
    Api(#[from] kube::Error),
    /// The object is no longer there. Another one may have its name.
    #[error("the object `{0}` was deleted")]
    Gone(String),
}

impl<K> StatusStore<K>
where
    K: Resource + KeepsExecution + Clone + Debug + Serialize + DeserializeOwned,
{
    /// The state is kept in the status of this object.
    pub fn new(api: Api<K>, object: &K) -> Self {
        let state = object.execution();
        let state = state.map_or(0, |it| written(&json!(it.state)));
        let others = written(&json!(object)) - state;
        Self {
            api,
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            max_bytes: MAX_BYTES.min(MAX_OBJECT_BYTES.saturating_sub(others)),
        }
    }

    async fn object(&self) -> Result<K, StatusStoreError> {
        let object = self.api.get_opt(&self.name).await?;
        object
            .filter(|object| object.uid().as_deref() == Some(&self.uid))
            .ok_or_else(|| StatusStoreError::Gone(self.name.clone()))
    }

    /// Returns the `resourceVersion` of an object that still has this state.
    async fn still(&self, revision: Option<i64>) -> Result<String, SaveError<StatusStoreError>> {
        let object = self.object().await?;
        if object.execution().map(|execution| execution.revision) == revision {
            Ok(object.resource_version().unwrap_or_default())
        } else {
            Err(SaveError::Conflict)
        }
    }
}

impl<K> StateStore for StatusStore<K>
where
    K: Resource + KeepsExecution + Clone + Debug + Serialize + DeserializeOwned + Send + Sync,
{
    type Version = Version;
    type Error = StatusStoreError;

    async fn load(&self) -> Result<Option<Saved<Version>>, StatusStoreError> {
        // Not from the controller's cache, which may be older than the last save.
        let object = self.object().await?;
        let saved = object.execution().map(|execution| {
            let version = Version {
                resource_version: object.resource_version().unwrap_or_default(),
                revision: execution.revision,
            };
            Saved::new(&*execution.state, version)
        });
        Ok(saved)
    }

    async fn save(
        &self,
        new: NewState<'_>,
        over: Option<&Version>,
    ) -> Result<Version, SaveError<StatusStoreError>> {
        let mut known = over.map(|over| over.resource_version.clone());
        let over = over.map(|over| over.revision);
        let revision = over.unwrap_or(0) + 1;
        for _ in 0..TRIES {
            let resource_version = match known.take() {
                Some(known) => known,
                None => self.still(over).await?,
            };
            let patch = patch(&resource_version, revision, new);
            let how = PatchParams::default();
            match self.api.patch_status(&self.name, &how, &patch).await {
                Ok(object) => {
                    return Ok(Version {
                        resource_version: object.resource_version().unwrap_or_default(),
                        revision,
                    });
                }
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                Err(kube::Error::Api(status)) if status.is_not_found() => {
                    return Err(StatusStoreError::Gone(self.name.clone()).into());
                }
                Err(error) => return Err(StatusStoreError::Api(error).into()),
            }
        }
        Err(SaveError::Conflict)
    }

    fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    fn bytes_for(&self, json: &str) -> usize {
        // A string in JSON: its quotation marks are escaped.
        written(&json!(json))
    }
}

/// How long this is as an API server writes it: as JSON and, as Go does it by default, with what means something in
/// HTML or JavaScript as `\u003c`.
fn written(value: &Value) -> usize {
    let json = value.to_string();
    let longer = json.chars().map(|char| match char {
        '<' | '>' | '&' => 5,
        '\u{2028}' | '\u{2029}' => 3,
        _ => 0,
    });
    json.len() + longer.sum::<usize>()
}

/// A merge patch of the status. What is `null` in it is deleted.
fn patch(resource_version: &str, revision: i64, new: NewState<'_>) -> Patch<Value> {
    let state: &State = new.state;
    Patch::Merge(json!({
        "metadata": { "resourceVersion": resource_version },
        "status": {
            "phase": state.status.as_str(),
            "step": state.last_path(),
            "message": message(state),
            "execution": Execution { state: new.json.to_owned(), revision },
        },
    }))
}

/// The first error in the tree, with its step.
fn message(state: &State) -> Option<String> {
    let mut failed = state.walk().filter(|(_, node)| node.states.is_empty());
    failed.find_map(|(path, node)| {
        let undo = node
            .undo
            .as_ref()
            .map(|undo| &undo.err)
            .filter(|err| !err.is_empty());
        let error = undo.or(node.errors.last())?;
        Some(format!("{path}: {error}"))
    })
}
