//! The flow: a machine and a volume at once, then the one attached to the other; what undoes each
//! step; and what is said at the end.

use serde::{Deserialize, Serialize};
use steps::prelude::*;

use crate::{
    cloud_client::{Cloud, CloudError},
    model::{Attachment, Phase, Vm, VmId, Volume, VolumeId},
};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) vm: String,
    pub(crate) volume: String,
    pub(crate) size_gb: u32,
}

/// Creates a machine and a volume, then attaches the volume to the machine.
#[flow]
pub(crate) async fn attach_volume(cloud: &Cloud, spec: Spec) -> Result<Attachment, CloudError> {
    steps! {
        create = parallel {
            vm     = create_vm(cloud, &spec.vm);
            volume = create_volume(cloud, &spec.volume, spec.size_gb);
        }
        ready = parallel {
            vm     = await_vm(cloud, &create.vm);
            volume = await_volume(cloud, &create.volume);
        }
        attachment = attach(cloud, &ready.vm, &ready.volume);
    }
    Ok(attachment)
}

#[step(retry(times = 5, every = "50ms", backoff = 2.0, when = CloudError::is_transient))]
async fn create_vm(cloud: &Cloud, name: &str) -> Result<VmId, CloudError> {
    cloud.create_vm(name).await
}

/// Takes what the step took, then what the step gave.
#[undo(create_vm, retry(times = 5, every = "50ms", backoff = 2.0, when = CloudError::is_transient))]
async fn delete_vm(cloud: &Cloud, _name: &str, vm: &VmId) -> Result<(), CloudError> {
    cloud.delete_vm(vm).await
}

#[step(retry(times = 5, every = "50ms", backoff = 2.0, when = CloudError::is_transient))]
async fn create_volume(cloud: &Cloud, name: &str, size_gb: u32) -> Result<VolumeId, CloudError> {
    cloud.create_volume(name, size_gb).await
}

#[undo(create_volume, retry(times = 5, every = "50ms", backoff = 2.0, when = CloudError::is_transient))]
async fn delete_volume(
    cloud: &Cloud,
    _name: &str,
    _size_gb: u32,
    volume: &VolumeId,
) -> Result<(), CloudError> {
    cloud.delete_volume(volume).await
}

/// `None` means "not yet".
#[step(readonly, poll(every = "100ms", times = 50))]
async fn await_vm(cloud: &Cloud, id: &VmId) -> Result<Option<Vm>, CloudError> {
    let vm = cloud.vm(id).await?;
    Ok((vm.state == Phase::Ready).then_some(vm))
}

#[step(readonly, poll(every = "100ms", times = 50))]
async fn await_volume(cloud: &Cloud, id: &VolumeId) -> Result<Option<Volume>, CloudError> {
    let volume = cloud.volume(id).await?;
    Ok((volume.state == Phase::Ready).then_some(volume))
}

#[step(retry(times = 5, every = "50ms", backoff = 2.0, when = CloudError::is_transient))]
async fn attach(cloud: &Cloud, vm: &Vm, volume: &Volume) -> Result<Attachment, CloudError> {
    cloud.attach(&vm.id, &volume.id).await
}

#[undo(attach)]
async fn detach(
    cloud: &Cloud,
    _vm: &Vm,
    _volume: &Volume,
    attachment: &Attachment,
) -> Result<(), CloudError> {
    cloud.detach(attachment).await
}

#[on_done(attach_volume)]
async fn report(cloud: &Cloud, spec: &Spec, attachment: &Attachment) -> Result<(), CloudError> {
    println!(
        "done: {} is {} of {}",
        spec.volume, attachment.device, spec.vm
    );
    cloud.tell(&format!("{} is in use", attachment.id)).await
}

/// Runs when the rollback has ended.
#[on_failed(attach_volume)]
async fn alarm(cloud: &Cloud, spec: &Spec, failure: &Failure) -> Result<(), CloudError> {
    println!("failed: {failure}");
    cloud
        .tell(&format!("alarm: {} has no {}", spec.vm, spec.volume))
        .await
}
