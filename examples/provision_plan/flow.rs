//! The steps that a plan may have, and how each is taken back.

use std::io;

use serde::{Deserialize, Serialize};
use steps::prelude::*;

use crate::cloud::Cloud;

#[derive(Serialize, Deserialize)]
pub(crate) struct NetworkSpec {
    range: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct VolumeSpec {
    gb: u32,
    #[serde(default)]
    encrypted: bool,
}

/// Something in the cloud.
#[derive(Serialize, Deserialize)]
pub(crate) struct Thing {
    id: String,
}

/// What a provisioning plan is made of.
#[plan(reversible)]
pub(crate) async fn provision(cloud: &Cloud) {
    steps! {
        create_network(cloud, spec: &NetworkSpec, cx);
        create_volume(cloud, spec: &VolumeSpec, cx);
        create_vm(cloud, name: &str, cpus: u32, network: &str, cx);
        /// Attaches a volume to a machine.
        attach(cloud, volume: &str, vm: &str, cx);
        watch(cloud, vm: &str, whom: Option<String>, cx);
        open_traffic(cloud, vm: &str, cx);
    }
}

#[step]
async fn create_network(cloud: &Cloud, spec: &NetworkSpec, cx: &Cx) -> io::Result<Thing> {
    cloud.make(cx, "net", &format!("range {}", spec.range))
}

#[undo(create_network)]
async fn delete_network(cloud: &Cloud, _: &NetworkSpec, _: &Cx, network: &Thing) -> io::Result<()> {
    cloud.remove(&network.id)
}

#[step]
async fn create_volume(cloud: &Cloud, spec: &VolumeSpec, cx: &Cx) -> io::Result<Thing> {
    let kind = if spec.encrypted { "encrypted" } else { "plain" };
    cloud.make(cx, "vol", &format!("{} GB, {kind}", spec.gb))
}

#[undo(create_volume)]
async fn delete_volume(cloud: &Cloud, _: &VolumeSpec, _: &Cx, volume: &Thing) -> io::Result<()> {
    cloud.remove(&volume.id)
}

#[step]
async fn create_vm(
    cloud: &Cloud,
    name: &str,
    cpus: u32,
    network: &str,
    cx: &Cx,
) -> io::Result<Thing> {
    cloud.make(
        cx,
        "vm",
        &format!("{name}, {cpus} processors, in {network}"),
    )
}

#[undo(create_vm)]
async fn delete_vm(
    cloud: &Cloud,
    _name: &str,
    _cpus: u32,
    _network: &str,
    _: &Cx,
    vm: &Thing,
) -> io::Result<()> {
    cloud.remove(&vm.id)
}

#[step]
async fn attach(cloud: &Cloud, volume: &str, vm: &str, cx: &Cx) -> io::Result<Thing> {
    cloud.make(cx, "link", &format!("{volume} at {vm}"))
}

#[undo(attach)]
async fn detach(cloud: &Cloud, _volume: &str, _vm: &str, _: &Cx, link: &Thing) -> io::Result<()> {
    cloud.remove(&link.id)
}

#[step(retry(times = 2, every = "50ms"))]
async fn watch(cloud: &Cloud, vm: &str, whom: Option<String>, cx: &Cx) -> io::Result<Thing> {
    let whom = whom.unwrap_or_else(|| "nobody".to_owned());
    cloud.make(cx, "watch", &format!("{vm}, tells {whom}"))
}

#[undo(watch)]
async fn unwatch(
    cloud: &Cloud,
    _vm: &str,
    _whom: Option<String>,
    _: &Cx,
    watch: &Thing,
) -> io::Result<()> {
    cloud.remove(&watch.id)
}

#[step]
async fn open_traffic(cloud: &Cloud, vm: &str, cx: &Cx) -> io::Result<Thing> {
    cloud.make(cx, "traffic", &format!("to {vm}"))
}

#[undo(open_traffic)]
async fn close_traffic(cloud: &Cloud, _vm: &str, _: &Cx, traffic: &Thing) -> io::Result<()> {
    cloud.remove(&traffic.id)
}

impl Thing {
    /// The thing of this id.
    pub(crate) fn new(id: String) -> Self {
        Self { id }
    }
}
