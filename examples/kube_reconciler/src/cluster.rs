//! What the steps do to the cluster: objects that belong to one database are made, found and deleted.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{DeleteParams, PostParams, Preconditions},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The label by which an object is known to be of a database: its value is the database's `uid`.
pub const OWNER: &str = "example.com/database-uid";

/// One namespace of a cluster.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
}

/// The database that objects are made for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    /// Its name, from which the names of the objects are made.
    pub name: String,
    /// What tells it from an older or a later one of that name.
    pub uid: String,
}

/// An object that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// What tells it from others that have had its name.
    pub uid: String,
}

/// Why something could not be done to the cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Somebody else has made an object of that name.
    #[error("there is a {kind} `{name}` already, which is not of this database")]
    NotOurs {
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The API server's answer.
    #[error("the API server: {0}")]
    Api(#[from] kube::Error),
}

impl ClusterError {
    /// Whether the same call may succeed a little later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NotOurs { .. } => false,
            Self::Api(kube::Error::Api(status)) => status.code >= 500 || status.code == 429,
            // The server was not reached, or the connection to it was cut.
            Self::Api(_) => true,
        }
    }
}

/// A kind of object in a namespace, with a type of its own.
pub trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
{
}

impl<K> Kind for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned
{
}

impl Cluster {
    /// The namespace in which the objects are made.
    pub fn new(client: Client, namespace: impl Into<String>) -> Self {
        Self {
            client,
            namespace: namespace.into(),
        }
    }

    /// Its name.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn api<K: Kind>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Makes an object for `owner`. It is no error if it is there from an earlier attempt.
    pub async fn make<K: Kind>(&self, owner: &Owner, mut object: K) -> Result<Made, ClusterError> {
        object
            .labels_mut()
            .insert(OWNER.to_owned(), owner.uid.clone());
        match self.api().create(&PostParams::default(), &object).await {
            Ok(made) => Ok(made_of(&made)),
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                let name = object.name_any();
                let found = self.find::<K>(owner, &name).await?;
                found.ok_or_else(|| ClusterError::NotOurs {
                    kind: K::kind(&()).into_owned(),
                    name,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Finds an object that was made for `owner`.
    pub async fn find<K: Kind>(
        &self,
        owner: &Owner,
        name: &str,
    ) -> Result<Option<Made>, ClusterError> {
        let found: Option<K> = self.api().get_opt(name).await?;
        Ok(found
            .filter(|object| object.labels().get(OWNER) == Some(&owner.uid))
            .map(|object| made_of(&object)))
    }

    /// Reads an object that was made. `None` if it is gone.
    pub async fn read<K: Kind>(&self, made: &Made) -> Result<Option<K>, ClusterError> {
        let found: Option<K> = self.api().get_opt(&made.name).await?;
        Ok(found.filter(|object| object.uid().as_deref() == Some(&made.uid)))
    }

    /// Deletes an object that was made. It is no error if it is gone, and another one of its name is left alone.
    pub async fn delete<K: Kind>(&self, made: &Made) -> Result<(), ClusterError> {
        let this_one = DeleteParams::background().preconditions(Preconditions {
            uid: Some(made.uid.clone()),
            resource_version: None,
        });
        match self.api::<K>().delete(&made.name, &this_one).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn made_of<K: Resource>(object: &K) -> Made {
    Made {
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
    }
}
