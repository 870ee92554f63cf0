//! The cloud as a service sees it: async methods over HTTP. Every request is printed, with the
//! milliseconds at which it began and ended, so that one sees what is retried, polled and undone,
//! and what happens at once.

use std::{net::SocketAddr, time::Instant};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    http,
    model::{Attachment, Inventory, NewAttachment, NewVm, NewVolume, Vm, VmId, Volume, VolumeId},
};

/// A client of the cloud.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    address: SocketAddr,
    opened: Instant,
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CloudError {
    /// The cloud said no.
    #[error("{method} {path}: {status}, {reason}")]
    Refused {
        method: &'static str,
        path: String,
        status: u16,
        reason: String,
    },
    /// The cloud did not answer.
    #[error("{method} {path}: no answer")]
    Unreachable {
        method: &'static str,
        path: String,
        source: std::io::Error,
    },
    /// What was said, or answered, is not the JSON it should be.
    #[error("{method} {path}: not the expected JSON")]
    Garbled {
        method: &'static str,
        path: String,
        source: serde_json::Error,
    },
}

impl CloudError {
    /// Whether the same request may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status == 429 || *status == 503,
            Self::Unreachable { .. } => true,
            Self::Garbled { .. } => false,
        }
    }

    fn is_gone(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

impl Cloud {
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self {
            address,
            opened: Instant::now(),
        }
    }

    /// Orders a machine, which is not ready yet when this returns.
    pub(crate) async fn create_vm(&self, name: &str) -> Result<VmId, CloudError> {
        let new = NewVm {
            name: name.to_owned(),
        };
        let vm: Vm = self.call("POST", "/vms".to_owned(), Some(&new)).await?;
        Ok(vm.id)
    }

    pub(crate) async fn vm(&self, id: &VmId) -> Result<Vm, CloudError> {
        self.call("GET", format!("/vms/{id}"), None::<&()>).await
    }

    /// Deletes a machine. One that is gone already is no error.
    pub(crate) async fn delete_vm(&self, id: &VmId) -> Result<(), CloudError> {
        self.delete(format!("/vms/{id}")).await
    }

    /// Orders a volume, which is not ready yet when this returns.
    pub(crate) async fn create_volume(
        &self,
        name: &str,
        size_gb: u32,
    ) -> Result<VolumeId, CloudError> {
        let new = NewVolume {
            name: name.to_owned(),
            size_gb,
        };
        let volume: Volume = self.call("POST", "/volumes".to_owned(), Some(&new)).await?;
        Ok(volume.id)
    }

    pub(crate) async fn volume(&self, id: &VolumeId) -> Result<Volume, CloudError> {
        self.call("GET", format!("/volumes/{id}"), None::<&()>)
            .await
    }

    /// Deletes a volume. One that is gone already is no error.
    pub(crate) async fn delete_volume(&self, id: &VolumeId) -> Result<(), CloudError> {
        self.delete(format!("/volumes/{id}")).await
    }

    pub(crate) async fn attach(
        &self,
        vm: &VmId,
        volume: &VolumeId,
    ) -> Result<Attachment, CloudError> {
        let new = NewAttachment {
            vm: vm.clone(),
            volume: volume.clone(),
        };
        self.call("POST", "/attachments".to_owned(), Some(&new))
            .await
    }

    /// Detaches a volume. One that is detached already is no error.
    pub(crate) async fn detach(&self, attachment: &Attachment) -> Result<(), CloudError> {
        self.delete(format!("/attachments/{}", attachment.id)).await
    }

    /// Leaves a message for the people who run the cloud.
    pub(crate) async fn tell(&self, message: &str) -> Result<(), CloudError> {
        self.call("POST", "/messages".to_owned(), Some(message))
            .await
    }

    pub(crate) async fn inventory(&self) -> Result<Inventory, CloudError> {
        self.call("GET", "/inventory".to_owned(), None::<&()>).await
    }

    async fn delete(&self, path: String) -> Result<(), CloudError> {
        match self.call("DELETE", path, None::<&()>).await {
            Err(error) if error.is_gone() => Ok(()),
            other => other,
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        path: String,
        body: Option<&(impl Serialize + Sync + ?Sized)>,
    ) -> Result<T, CloudError> {
        let garbled = |source| CloudError::Garbled {
            method,
            path: path.clone(),
            source,
        };
        let body = body
            .map(serde_json::to_vec)
            .transpose()
            .map_err(garbled)?
            .unwrap_or_default();
        let began = self.opened.elapsed().as_millis();
        let reply = match http::send(self.address, method, &path, &body).await {
            Ok(reply) => reply,
            Err(source) => {
                return Err(CloudError::Unreachable {
                    method,
                    path,
                    source,
                });
            }
        };
        let ended = self.opened.elapsed().as_millis();
        println!(
            "  {method:<6} {path:<20} {}  {began}-{ended} ms",
            reply.status
        );
        match reply.status {
            204 => serde_json::from_slice(b"null").map_err(garbled),
            200..=299 => serde_json::from_slice(&reply.body).map_err(garbled),
            status => {
                let reason = String::from_utf8_lossy(&reply.body).into_owned();
                Err(CloudError::Refused {
                    method,
                    path,
                    status,
                    reason,
                })
            }
        }
    }
}
