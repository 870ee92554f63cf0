//! What only a real API server can say: `cargo xtask kube` runs these, too. The other tests run against either.

use http::Request;
use serde_json::{Value, json};

use crate::{api::DATABASE, object::User};

#[tokio::test]
#[ignore = "needs a real API server: cargo xtask kube"]
async fn kubectl_shows_the_columns_of_the_definition() {
    let user = User::with_finalizer().await;
    user.pass().await.expect("a pass");
    let table = Request::get(DATABASE.path(user.api.namespace()))
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    let table = table.body(Vec::new()).expect("a request");
    let table: Value = user.api.user().request(table).await.expect("a table");
    let columns = table["columnDefinitions"].as_array().expect("columns");
    let names: Vec<_> = columns.iter().map(|column| &column["name"]).collect();
    assert_eq!(names, ["Name", "Phase", "Step", "Message", "Age"]);
    let row = &table["rows"][0]["cells"];
    assert_eq!(row[0], "main");
    assert_eq!(row[1], "waiting");
    assert_eq!(row[2], "is_ready");
}

/// All other tests show that the rights suffice, as the controller's client has no others.
#[tokio::test]
#[ignore = "needs a real API server: cargo xtask kube"]
async fn the_role_does_not_let_the_controller_do_more() {
    let user = User::new().await;
    let secrets = format!("/api/v1/namespaces/{}/secrets", user.api.namespace());
    let list = Request::get(secrets).body(Vec::new()).expect("a request");
    let refused = user.api.controller().request::<Value>(list).await;
    let Err(kube::Error::Api(status)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(status.code, 403, "{status:?}");
}

/// Why the state is a string with JSON in it.
#[tokio::test]
#[ignore = "needs a real API server: cargo xtask kube"]
async fn what_the_definition_does_not_have_is_dropped() {
    let user = User::new().await;
    user.api
        .change(DATABASE, |database| {
            database["status"] = json!({ "phase": "waiting", "more": { "of": "it" } });
        })
        .await;
    let object = user.api.get(DATABASE).await.expect("it is there");
    assert_eq!(object["status"], json!({ "phase": "waiting" }));
}
