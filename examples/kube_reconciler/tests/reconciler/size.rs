//! How much an object takes, and what is refused before it is sent.

use http::Method;
use kube_reconciler::{
    database::Database,
    status_store::{MAX_BYTES, StatusStore, StatusStoreError},
};
use serde_json::json;
use steps::{
    Outcome, State,
    prelude::*,
    state_store::{NotSaved, StateStore as _, StateStoreError},
};

use crate::{api::DATABASE, object::User};

async fn store(user: &User) -> StatusStore<Database> {
    let api = kube::Api::default_namespaced(user.api.client());
    StatusStore::new(api, &user.object().await)
}

#[step]
async fn text(of: &str, times: usize) -> Result<String, String> {
    Ok(of.repeat(times))
}

#[step(readonly, poll(every = "1h"))]
async fn never() -> Result<Option<()>, String> {
    Ok(None)
}

#[flow]
async fn texts(small: String, large: String, times: usize) -> Result<usize, String> {
    steps! {
        a = text(&small, 1);
        b = text(&large, times);
        never();
    }
    Ok(a.len() + b.len())
}

/// Saves a state with this text, as many times as this. The object is a new one.
async fn save(
    of: &str,
    times: usize,
) -> Result<(User, StatusStore<Database>), StateStoreError<StatusStoreError>> {
    let user = User::new().await;
    let store = store(&user).await;
    let run = texts("s".into(), of.into(), times).stored_in(&store);
    let pass = run.advance().await?;
    assert!(matches!(pass.outcome, Outcome::Waiting { .. }));
    Ok((user, store))
}

/// The quotation marks in an output are escaped in the JSON of the state, and again in the JSON of the object.
#[tokio::test]
async fn its_bound_is_that_of_what_is_written() {
    // 200,000 of them are 400,000 bytes in the state, and 800,000 in the object.
    let (user, _) = save("\"", 200_000).await.expect("it is saved");
    let object = user.api.get(DATABASE).await.expect("it is there");
    let bytes = object.to_string().len();
    assert!((800_000..MAX_BYTES).contains(&bytes), "{bytes}");

    let error = save("\"", 300_000).await.err().expect("it is too large");
    let told = error.to_string();
    let StateStoreError::NotSaved { why, .. } = error else {
        panic!("{told}")
    };
    let NotSaved::TooLarge { bytes, step, .. } = why else {
        panic!("{told}")
    };
    assert!(bytes > MAX_BYTES && step == "b", "{told}");
    assert!(told.contains("the step `b`"), "{told}");
}

/// The server keeps each of them as `\u003c`, which is six times as long.
#[tokio::test]
async fn its_bound_knows_what_the_server_escapes() {
    for of in ["<", ">", "&", "\u{2028}"] {
        let times = 160 * 1024;
        let (user, store) = save(of, times).await.expect("it is saved");
        let saved = store.load().await.expect("it is loaded").expect("a state");
        let bytes = store.bytes_for(&saved.json);
        assert!((6 * times..MAX_BYTES).contains(&bytes), "{of}: {bytes}");
        assert_eq!(user.phase().await, "waiting");

        let error = save(of, 300_000).await.err().expect("it is too large");
        assert!(error.to_string().contains("the step `b`"), "{of}: {error}");
    }
}

#[tokio::test]
async fn a_state_just_below_the_bound_is_taken_and_given_back() {
    let (user, store) = save("x", MAX_BYTES - 4096).await.expect("it is saved");
    let saved = store.load().await.expect("it is loaded").expect("a state");
    let bytes = store.bytes_for(&saved.json);
    assert!((MAX_BYTES - 4096..=MAX_BYTES).contains(&bytes), "{bytes}");
    let state = State::from_json(&saved.json).expect("a state");
    let output = state.get("b").and_then(|node| node.output.as_ref());
    let text: String = output.expect("an output").decode().expect("a text");
    assert_eq!(text, "x".repeat(MAX_BYTES - 4096));
    assert_eq!(user.phase().await, "waiting");

    let error = save("x", MAX_BYTES).await.err().expect("it is too large");
    let bound = format!("this place has room for {MAX_BYTES}");
    assert!(error.to_string().contains(&bound), "{error}");
}

#[tokio::test]
async fn a_state_that_is_too_large_is_not_sent() {
    let user = User::new().await;
    let large = json!("i".repeat(1_100_000));
    user.api
        .change(DATABASE, |database| {
            database["spec"]["image"] = large.clone();
        })
        .await;
    user.pass().await.expect("the finalizer is added");
    let error = user.pass().await.expect_err("it is too large").to_string();
    assert!(
        error.contains("this place has room for ") && error.contains("its own input"),
        "{error}"
    );
    assert_eq!(user.api.status_writes(), 0);
    assert!(user.is_clean().await, "nothing was made");
}

/// The bound of etcd is that of the object, and its spec is a part of that.
#[tokio::test]
async fn a_large_spec_leaves_less_room_for_the_state() {
    let user = User::new().await;
    let large = json!("i".repeat(900_000));
    user.api
        .change(DATABASE, |database| {
            database["spec"]["image"] = large.clone();
        })
        .await;
    let room = store(&user).await.max_bytes();
    assert!(room < MAX_BYTES / 2 + 100_000, "{room}");
    user.pass().await.expect("the finalizer is added");
    let error = user.pass().await.expect_err("it is too large").to_string();
    assert!(error.contains("this place has room for "), "{error}");
    assert_eq!(user.api.status_writes(), 0);
    assert!(user.is_clean().await, "nothing was made");
}

#[tokio::test]
async fn what_room_there_is_beside_a_large_spec_can_be_filled() {
    let user = User::new().await;
    let large = json!("i".repeat(700_000));
    user.api
        .change(DATABASE, |database| {
            database["spec"]["image"] = large.clone();
        })
        .await;
    let store = store(&user).await;
    let room = store.max_bytes();
    assert!((700_000..MAX_BYTES).contains(&room), "{room}");
    let run = texts("s".into(), "x".into(), room - 4096).stored_in(&store);
    let passed = run.advance().await.expect("the server takes it");
    let saved = store.load().await.expect("it is loaded").expect("a state");
    let passed = passed.state.state().to_json();
    assert_eq!(saved.json, passed, "what was passed is what is saved");
    let bytes = store.bytes_for(&saved.json);
    assert!((room - 4096..=room).contains(&bytes), "{bytes}");
}

/// Why the bound is looked at before: the answer looks like something that will pass.
#[tokio::test]
async fn an_object_that_etcd_does_not_take_is_answered_with_500() {
    let user = User::new().await;
    let path = format!("{}/status", DATABASE.path(user.api.namespace()));
    for message in ["m".repeat(1_600 * 1024), "<".repeat(300 * 1024)] {
        let mut object = user.api.get(DATABASE).await.expect("it is there");
        object["status"] = json!({ "message": message });
        let refused = user.api.ask(Method::PUT, &path, &object).await;
        let Err(kube::Error::Api(status)) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(status.code, 500, "{status:?}");
        let told = &status.message;
        assert!(told.contains("request is too large"), "{told}");
    }
}
