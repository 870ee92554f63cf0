//! What a service notes of an execution: attributes, what started it, a status message; and how many of
//! its steps are in which status.

use std::collections::BTreeMap;

use steps::{
    Attrs, RunLimits, Status, Trigger,
    engine::{EngineError, Filter},
    prelude::*,
};

use crate::support::{World, is, job, on_each_store};

/// More than a floating point number holds.
const LARGE: u64 = 9_007_199_254_740_993;

#[step]
async fn describe(cx: &Cx) -> Result<u64, String> {
    let seen = cx
        .attrs()
        .get::<u64>("size")
        .map_err(|e| e.to_string())?
        .unwrap_or(0);
    let patch = BTreeMap::from([("size", seen + 1), ("first", 1)]);
    cx.patch_attrs(&patch).map_err(|e| e.to_string())?;
    cx.set_status_message("described");
    let now = cx.attrs().get::<u64>("size").map_err(|e| e.to_string())?;
    assert_eq!(now, Some(seen + 1), "its own change");
    Ok(seen)
}

#[step]
async fn replace(cx: &Cx) -> Result<(), String> {
    let kept = cx.attrs();
    let refused = cx
        .set_attrs(&[1])
        .expect_err("a list is no object")
        .to_string();
    assert!(refused.contains("a list"), "{refused}");
    let large = BTreeMap::from([("x", "x".repeat(5000))]);
    let refused = cx
        .set_attrs(&large)
        .expect_err("it is too large")
        .to_string();
    assert!(refused.contains("limit is 4000"), "{refused}");
    assert_eq!(cx.attrs(), kept);
    cx.set_attrs(&BTreeMap::from([("last", kept)]))
        .map_err(|e| e.to_string())
}

#[flow]
async fn noted(wait: bool) -> Result<u64, String> {
    steps! {
        seen = describe(cx);
        ask = if wait { go = steps::signal::<()>(); }
        replace(cx);
    }
    Ok(seen)
}

#[step]
async fn fails(n: u32) -> Result<u32, String> {
    if n == 1 { Err("no".to_owned()) } else { Ok(n) }
}

#[flow(on_failure = "hold")]
async fn three() -> Result<(), String> {
    steps! {
        all = for n in [0_u32, 2, 1, 3] by n { it = fails(n); }
        last = fails(7);
    }
    Ok(())
}

on_each_store! {
    async fn attrs_trigger_and_message_are_given_at_the_start(db) {
        let engine = db.engine().await.serve(job::with(World::new())).start().await.expect("it starts");
        let attrs = BTreeMap::from([("size", LARGE)]);
        let start = || engine.start(job::input("x".into())).id("x");
        let run = start().attrs(&attrs).trigger("a hook").status_message("new").await.expect("it starts");
        run.outcome().await.expect("done");
        let info = run.info().await.expect("it is there");
        assert_eq!(info.attrs.get::<u64>("size").expect("a number"), Some(LARGE));
        assert_eq!(info.trigger, Trigger::Other("a hook".to_owned()));
        assert_eq!(info.status_message.as_deref(), Some("new"));
        // A second start changes nothing.
        start().attrs(BTreeMap::from([("size", 1)])).trigger(Trigger::Event).await.expect("it is there");
        assert_eq!(run.info().await.expect("it is there"), info);
        let plain = engine.start(job::input("y".into())).await.expect("it starts").info().await;
        let plain = plain.expect("it is there");
        assert_eq!((plain.attrs.as_json(), plain.trigger, plain.status_message), ("{}", Trigger::Manual, None));
    }

    async fn attrs_are_replaced_and_patched_whatever_it_does(db) {
        let world = World::new();
        world.closes("x.b");
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).attrs(BTreeMap::from([("a", 1)])).await.expect("it starts");
        world.saw("x.b").await;
        run.set_attrs(&BTreeMap::from([("b", LARGE)])).await.expect("it is held, and noted");
        let told = run.patch_attrs(&BTreeMap::from([("c", Some(2)), ("b", None)])).await.expect("it is noted");
        assert_eq!(told.as_json(), r#"{"c":2}"#);
        world.opens();
        run.outcome().await.expect("done");
        let before = run.info().await.expect("it is there");
        assert_eq!(before.attrs, told);
        run.set_status_message("checked").await.expect("it has ended, and is noted");
        let after = run.info().await.expect("it is there");
        assert_eq!((after.status, after.status_message.as_deref()), (Status::Done, Some("checked")));
        assert!(after.updated_at > before.updated_at);
        run.set_status_message("").await.expect("it is noted");
        assert_eq!(run.info().await.expect("it is there").status_message, None);
        run.delete().await.expect("it has ended");
        let gone = run.set_attrs(&BTreeMap::from([("b", 1)])).await.expect_err("it is gone");
        assert!(matches!(gone, EngineError::Unknown { .. }), "{gone}");
    }

    async fn patches_at_once_are_all_made(db) {
        let world = World::new();
        world.closes("x.a");
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        let patches = (0..40).map(|n| {
            let run = run.clone();
            tokio::spawn(async move { run.patch_attrs(&BTreeMap::from([(n.to_string(), n)])).await })
        });
        for patch in patches.collect::<Vec<_>>() {
            patch.await.expect("no panic").expect("it is noted");
        }
        let all: BTreeMap<String, u32> = run.info().await.expect("it is there").attrs.decode().expect("numbers");
        assert_eq!(all.len(), 40);
        world.opens();
    }

    async fn a_bad_note_is_refused_and_changes_nothing(db) {
        let limits = RunLimits::DEFAULT.payload(4000);
        let engine = db.engine().await.serve(job::with(World::new())).limits(limits).start().await.expect("it starts");
        let start = || engine.start(job::input("x".into())).id("x");
        let large = BTreeMap::from([("x", "x".repeat(5000))]);
        for (start, why) in [
            (start().attrs(7), "a JSON object, and this is a number"),
            (start().attrs(&large), "the limit is 4000"),
            (start().trigger(""), "it is empty"),
            (start().trigger("a\nb"), "a control character"),
        ] {
            let error = start.await.expect_err(why);
            assert!(matches!(error, EngineError::InvalidValue { .. }), "{error}");
            assert!(error.to_string().contains(why), "{error}");
        }
        assert_eq!(engine.count(Filter::new()).await.expect("a number"), 0);
        let run = start().attrs(BTreeMap::from([("a", 1)])).await.expect("it starts");
        for error in [run.set_attrs(&[1]).await, run.set_attrs(&large).await, run.patch_attrs(&"x").await.map(drop)] {
            let error = error.expect_err("it is none");
            assert!(matches!(error, EngineError::InvalidValue { .. }), "{error}");
        }
        assert_eq!(run.info().await.expect("it is there").attrs, Attrs::parse(r#"{"a":1}"#).expect("an object"));
    }

    async fn a_step_notes_with_its_record(db) {
        let engine = db.engine().await.serve(noted::with()).limits(RunLimits::DEFAULT.payload(4000)).start().await.expect("it starts");
        let attrs = BTreeMap::from([("size", LARGE)]);
        let run = engine.start(noted::input(true)).attrs(&attrs).await.expect("it starts");
        is(&run, Status::Waiting).await;
        let info = run.info().await.expect("it is there");
        assert_eq!(info.attrs.as_json(), format!(r#"{{"size":{},"first":1}}"#, LARGE + 1));
        assert_eq!(info.status_message.as_deref(), Some("described"));
        run.patch_attrs(&BTreeMap::from([("outside", true)])).await.expect("it is noted");
        run.signal(noted::STEPS.ask.go, &()).await.expect("it waits");
        assert_eq!(run.outcome().await.expect("done"), LARGE);
        // Taken up anew, it has seen what came from outside.
        let last = format!(r#"{{"last":{{"size":{},"first":1,"outside":true}}}}"#, LARGE + 1);
        assert_eq!(run.info().await.expect("it is there").attrs.as_json(), last);
    }

    async fn steps_are_counted_by_status_in_a_list(db) {
        let engine = db.engine().await.serve(three::with()).serve(job::with(World::new())).start().await.expect("it starts");
        for id in ["a", "b"] {
            let run = engine.start(three::input()).id(id).await.expect("it starts");
            run.outcome().await.expect_err("it fails");
        }
        engine.start(job::input("j".into())).await.expect("it starts").outcome().await.expect("done");
        let list = engine.list(Filter::new()).await.expect("a list");
        let counts: Vec<_> = list.iter().map(|info| info.steps.to_string()).collect();
        let three = "2 done, 1 failed";
        for counted in &counts[1..] {
            assert!(counted.starts_with(three), "{counts:?}");
        }
        assert_eq!(counts[0], "3 done");
        for info in list {
            assert!(info.updated_at >= info.done_at.expect("it has ended"), "{info:?}");
        }
    }
}

/// Without an engine the steps of a run see each other's notes, and nobody else.
#[tokio::test]
async fn a_run_in_memory_keeps_attrs_while_it_lasts() {
    let limits = RunLimits::DEFAULT.payload(4000);
    assert_eq!(noted(false).limits(limits).await.expect("done"), 0);
}
