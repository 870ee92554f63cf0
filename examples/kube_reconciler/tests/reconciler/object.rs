//! A database to make, and passes over it.

use std::sync::Arc;

use kube::{
    api::{DeleteParams, PostParams},
    runtime::controller::Action,
};
use kube_reconciler::{
    database::{Database, DatabaseSpec},
    reconcile::{Context, Error, FINALIZER, reconcile},
};
use serde_json::{Value, json};
use steps::State;

use crate::api::{Api, DATABASE, SERVER};

/// A user has made the object. The controller has a cache, which is a pass behind where a test wants it.
pub(crate) struct User {
    pub(crate) api: Api,
}

impl User {
    /// A new object, without the finalizer.
    pub(crate) async fn new() -> Self {
        let user = Self {
            api: Api::start().await,
        };
        let spec = DatabaseSpec {
            image: "postgres:18".to_owned(),
            size: "1Gi".to_owned(),
        };
        let database = Database::new("main", spec);
        let made = user
            .databases()
            .create(&PostParams::default(), &database)
            .await;
        made.expect("it is made");
        user
    }

    /// An object that has the finalizer.
    pub(crate) async fn with_finalizer() -> Self {
        let user = Self::new().await;
        user.pass().await.expect("the finalizer is added");
        user.api.log();
        user
    }

    fn databases(&self) -> kube::Api<Database> {
        kube::Api::namespaced(self.api.user(), self.api.namespace())
    }

    /// The object as it is now.
    pub(crate) async fn object(&self) -> Database {
        let object = self.api.get(DATABASE).await.expect("it is there");
        serde_json::from_value(object).expect("it is a database")
    }

    /// A pass over the object as it is now, by a controller that has just started.
    pub(crate) async fn pass(&self) -> Result<Action, Error> {
        self.pass_over(self.object().await).await
    }

    /// A pass over the object as a controller has it in its cache.
    pub(crate) async fn pass_over(&self, cached: Database) -> Result<Action, Error> {
        let context = Arc::new(Context::new(self.api.client()));
        reconcile(Arc::new(cached), context).await
    }

    pub(crate) async fn state(&self) -> State {
        let status = self.object().await.status.expect("it has a status");
        let execution = status.execution.expect("it has a state");
        State::from_json(&execution.state).expect("it is a state")
    }

    pub(crate) async fn phase(&self) -> String {
        let status = self.object().await.status;
        status.map(|status| status.phase).unwrap_or_default()
    }

    pub(crate) async fn message(&self) -> String {
        let status = self.object().await.status.expect("it has a status");
        status.message.expect("it has a message")
    }

    /// The server answers now.
    pub(crate) async fn server_is_ready(&self) {
        let ready = |server: &mut Value| {
            server["status"] = json!({ "replicas": 1, "readyReplicas": 1 });
        };
        self.api.change(SERVER, ready).await;
    }

    /// The server is asked in the next pass, as its time has come.
    pub(crate) async fn poll_is_due(&self) {
        let due = |database: &mut Value| {
            let execution = &mut database["status"]["execution"];
            let text = execution["state"].as_str().expect("a state");
            let mut state = State::from_json(text).expect("a state");
            assert!(state.try_now("2020-01-01T00:00:00Z".parse().expect("a time")) > 0);
            execution["state"] = json!(state.to_json());
        };
        self.api.change(DATABASE, due).await;
    }

    /// A user deletes the object.
    pub(crate) async fn delete(&self) {
        let deleted = self
            .databases()
            .delete("main", &DeleteParams::default())
            .await;
        deleted.expect("it is deleted");
        self.api.log();
    }

    /// Passes until the database is made.
    pub(crate) async fn make(&self) {
        self.pass().await.expect("a pass");
        self.server_is_ready().await;
        self.poll_is_due().await;
        self.pass().await.expect("a pass");
        assert_eq!(self.phase().await, "done");
    }

    /// Whether the only thing left of what was made is the object itself, or nothing.
    pub(crate) async fn is_clean(&self) -> bool {
        let database = DATABASE.to_string();
        self.api.parts().await.iter().all(|part| *part == database)
    }
}

pub(crate) fn has_finalizer(object: &Value) -> bool {
    object["metadata"]["finalizers"] == json!([FINALIZER])
}

/// What the controller has made, each once.
pub(crate) fn assert_each_made_once(log: &[String], case: &str) {
    for part in [
        "/secrets",
        "/persistentvolumeclaims",
        "/statefulsets",
        "/services",
    ] {
        let made = |line: &&String| line.starts_with("POST") && line.ends_with(part);
        assert_eq!(
            log.iter().filter(made).count(),
            1,
            "{part}, {case}: {log:?}"
        );
    }
}
