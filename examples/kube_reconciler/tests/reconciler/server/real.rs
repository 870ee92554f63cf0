//! A real API server. The definition and the role of the controller are applied once, and each test has a namespace
//! of its own.

use std::{path::Path, process::Command};

use http::Request;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::Server;
use crate::api::until;

const ROLE: &str = include_str!("../../../role.yaml");

static READY: OnceCell<()> = OnceCell::const_new();

pub(super) async fn server(config: &Path) -> Server {
    let user = client(config, "admin").await;
    let controller = client(config, "controller").await;
    READY.get_or_init(|| prepare(&user, &controller)).await;
    let namespace = format!("test-{}", uuid::Uuid::new_v4().simple());
    let object = json!({ "metadata": { "name": namespace } });
    let made = post(&user, "/api/v1/namespaces", "json", object.to_string()).await;
    made.expect("a namespace");
    Server {
        user,
        controller,
        namespace,
    }
}

async fn client(config: &Path, context: &str) -> Client {
    let config = Kubeconfig::read_from(config).expect("the file of STEPS_KUBECONFIG");
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(config, &options).await;
    Client::try_from(config.expect("a context")).expect("a client")
}

/// Applies the definition, as the program prints it, and the role.
async fn prepare(user: &Client, controller: &Client) {
    until("the server is ready", async || {
        let ready = Request::get("/readyz").body(Vec::new()).expect("a request");
        user.request_text(ready).await.is_ok()
    })
    .await;

    let mut program = Command::new(env!("CARGO_BIN_EXE_kube-reconciler"));
    let printed = program.arg("--print-crd").output().expect("it runs");
    let definition = String::from_utf8(printed.stdout).expect("text");
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let made = post(user, definitions, "json", definition).await;
    let made = made.expect("the definition is accepted");
    assert_eq!(made["metadata"]["name"], "databases.example.com");

    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let made = post(user, &format!("{rbac}/clusterroles"), "yaml", ROLE.into()).await;
    let role = made.expect("the role is accepted");
    let binding = json!({
        "metadata": { "name": "controller" },
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": role["metadata"]["name"],
        },
        "subjects": [{
            "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "controller",
        }],
    });
    let path = format!("{rbac}/clusterrolebindings");
    let bound = post(user, &path, "json", binding.to_string()).await;
    bound.expect("the role is bound");

    until("the definition and the role are in force", async || {
        let databases = Request::get("/apis/example.com/v1/namespaces/default/databases");
        let databases = databases.body(Vec::new()).expect("a request");
        controller.request::<Value>(databases).await.is_ok()
    })
    .await;
}

async fn post(
    client: &Client,
    path: &str,
    form: &str,
    object: String,
) -> Result<Value, kube::Error> {
    let request = Request::post(path).header("content-type", format!("application/{form}"));
    let request = request.body(object.into_bytes()).expect("a request");
    client.request(request).await
}
