//! What the controller refuses, and how it says so.

use std::{process::Command, sync::Arc};

use k8s_openapi::api::core::v1::Service;
use kube::{CustomResourceExt as _, api::PostParams};
use kube_reconciler::{
    database::Database,
    reconcile::{Context, error_policy},
};
use serde_json::{Value, json};

use crate::{
    api::{DATABASE, SERVICE, until},
    object::User,
};

#[tokio::test]
async fn a_changed_object_is_refused_until_it_is_as_it_was() {
    let user = User::with_finalizer().await;
    user.pass().await.expect("a pass");
    user.api.log();
    user.api
        .change(DATABASE, |database| database["spec"]["size"] = json!("2Gi"))
        .await;
    let before = user.object().await.status;
    let error = user.pass().await.expect_err("another input");
    assert!(error.to_string().contains("spec.size"), "{error}");
    let after = user.object().await.status;
    assert_eq!((after, user.api.log()), (before, vec![]));

    let context = Arc::new(Context::new(user.api.client()));
    let object = Arc::new(user.object().await);
    let action = error_policy(object.clone(), &error, context.clone());
    assert!(format!("{action:?}").contains("300s"), "{action:?}");
    until("an event", async || !user.api.events().await.is_empty()).await;
    let (reason, note) = user.api.events().await.pop().expect("an event");
    assert!(
        reason == "CannotGoOn" && note.contains("spec.size"),
        "{reason} {note}"
    );
    // Told again, it is the same event.
    error_policy(object, &error, context);
    let is_counted = async || user.api.event_objects().await[0]["series"]["count"] == 2;
    until("it is counted", is_counted).await;
    assert_eq!(user.api.events().await.len(), 1);

    user.api
        .change(DATABASE, |database| database["spec"]["size"] = json!("1Gi"))
        .await;
    user.make().await;
}

#[tokio::test]
async fn a_part_that_cannot_be_made_undoes_the_others_and_leaves_those_of_somebody_else() {
    let user = User::with_finalizer().await;
    let services = kube::Api::<Service>::namespaced(user.api.user(), user.api.namespace());
    let theirs = json!({ "metadata": { "name": "main" }, "spec": { "ports": [{ "port": 1 }] } });
    let theirs = serde_json::from_value(theirs).expect("a service");
    services
        .create(&PostParams::default(), &theirs)
        .await
        .expect("it is made");
    user.pass().await.expect("a pass");
    user.server_is_ready().await;
    user.poll_is_due().await;
    user.pass().await.expect("a pass");

    assert_eq!(user.phase().await, "undone");
    let left = [DATABASE.to_string(), SERVICE.to_string()];
    assert_eq!(user.api.parts().await, left);
    let message = user.message().await;
    assert_eq!(
        message,
        "service: there is a Service `main` already, which is not of this database"
    );

    // It is told once, and not begun anew by itself.
    for _ in 0..3 {
        user.pass().await.expect("a pass");
    }
    let events = user.api.events().await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(
        events[0].0 == "Failed" && events[0].1.contains("not of this database"),
        "{events:?}"
    );
    user.delete().await;
    user.pass().await.expect("a pass");
    assert_eq!(user.api.parts().await, [SERVICE.to_string()]);
}

#[test]
fn the_definition_has_the_status_as_a_part_and_keeps_the_spec_from_changes() {
    let crd = serde_json::to_value(Database::crd()).expect("JSON");
    let version = &crd["spec"]["versions"][0];
    assert!(version["subresources"]["status"].is_object(), "{version}");
    let schema = &version["schema"]["openAPIV3Schema"]["properties"];
    assert_eq!(
        schema["spec"]["x-kubernetes-validations"][0]["rule"],
        "self == oldSelf"
    );
    let execution = &schema["status"]["properties"]["execution"];
    assert_eq!(
        execution["properties"]["state"]["type"], "string",
        "{execution}"
    );
}

#[test]
fn the_program_prints_the_definition_and_says_what_it_can() {
    let run = |argument| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_kube-reconciler"));
        let ran = program.arg(argument).output().expect("it runs");
        assert!(ran.status.success());
        String::from_utf8(ran.stdout).expect("text")
    };
    let printed: Value = serde_json::from_str(&run("--print-crd")).expect("JSON");
    assert_eq!(
        printed,
        serde_json::to_value(Database::crd()).expect("JSON")
    );
    assert!(run("--help").contains("--namespace <NAME>"));
}
