//! What the cloud and its client say to each other.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct VmId(pub(crate) String);

/// Names one volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct VolumeId(pub(crate) String);

/// How far the cloud has come with making something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    Creating,
    Ready,
}

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vm {
    pub(crate) id: VmId,
    pub(crate) name: String,
    pub(crate) state: Phase,
}

/// A volume of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: VolumeId,
    pub(crate) name: String,
    pub(crate) size_gb: u32,
    pub(crate) state: Phase,
}

/// A volume's place in a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    pub(crate) vm: VmId,
    pub(crate) volume: VolumeId,
    pub(crate) device: String,
}

/// The request for a machine.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewVm {
    pub(crate) name: String,
}

/// The request for a volume.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewVolume {
    pub(crate) name: String,
    pub(crate) size_gb: u32,
}

/// The request to attach a volume to a machine.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewAttachment {
    pub(crate) vm: VmId,
    pub(crate) volume: VolumeId,
}

/// All that the cloud holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inventory {
    pub(crate) vms: Vec<Vm>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) attachments: Vec<Attachment>,
    /// What its customers told the people who run it.
    pub(crate) messages: Vec<String>,
}

impl Inventory {
    fn is_empty(&self) -> bool {
        self.vms.is_empty() && self.volumes.is_empty() && self.attachments.is_empty()
    }
}

impl fmt::Display for VmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for VolumeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            f.write_str("the cloud holds: nothing")?;
        } else {
            f.write_str("the cloud holds:")?;
        }
        for vm in &self.vms {
            write!(f, "\n  {}  {} ({:?})", vm.id, vm.name, vm.state)?;
        }
        for volume in &self.volumes {
            let Volume {
                id,
                name,
                size_gb,
                state,
            } = volume;
            write!(f, "\n  {id}  {name}, {size_gb} GB ({state:?})")?;
        }
        for Attachment {
            id,
            vm,
            volume,
            device,
        } in &self.attachments
        {
            write!(f, "\n  {id}  {volume} in {vm} as {device}")?;
        }
        for message in &self.messages {
            write!(f, "\nits operators read: {message}")?;
        }
        Ok(())
    }
}
