//! One flow with every form of the language: run to its end, undone, and resumed from its saved JSON.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use steps::prelude::*;

#[derive(Default)]
struct Cloud(Mutex<Vec<String>>);
impl Cloud {
    fn log(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct VmId(String);

#[derive(Clone, Serialize, Deserialize)]
struct Spec {
    vm: String,
    volume: String,
    size: u32,
    fail: bool,
}

#[step]
async fn create_vm(cloud: &Cloud, name: &str) -> Result<VmId, std::io::Error> {
    cloud.log(format!("vm {name}"));
    Ok(VmId(name.to_owned()))
}

#[undo(create_vm)]
async fn delete_vm(cloud: &Cloud, _name: &str, vm: &VmId) -> Result<(), std::io::Error> {
    cloud.log(format!("undo vm {}", vm.0));
    Ok(())
}

#[step]
async fn create_volume(cloud: &Cloud, name: &str, size: u32) -> Result<u32, std::io::Error> {
    cloud.log(format!("volume {name} {size}"));
    Ok(size)
}

#[undo(create_volume)]
async fn delete_volume(cloud: &Cloud, _n: &str, _s: u32, id: &u32) -> Result<(), std::io::Error> {
    cloud.log(format!("undo volume {id}"));
    Ok(())
}

#[step(poll(every = "1ms", times = 5))]
async fn await_vm(cx: &Cx, cloud: &Cloud, _vm: &VmId) -> Result<Option<String>, std::io::Error> {
    cloud.log(format!("poll {}", cx.attempt()));
    Ok((cx.attempt() > 2).then(|| "ready".to_owned()))
}

#[step]
async fn attach(cloud: &Cloud, ready: &str, volume: u32, fail: bool) -> Result<String, String> {
    if fail {
        return Err("no such device".to_owned());
    }
    cloud.log(format!("attach {ready} {volume}"));
    Ok("attached".to_owned())
}

#[flow]
async fn attach_volume(cloud: &Cloud, spec: Spec) -> Result<String, String> {
    steps! {
        create = parallel {
            vm = create_vm(cloud, &spec.vm);
            volume = create_volume(cloud, &spec.volume, spec.size);
        }
        ready = await_vm(cx, cloud, &create.vm);
        all = for n in 0..spec.size by n {
            v = create_volume(cloud, &format!("n{n}"), n);
        }
        big = if spec.size > 2 {
            more = create_volume(cloud, "more", all[0].v);
        }
        found = if let Some(b) = big {
            again = create_volume(cloud, "again", b.more);
            inner = { x = create_volume(cloud, "inner", b.more + again); }
        } else {
            none = create_volume(cloud, "none", 0);
        }
        rounds = loop max 5 {
            r = create_volume(cloud, "round", prev.map_or(0, |p| p.r + 1));
        } until r == 2;
        attachment = attach(cloud, &ready, create.volume, spec.fail);
    }
    Ok(attachment)
}

fn spec(fail: bool) -> Spec {
    Spec {
        vm: "a".into(),
        volume: "b".into(),
        size: 3,
        fail,
    }
}

#[tokio::test]
async fn runs() {
    let cloud = Cloud::default();
    let r = attach_volume(&cloud, spec(false)).await;
    println!("{r:?}\n{:#?}", cloud.0.lock().unwrap());
    assert_eq!(r.unwrap(), "attached");
}

#[tokio::test]
async fn rolls_back() {
    let cloud = Cloud::default();
    let failure = attach_volume(&cloud, spec(true)).await.unwrap_err();
    println!("{failure}\n{:#?}", cloud.0.lock().unwrap());
    println!("{}", failure.state.tree());
    println!("{}", failure.state.to_json_pretty());
    assert_eq!(failure.step(), Some("attachment"));
}

/// `resume` takes the input from the state; a state without one, or another flow's, is refused.
#[tokio::test]
async fn resumes_with_the_saved_input() {
    let cloud = Cloud::default();
    let advance = attach_volume(&cloud, spec(false)).advance().await.unwrap();
    let run = attach_volume::resume(&cloud, advance.state.clone()).unwrap();
    assert_eq!(run.await.unwrap(), "attached");

    let mut other = steps::State::from(advance.state.clone());
    other.name = "other".into();
    let refused = attach_volume::resume(&cloud, other).err().unwrap();
    assert!(refused.to_string().contains("`other`"), "{refused}");
    let mut empty = steps::State::from(advance.state);
    empty.input = None;
    let refused = attach_volume::resume(&cloud, empty).err().unwrap();
    assert!(refused.to_string().contains("it has none"), "{refused}");
}

#[tokio::test]
async fn advances() {
    let cloud = Cloud::default();
    let mut state: Option<AttachVolumeState> = None;
    for _ in 0..10 {
        let mut run = attach_volume(&cloud, spec(false));
        if let Some(state) = state.take() {
            let text = serde_json::to_string(&state).unwrap();
            run = run.resume(steps::State::from_json(&text).unwrap());
        }
        let advance = run.advance().await.unwrap();
        println!("{:?}", advance.requeue_after());
        if let steps::Outcome::Done(out) = advance.outcome {
            assert_eq!(out, "attached");
            assert_eq!(
                advance.state.create.vm.output().unwrap(),
                Some(VmId("a".into()))
            );
            assert_eq!(attach_volume::STEPS.create.vm.path(), "create.vm");
            println!("{}", advance.state.state().tree());
            return;
        }
        state = Some(advance.state);
    }
    panic!("not done");
}

#[tokio::test]
async fn with_state_gives_the_output_and_the_tree_behind_it() {
    let cloud = Cloud::default();
    let run = attach_volume(&cloud, spec(false));
    let (output, state) = run.with_state().await.unwrap();
    assert_eq!(output, "attached");
    assert_eq!(state.execution_status(), steps::Status::Done);
    let ready = state.ready.output().unwrap();
    assert_eq!(ready.as_deref(), Some("ready"));
}
