//! The store in the status of an object, by itself.

use kube_reconciler::{
    database::Database,
    status_store::{MAX_BYTES, StatusStore},
};
use steps::{
    Outcome,
    prelude::*,
    state_store::{NotSaved, StateStoreError},
    testing,
};

use crate::{
    api::At,
    object::{DATABASE, User},
};

fn store(user: &User) -> StatusStore<Database> {
    let api = kube::Api::default_namespaced(user.api.client());
    StatusStore::new(api, &user.object())
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

#[tokio::test]
async fn it_keeps_the_rules_of_state_stores() {
    let user = User::new().await;
    testing::state_store(|| store(&user)).await;
}

#[tokio::test]
async fn it_keeps_them_while_somebody_changes_labels() {
    for number in 1..6 {
        let user = User::new().await;
        user.api.at(At::Labelled(number));
        testing::state_store(|| store(&user)).await;
        let object = user.api.get(DATABASE).expect("it is there");
        assert_eq!(object["metadata"]["labels"]["seen"], "yes");
    }
}

/// The quotation marks in an output are escaped in the JSON of the state, and again in the JSON of the object.
#[tokio::test]
async fn its_bound_is_that_of_what_is_written() {
    let user = User::new().await;
    let store = store(&user);
    // 200,000 of them are 400,000 bytes in the state, and 800,000 in the object.
    let run = texts("s".into(), "\"".into(), 200_000).stored_in(&store);
    let pass = run.advance().await.expect("a pass");
    assert!(matches!(pass.outcome, Outcome::Waiting { .. }));
    let object = user.api.get(DATABASE).expect("it is there").to_string();
    assert!(
        (800_000..MAX_BYTES).contains(&object.len()),
        "{}",
        object.len()
    );

    let user = User::new().await;
    let store = self::store(&user);
    let run = texts("s".into(), "\"".into(), 300_000).stored_in(&store);
    let error = run.advance().await.expect_err("it is too large");
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
