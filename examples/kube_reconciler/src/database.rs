//! The custom resource: what a user asks for, and what became of it.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status_store::{Execution, KeepsExecution};

/// What the user asks for. It is the input of the flow, so it can't be changed later: the API server refuses it,
/// by the rule below.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "example.com",
    version = "v1",
    kind = "Database",
    namespaced,
    status = "DatabaseStatus",
    shortname = "db",
    doc = "A database, which the controller of `steps` makes.",
    printcolumn = r#"{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}"#,
    printcolumn = r#"{"name": "Step", "type": "string", "jsonPath": ".status.step"}"#,
    printcolumn = r#"{"name": "Message", "type": "string", "jsonPath": ".status.message", "priority": 1}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "self == oldSelf",
    "message": "it can't be changed: delete the object, and make another one"
}]))]
pub struct DatabaseSpec {
    /// The image of the server.
    pub image: String,
    /// The size of the volume, such as `10Gi`.
    pub size: String,
}

/// How far the flow has come. Only `execution` is read again; the rest is for people and for `kubectl wait`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseStatus {
    /// The status of the execution: `running`, `waiting`, `done`, `undoing`, `undone`, `stuck`.
    #[serde(default)]
    pub phase: String,
    /// The step that was begun last.
    pub step: Option<String>,
    /// What has failed.
    pub message: Option<String>,
    /// The saved state.
    pub execution: Option<Execution>,
}

impl KeepsExecution for Database {
    fn execution(&self) -> Option<&Execution> {
        self.status.as_ref()?.execution.as_ref()
    }
}
