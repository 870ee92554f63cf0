//! The plans of these tests, and the world in which their steps do something.

use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use steps::{Plan, prelude::*};

/// What the steps did and took back, in order.
#[derive(Debug, Default)]
pub(crate) struct World {
    log: Mutex<Vec<String>>,
    failing: Mutex<Vec<String>>,
}

impl World {
    pub(crate) fn log(&self) -> Vec<String> {
        self.lock().clone()
    }

    pub(crate) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.log.lock().unwrap()
    }

    /// Makes what is called so fail.
    pub(crate) fn fail(&self, what: &str) {
        self.failing.lock().unwrap().push(what.to_owned());
    }

    /// Makes nothing fail any more.
    pub(crate) fn mend(&self) {
        self.failing.lock().unwrap().clear();
    }

    pub(crate) fn act(&self, what: String) -> Result<(), String> {
        if self.failing.lock().unwrap().contains(&what) {
            return Err(format!("no {what}"));
        }
        self.lock().push(what);
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) gb: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
}

pub(crate) fn spec(gb: u32) -> Spec {
    Spec { gb, zone: None }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) gb: u32,
}

#[step]
pub(crate) async fn create_volume(world: &World, spec: &Spec, cx: &Cx) -> Result<Volume, String> {
    let id = format!("vol-{}", cx.item().unwrap_or_default());
    world.act(format!("create {id}"))?;
    Ok(Volume { id, gb: spec.gb })
}

#[undo(create_volume)]
async fn delete_volume(world: &World, spec: &Spec, _: &Cx, volume: &Volume) -> Result<(), String> {
    assert_eq!(spec.gb, volume.gb);
    world.act(format!("delete {}", volume.id))
}

#[step]
pub(crate) async fn attach(world: &World, volume: &str, vm: &str) -> Result<String, String> {
    world.act(format!("attach {volume} to {vm}"))?;
    Ok(format!("{vm}/{volume}"))
}

#[undo(attach)]
async fn detach(world: &World, volume: &str, vm: &str, link: &String) -> Result<(), String> {
    assert_eq!(*link, format!("{vm}/{volume}"));
    world.act(format!("detach {volume} from {vm}"))
}

/// What takes things by value, and may be given nothing.
#[step(readonly)]
pub(crate) async fn report(
    world: &World,
    volume: Volume,
    links: Vec<String>,
    note: Option<String>,
) -> Result<u32, String> {
    let note = note.unwrap_or_else(|| "-".to_owned());
    world.act(format!("report {} {links:?} {note}", volume.id))?;
    Ok(volume.gb)
}

/// Gives nothing.
#[step]
pub(crate) async fn note(world: &World, text: &str) -> Result<(), String> {
    world.act(text.to_owned())
}

#[undo(note)]
async fn unnote(world: &World, text: &str, (): &()) -> Result<(), String> {
    world.act(format!("undo {text}"))
}

/// What a provisioning plan is made of.
#[plan]
pub(crate) async fn provision(world: &World) {
    steps! {
        /// Creates a volume.
        create_volume(world, spec: &Spec, cx);
        attach(world, volume: &str, vm: &str);
        report(world, volume: Volume, links: Vec<String>, note: Option<String>);
        note(world, text: &str);
    }
}

/// A volume, two links at once, and what reports on them.
pub(crate) fn usual() -> Plan<provision> {
    let mut plan = provision::plan();
    let disk = plan.step("disk", provision::create_volume(spec(10)));
    let (a, _) = plan.parallel("links", |links| {
        let a = links.step("a", provision::attach(disk.at("/id"), "vm-a"));
        let b = links.step("b", provision::attach(disk.at("/id"), "vm-b"));
        (a, b)
    });
    let links: Vec<String> = vec!["x".to_owned()];
    plan.step("report", provision::report(&disk, links, &a));
    plan.build().expect("it is one")
}

/// One thing after the other.
pub(crate) fn notes(names: &[&str]) -> Plan<provision> {
    let mut plan = provision::plan();
    for name in names {
        plan.step(*name, provision::note(*name));
    }
    plan.build().expect("it is one")
}
