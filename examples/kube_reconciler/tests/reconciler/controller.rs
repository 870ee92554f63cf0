//! The whole controller: it watches, makes and undoes by itself.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use kube::runtime::{Controller, watcher};
use kube_reconciler::{
    database::Database,
    reconcile::{Context, error_policy, reconcile},
};

use crate::object::{DATABASE, SERVER, User};

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
    waited.unwrap_or_else(|_| panic!("after a minute not yet: {what}"));
}

#[tokio::test]
async fn it_makes_what_is_asked_for_and_undoes_it_when_the_object_is_deleted() {
    let user = User::new().await;
    let databases = kube::Api::<Database>::default_namespaced(user.api.client());
    let context = Arc::new(Context::new(user.api.client()));
    let passes = Controller::new(databases, watcher::Config::default())
        .run(reconcile, error_policy, context)
        .for_each(|pass| async move {
            pass.expect("a pass");
        });
    let controller = tokio::spawn(passes);

    until("a server", || user.api.get(SERVER).is_some()).await;
    user.server_is_ready();
    until("done", || user.phase() == "done").await;
    // Each save of its own wakes it, and that leads to no further one.
    let writes = user.api.status_writes();
    assert!(writes <= 12, "{writes}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(user.api.status_writes(), writes);

    user.delete().await;
    until("gone", || user.api.get(DATABASE).is_none()).await;
    assert_eq!(user.api.paths(), [""; 0]);
    controller.abort();
}
