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

use crate::api::Api;

pub(crate) const DATABASE: &str = "/apis/example.com/v1/namespaces/default/databases/main";
pub(crate) const SECRET: &str = "/api/v1/namespaces/default/secrets/main-password";
pub(crate) const VOLUME: &str = "/api/v1/namespaces/default/persistentvolumeclaims/main";
pub(crate) const SERVER: &str = "/apis/apps/v1/namespaces/default/statefulsets/main";
pub(crate) const SERVICE: &str = "/api/v1/namespaces/default/services/main";

/// A user has made the object. The controller has a cache, which is a pass behind where a test wants it.
pub(crate) struct User {
    pub(crate) api: Api,
}

impl User {
    /// A new object, without the finalizer.
    pub(crate) async fn new() -> Self {
        let api = Api::default();
        let databases = kube::Api::<Database>::default_namespaced(api.client());
        let spec = DatabaseSpec {
            image: "postgres:18".to_owned(),
            size: "1Gi".to_owned(),
        };
        let database = Database::new("main", spec);
        databases
            .create(&PostParams::default(), &database)
            .await
            .expect("it is made");
        api.log();
        Self { api }
    }

    /// An object that has the finalizer.
    pub(crate) async fn with_finalizer() -> Self {
        let user = Self::new().await;
        user.pass().await.expect("the finalizer is added");
        user.api.log();
        user
    }

    /// The object as it is now.
    pub(crate) fn object(&self) -> Database {
        let object = self.api.get(DATABASE).expect("it is there");
        serde_json::from_value(object).expect("it is a database")
    }

    /// A pass over the object as it is now, by a controller that has just started.
    pub(crate) async fn pass(&self) -> Result<Action, Error> {
        self.pass_over(self.object()).await
    }

    /// A pass over the object as a controller has it in its cache.
    pub(crate) async fn pass_over(&self, cached: Database) -> Result<Action, Error> {
        let context = Arc::new(Context::new(self.api.client()));
        reconcile(Arc::new(cached), context).await
    }

    pub(crate) fn state(&self) -> State {
        let status = self.object().status.expect("it has a status");
        let execution = status.execution.expect("it has a state");
        State::from_json(&execution.state).expect("it is a state")
    }

    pub(crate) fn phase(&self) -> String {
        self.object()
            .status
            .map(|status| status.phase)
            .unwrap_or_default()
    }

    /// The server answers now.
    pub(crate) fn server_is_ready(&self) {
        self.api.change(SERVER, |server| {
            server["status"] = json!({ "readyReplicas": 1 });
        });
    }

    /// The server is asked in the next pass, as its time has come.
    pub(crate) fn poll_is_due(&self) {
        self.api.change(DATABASE, |database| {
            let execution = &mut database["status"]["execution"];
            let text = execution["state"].as_str().expect("a state");
            let mut state = State::from_json(text).expect("a state");
            assert!(state.try_now("2020-01-01T00:00:00Z".parse().expect("a time")) > 0);
            execution["state"] = json!(state.to_json());
        });
    }

    /// A user deletes the object.
    pub(crate) async fn delete(&self) {
        let databases = kube::Api::<Database>::default_namespaced(self.api.client());
        databases
            .delete("main", &DeleteParams::default())
            .await
            .expect("it is deleted");
        self.api.log();
    }

    /// Passes until the database is made.
    pub(crate) async fn make(&self) {
        self.pass().await.expect("a pass");
        self.server_is_ready();
        self.poll_is_due();
        self.pass().await.expect("a pass");
        assert_eq!(self.phase(), "done");
    }
}

/// Whether the only thing left of what was made is the object itself, or nothing.
pub(crate) fn is_clean(api: &Api) -> bool {
    api.paths().iter().all(|path| path == DATABASE)
}

pub(crate) fn has_finalizer(object: &Value) -> bool {
    object["metadata"]["finalizers"] == json!([FINALIZER])
}
