//! The store in the status of an object, by itself.

use kube_reconciler::{database::Database, status_store::StatusStore};
use steps::testing;

use crate::{
    api::{At, DATABASE},
    object::User,
};

async fn store(user: &User) -> StatusStore<Database> {
    let api = kube::Api::default_namespaced(user.api.client());
    StatusStore::new(api, &user.object().await)
}

#[tokio::test]
async fn it_keeps_the_rules_of_state_stores() {
    let user = User::new().await;
    let store = store(&user).await;
    testing::state_store(|| store.clone()).await;
}

#[tokio::test]
async fn it_keeps_them_while_somebody_changes_labels() {
    for number in 1..6 {
        let user = User::new().await;
        user.api.at(At::Labelled(number));
        let store = store(&user).await;
        testing::state_store(|| store.clone()).await;
        let object = user.api.get(DATABASE).await.expect("it is there");
        assert_eq!(object["metadata"]["labels"]["seen"], "yes");
    }
}
