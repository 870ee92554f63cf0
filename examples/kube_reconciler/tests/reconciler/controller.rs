//! The whole controller: it watches, makes and undoes by itself.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use kube::runtime::{Controller, watcher};
use kube_reconciler::{
    database::Database,
    reconcile::{Context, error_policy, reconcile},
};

use crate::{
    api::{DATABASE, SERVER, until},
    object::User,
};

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

    until("a server", async || user.api.get(SERVER).await.is_some()).await;
    user.server_is_ready().await;
    until("done", async || user.phase().await == "done").await;
    // Each save of its own wakes it, and that leads to no further one.
    let writes = user.api.status_writes();
    assert!(writes <= 12, "{writes}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(user.api.status_writes(), writes);

    user.delete().await;
    until("gone", async || user.api.get(DATABASE).await.is_none()).await;
    assert_eq!(user.api.parts().await, [""; 0]);
    controller.abort();
}
