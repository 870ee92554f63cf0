//! The flow that makes a database. Each step makes one object, and its undo deletes it.
//!
//! The state of the flow is in the object's status, which many may read: so the password is made and kept in the
//! secret, and the state has only the secret's name.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Secret, Service},
};
use serde_json::{Value, json};
use steps::prelude::*;

use crate::{
    cluster::{Cluster, ClusterError, Made, OWNER, Owner},
    database::DatabaseSpec,
};

/// Makes a database, and gives the address of its server.
#[flow]
pub async fn make_database(
    cluster: &Cluster,
    owner: Owner,
    spec: DatabaseSpec,
) -> Result<String, ClusterError> {
    steps! {
        parts = parallel {
            secret = make_secret(cluster, &owner);
            volume = claim_volume(cluster, &owner, &spec.size);
        }
        server = start_server(cluster, &owner, &spec.image, &parts.secret, &parts.volume);
        is_ready(cluster, &server);
        service = expose(cluster, &owner);
    }
    Ok(format!("{}.{}.svc:5432", service.name, cluster.namespace()))
}

/// Makes a secret with a new password.
#[step(retry(times = 5, every = "1s", backoff = 2.0, when = ClusterError::may_pass))]
async fn make_secret(cluster: &Cluster, owner: &Owner) -> Result<Made, ClusterError> {
    let password = uuid::Uuid::new_v4().simple().to_string();
    let secret = Secret {
        string_data: Some(BTreeMap::from([("password".to_owned(), password)])),
        ..object(&secret_name(owner), json!({}))
    };
    cluster.make(owner, secret).await
}

#[verify(make_secret)]
async fn secret_is_there(cluster: &Cluster, owner: &Owner) -> Result<Option<Made>, ClusterError> {
    cluster.find::<Secret>(owner, &secret_name(owner)).await
}

#[undo(make_secret, retry(times = 5, every = "1s", backoff = 2.0, when = ClusterError::may_pass))]
async fn delete_secret(cluster: &Cluster, _: &Owner, made: &Made) -> Result<(), ClusterError> {
    cluster.delete::<Secret>(made).await
}

/// Claims a volume of this size.
#[step(retry(times = 5, every = "1s", backoff = 2.0, when = ClusterError::may_pass))]
async fn claim_volume(cluster: &Cluster, owner: &Owner, size: &str) -> Result<Made, ClusterError> {
    let claim: PersistentVolumeClaim = object(
        &owner.name,
        json!({
            "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": size } },
        }),
    );
    cluster.make(owner, claim).await
}

#[verify(claim_volume)]
async fn volume_is_there(
    cluster: &Cluster,
    owner: &Owner,
    _size: &str,
) -> Result<Option<Made>, ClusterError> {
    cluster
        .find::<PersistentVolumeClaim>(owner, &owner.name)
        .await
}

#[undo(claim_volume, retry(times = 5, every = "1s", backoff = 2.0, when = ClusterError::may_pass))]
async fn delete_volume(
    cluster: &Cluster,
    _: &Owner,
    _size: &str,
    made: &Made,
) -> Result<(), ClusterError> {
    cluster.delete::<PersistentVolumeClaim>(made).await
}

/// Starts the server with that password, on that volume.
#[step(retry(times = 5, every = "1s", backoff = 2.0, when = ClusterError::may_pass))]
async fn start_server(
    cluster: &Cluster,
    owner: &Owner,
    image: &str,
    secret: &Made,
    volume: &Made,
) -> Result<Made, ClusterError> {
    let password = json!({ "secretKeyRef": { "name": secret.name, "key": "password" } });
    let server: StatefulSet = object(
        &owner.name,
        json!({
            "replicas": 1,
            "serviceName": owner.name,
            "selector": { "matchLabels": { OWNER: owner.uid } },
            "template": {
                "metadata": { "labels": { OWNER: owner.uid } },
                "spec": {
                    "containers": [{
                        "name": "server",
                        "image": image,
                        "env": [{ "name": "POSTGRES_PASSWORD", "valueFrom": password }],
                        "volumeMounts": [{ "name": "data", "mountPath": "/var/lib/postgresql" }],
                    }],
                    "volumes": [{
                        "name": "data",
                        "persistentVolumeClaim": { "claimName": volume.name },
                    }],
                },
            },
        }),
    );
    cluster.make(owner, server).await
}

#[verify(start_server)]
async fn server_is_there(
    cluster: &Cluster,
    owner: &Owner,
    _image: &str,
    _secret: &Made,
    _volume: &Made,
) -> Result<Option<Made>, ClusterError> {
    cluster.find::<StatefulSet>(owner, &owner.name).await
}

#[undo(start_server, retry(times = 5, every = "1s", backoff = 2.0, when = ClusterError::may_pass))]
async fn delete_server(
    cluster: &Cluster,
    _: &Owner,
    _image: &str,
    _secret: &Made,
    _volume: &Made,
    made: &Made,
) -> Result<(), ClusterError> {
    cluster.delete::<StatefulSet>(made).await
}

/// Looks whether the server answers; `None` means "not yet".
#[step(readonly, poll(every = "5s", times = 120))]
async fn is_ready(cluster: &Cluster, server: &Made) -> Result<Option<()>, ClusterError> {
    let server: Option<StatefulSet> = cluster.read(server).await?;
    let ready = server.and_then(|server| server.status?.ready_replicas);
    Ok((ready >= Some(1)).then_some(()))
}

/// Gives the server a name in the network.
#[step(retry(times = 5, every = "1s", backoff = 2.0, when = ClusterError::may_pass))]
async fn expose(cluster: &Cluster, owner: &Owner) -> Result<Made, ClusterError> {
    let service: Service = object(
        &owner.name,
        json!({ "selector": { OWNER: owner.uid }, "ports": [{ "port": 5432 }] }),
    );
    cluster.make(owner, service).await
}

#[verify(expose)]
async fn service_is_there(cluster: &Cluster, owner: &Owner) -> Result<Option<Made>, ClusterError> {
    cluster.find::<Service>(owner, &owner.name).await
}

#[undo(expose, retry(times = 5, every = "1s", backoff = 2.0, when = ClusterError::may_pass))]
async fn delete_service(cluster: &Cluster, _: &Owner, made: &Made) -> Result<(), ClusterError> {
    cluster.delete::<Service>(made).await
}

fn secret_name(owner: &Owner) -> String {
    format!("{}-password", owner.name)
}

/// An object with a name and this as its `spec`.
fn object<K: serde::de::DeserializeOwned>(name: &str, spec: Value) -> K {
    let object = json!({ "metadata": { "name": name }, "spec": spec });
    serde_json::from_value(object).expect("the fields of these specs are those of their types")
}
