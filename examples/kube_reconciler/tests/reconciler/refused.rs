//! What the controller refuses, and how it says so.

use std::{process::Command, sync::Arc};

use kube::{CustomResourceExt as _, api::PostParams};
use kube_reconciler::{
    database::Database,
    reconcile::{Context, error_policy},
};
use serde_json::{Value, json};

use crate::object::{DATABASE, SERVICE, User, is_clean};

#[tokio::test]
async fn a_changed_object_is_refused_until_it_is_as_it_was() {
    let user = User::with_finalizer().await;
    user.pass().await.expect("a pass");
    user.api.log();
    user.api
        .change(DATABASE, |database| database["spec"]["size"] = json!("2Gi"));
    let before = user.object().status;
    let error = user.pass().await.expect_err("another input");
    assert!(error.to_string().contains("spec.size"), "{error}");
    assert_eq!((user.object().status, user.api.log()), (before, vec![]));

    let context = Arc::new(Context::new(user.api.client()));
    let action = error_policy(Arc::new(user.object()), &error, context);
    assert!(format!("{action:?}").contains("300s"), "{action:?}");
    while user.api.events().is_empty() {
        tokio::task::yield_now().await;
    }
    let (reason, note) = user.api.events().pop().expect("an event");
    assert!(
        reason == "CannotGoOn" && note.contains("spec.size"),
        "{reason} {note}"
    );

    user.api
        .change(DATABASE, |database| database["spec"]["size"] = json!("1Gi"));
    user.make().await;
}

#[tokio::test]
async fn a_part_that_cannot_be_made_undoes_the_others_and_leaves_those_of_somebody_else() {
    let user = User::with_finalizer().await;
    let services =
        kube::Api::<k8s_openapi::api::core::v1::Service>::default_namespaced(user.api.client());
    let theirs =
        serde_json::from_value(json!({ "metadata": { "name": "main" } })).expect("a service");
    services
        .create(&PostParams::default(), &theirs)
        .await
        .expect("it is made");
    user.pass().await.expect("a pass");
    user.server_is_ready();
    user.poll_is_due();
    user.pass().await.expect("a pass");

    assert_eq!(user.phase(), "undone");
    let mut paths = user.api.paths();
    paths.retain(|path| path != DATABASE);
    assert_eq!(paths, [SERVICE]);
    let message = user
        .object()
        .status
        .and_then(|status| status.message)
        .expect("a message");
    assert_eq!(
        message,
        "service: there is a Service `main` already, which is not of this database"
    );

    // It is told once, and not begun anew by itself.
    for _ in 0..3 {
        user.pass().await.expect("a pass");
    }
    let events = user.api.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(
        events[0].0 == "Failed" && events[0].1.contains("not of this database"),
        "{events:?}"
    );
    user.delete().await;
    user.pass().await.expect("a pass");
    assert_eq!(user.api.paths(), [SERVICE]);
}

#[tokio::test]
async fn a_state_that_is_too_large_is_not_sent() {
    let user = User::new().await;
    user.api.change(DATABASE, |database| {
        database["spec"]["image"] = json!("i".repeat(1_100_000));
    });
    user.pass().await.expect("the finalizer is added");
    let error = user.pass().await.expect_err("it is too large").to_string();
    assert!(
        error.contains("this place has room for 1048576") && error.contains("its own input"),
        "{error}"
    );
    assert_eq!(user.api.status_writes(), 0);
    assert!(is_clean(&user.api), "nothing was made");
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
