//! Flows that are paused and limited, and executions of a key, on several engines, each as a process of its
//! own would be.

#[path = "../engine/between.rs"]
#[expect(dead_code, reason = "the tests of the engine use it all")]
mod between;
mod killed;
mod singleton;
#[path = "../common/stores.rs"]
mod stores;
#[path = "../engine/support.rs"]
#[expect(dead_code, reason = "the tests of the engine use it all")]
mod support;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use steps::{
    Status,
    engine::{Concurrency, Filter, FlowLimits, Operator},
    prelude::*,
};

use crate::{
    between::{Between, Counts},
    support::{Db, World, asks, is, job, on_each_store, wait_for},
};

/// Counts what goes on.
#[derive(Default)]
struct Load {
    now: Mutex<BTreeMap<String, usize>>,
    most: Mutex<BTreeMap<String, usize>>,
    /// None of these ends before so many of it have been at work together.
    meet: Mutex<BTreeMap<String, usize>>,
    done: Mutex<Vec<(String, Instant)>>,
}

impl Load {
    fn begins(&self, of: &str) {
        let mut now = self.now.lock().unwrap();
        *now.entry(of.to_owned()).or_default() += 1;
        *now.entry("all".to_owned()).or_default() += 1;
        let mut most = self.most.lock().unwrap();
        for (of, now) in now.iter() {
            let most = most.entry(of.clone()).or_default();
            *most = (*most).max(*now);
        }
    }

    async fn met(&self, of: &str) {
        let meet = self.meet.lock().unwrap().get(of).copied().unwrap_or(0);
        while self.most(of) < meet {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn ends(&self, of: &str) {
        let mut now = self.now.lock().unwrap();
        for of in [of, "all"] {
            *now.get_mut(of).unwrap() -= 1;
        }
        let mut done = self.done.lock().unwrap();
        done.push((of.to_owned(), Instant::now()));
    }

    fn most(&self, of: &str) -> usize {
        self.most.lock().unwrap().get(of).copied().unwrap_or(0)
    }
}

#[step]
async fn begin(load: &Load, of: &str) -> Result<(), String> {
    load.begins(of);
    Ok(())
}

#[step]
async fn end(load: &Load, of: &str) -> Result<(), String> {
    load.met(of).await;
    load.ends(of);
    Ok(())
}

/// Goes on for this long, and is held by nobody meanwhile.
#[flow]
async fn work(load: &Load, of: String, ms: u64) -> Result<(), String> {
    steps! {
        begin(load, &of);
        steps::sleep(Duration::from_millis(ms));
        end(load, &of);
    }
    Ok(())
}

#[flow]
async fn other(load: &Load, of: String, ms: u64) -> Result<(), String> {
    steps! {
        begin(load, &of);
        steps::sleep(Duration::from_millis(ms));
        end(load, &of);
    }
    Ok(())
}

async fn worker(db: &Db, load: &Arc<Load>) -> Engine {
    let engine = db.engine().await.poll(Duration::from_millis(20));
    let engine = engine.lease(Duration::from_millis(300));
    let engine = engine.serve(work::with(Arc::clone(load)));
    let engine = engine.serve(other::with(Arc::clone(load)));
    engine.start().await.expect("it starts")
}

async fn start(engine: &Engine, count: usize, of: &str, ms: u64) {
    for _ in 0..count {
        let start = engine.start(work::input(of.to_owned(), ms));
        start.label("tenant", of).await.expect("it starts");
    }
}

async fn all_done(engine: &Engine, count: u64) {
    let done = Filter::new().flow::<work>().status(Status::Done);
    wait_for("the end of all", async || {
        engine.count(done.clone()).await.expect("it counts") == count
    })
    .await;
}

on_each_store! {
    async fn nothing_of_a_paused_flow_begins_or_goes_on(db) {
        let world = World::new();
        let served = db.engine().await.poll(Duration::from_millis(20));
        let served = served.serve(asks::with(world.clone())).serve(job::with(world.clone()));
        let worker = served.start().await.expect("it starts");
        let front = db.engine().await.start().await.expect("it starts");
        let begun = worker.start(asks::input("x".into())).await.expect("it starts");
        is(&begun, Status::Waiting).await;

        let flow = front.flow("asks");
        let flow = flow.acting_as(Operator::new("ann").reason("why"));
        assert!(flow.pause().await.expect("it is paused"));
        assert!(!flow.pause().await.expect("it was"));
        let info = worker.flow("asks").info().await.expect("it is there");
        let paused = info.paused.expect("it is");
        assert_eq!((&*paused.by, paused.reason.as_deref()), ("ann", Some("why")));
        assert_eq!(front.paused_flows().await.expect("they are there"), ["asks"]);

        begun.signal(asks::STEPS.answer, &1).await.expect("it is kept");
        let here = worker.start(asks::input("y".into())).await.expect("it is accepted");
        let there = front.start(asks::input("z".into())).await.expect("it is accepted");
        let other = worker.start(job::input("j".into())).await.expect("it starts");
        other.outcome().await.expect("the other flow goes on");
        let late = worker.start(asks::input("l".into())).after(Duration::from_millis(20));
        let late = late.await.expect("it is accepted");
        tokio::time::sleep(Duration::from_millis(150)).await;
        let log = world.log();
        assert_eq!(log, ["x.a", "j.a", "j.b", "j.c"]);
        assert_eq!(begun.status().await.expect("it is there"), Status::Waiting);

        assert!(front.flow("asks").resume().await.expect("it is resumed"));
        assert_eq!(begun.outcome().await.expect("done"), 1);
        for run in [&here, &there, &late] {
            run.signal(asks::STEPS.answer, &2).await.expect("it is kept");
            assert_eq!(run.outcome().await.expect("done"), 2);
        }
        let acts = flow.info().await.expect("it is there").acts;
        assert_eq!(acts.len(), 1, "the resume was nobody's: {acts:?}");
    }

    async fn a_flow_goes_on_at_once_where_it_is_resumed(db) {
        let world = World::new();
        let engine = db.engine().await.poll(Duration::from_hours(1));
        let engine = engine.serve(job::with(world.clone())).start().await.expect("it starts");
        engine.flow("job").pause().await.expect("it is paused");
        let run = engine.start(job::input("x".into())).await.expect("it is accepted");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(world.log().is_empty());
        engine.flow("job").resume().await.expect("it is resumed");
        tokio::time::timeout(Duration::from_secs(20), run.outcome()).await
            .expect("at once").expect("done");
    }

    async fn what_is_held_up_costs_no_claims(db) {
        let world = World::new();
        let counts = Arc::new(Counts::default());
        let store = Between::counting(db.store().await, &counts);
        let engine = Engine::with_store(store).poll(Duration::from_millis(100));
        let engine = engine.serve(job::with(world.clone())).serve(asks::with(world.clone()));
        let engine = engine.start().await.expect("it starts");
        engine.flow("asks").pause().await.expect("it is paused");
        engine.flow("job").limit(FlowLimits::new().at_once(1)).await.expect("it is set");
        world.closes("x.b");
        engine.start(job::input("x".into())).await.expect("it starts");
        world.saw("x.b").await;
        for n in 0..20 {
            engine.start(asks::input(format!("{n}"))).await.expect("it is accepted");
            engine.start(job::input(format!("{n}"))).await.expect("it is accepted");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (before, begun) = (counts.claims.load(Ordering::Relaxed), Instant::now());
        tokio::time::sleep(Duration::from_secs(1)).await;
        let claims = counts.claims.load(Ordering::Relaxed) - before;
        let polls = begun.elapsed().as_millis() / 100;
        assert!(2 * claims as u128 <= 5 * polls, "{claims} claims in {polls} polls");
        world.opens();
    }

    async fn ten_with_a_limit_of_one_go_on_one_by_one_also_after_a_crash(db) {
        let load = Arc::new(Load::default());
        let first = worker(&db, &load).await;
        first.flow("work").limit(FlowLimits::new().at_once(1)).await.expect("it is set");
        start(&first, 10, "x", 10).await;
        let second = worker(&db, &load).await;
        wait_for("one", async || !load.done.lock().unwrap().is_empty()).await;
        // As if it had been killed.
        drop(first);
        let third = worker(&db, &load).await;
        all_done(&third, 10).await;
        assert_eq!(load.most("all"), 1);
        drop(second);
        let done = load.done.lock().unwrap().len();
        assert!((10..=11).contains(&done), "{done}: one may have been repeated");
    }

    async fn what_waits_behind_a_limit_can_be_stopped(db) {
        let world = World::new();
        let engine = db.engine().await.serve(asks::with(world.clone()));
        let engine = engine.start().await.expect("it starts");
        engine.flow("asks").limit(FlowLimits::new().at_once(1)).await.expect("it is set");
        let first = engine.start(asks::input("x".into())).await.expect("it starts");
        is(&first, Status::Waiting).await;
        let wait = Duration::from_secs(20);
        let second = engine.start(asks::input("y".into())).await.expect("it is accepted");
        assert_eq!(second.stop_and_wait(wait).await.expect("it stops"), Status::Stopped);
        let third = engine.start(asks::input("z".into())).await.expect("it is accepted");
        third.undo().await.expect("it is asked");
        assert_eq!(third.ended().await.expect("it ends").status, Status::Undone);
        assert_eq!(world.log(), ["x.a"]);
    }

    async fn values_of_a_label_are_limited_each_for_itself(db) {
        let load = Arc::new(Load::default());
        let engine = worker(&db, &load).await;
        let another = worker(&db, &load).await;
        start(&engine, 2, "early", 10).await;
        let limits = FlowLimits::new().at_once(5).per("tenant", 2);
        load.meet.lock().unwrap().extend(["many", "few"].map(|of| (of.to_owned(), 2)));
        engine.flow("work").limit(limits).await.expect("it is set");
        start(&engine, 30, "many", 10).await;
        start(&another, 3, "few", 10).await;
        for _ in 0..3 {
            engine.start(work::input("none".into(), 10)).await.expect("it starts");
        }
        all_done(&engine, 38).await;
        assert_eq!((load.most("many"), load.most("few")), (2, 2));
        assert!(load.most("all") <= 7, "{}", load.most("all"));
        // Few did not wait for many.
        let done = load.done.lock().unwrap();
        let at = |of: &str| done.iter().rposition(|(name, _)| name == of);
        assert!(at("few") < at("many") && at("none") < at("many"));
    }

    async fn no_more_begin_in_a_time_than_a_rate_says(db) {
        let load = Arc::new(Load::default());
        let engine = worker(&db, &load).await;
        let another = worker(&db, &load).await;
        let limits = FlowLimits::new().rate(20, Duration::from_secs(1));
        engine.flow("work").limit(limits).await.expect("it is set");
        let begun = Instant::now();
        start(&engine, 10, "x", 0).await;
        start(&another, 5, "x", 0).await;
        all_done(&engine, 15).await;
        // The first at once, and then one every 50 ms.
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(690), "{took:?}");
    }

    async fn limits_of_a_service_count_until_an_operator_sets_others(db) {
        let load = Arc::new(Load::default());
        let serve = async |limits: Option<FlowLimits>| {
            let flow = work::with(Arc::clone(&load));
            let flow = match limits {
                Some(limits) => flow.limits(limits),
                None => flow,
            };
            db.engine().await.serve(flow).start().await.expect("it starts")
        };
        let first = serve(Some(FlowLimits::new().at_once(1))).await;
        let info = async || first.flow("work").info().await.expect("it is there");
        assert_eq!((info().await.limits.at_once, info().await.at_run_time), (Some(1), false));
        let second = serve(Some(FlowLimits::new().at_once(2))).await;
        assert_eq!(info().await.limits.at_once, Some(2), "the last counts");
        let third = serve(None).await;
        assert_eq!(info().await.limits.at_once, Some(2), "who says nothing changes nothing");
        let flow = third.flow("work");
        assert!(flow.limit(FlowLimits::new().at_once(2)).await.expect("it is set"));
        let fourth = serve(Some(FlowLimits::new().at_once(9))).await;
        assert_eq!((info().await.limits.at_once, info().await.at_run_time), (Some(2), true));
        assert!(flow.unlimit().await.expect("it is ended"));
        assert!(!flow.unlimit().await.expect("it was"));
        assert_eq!(info().await.limits, FlowLimits::new());
        let fifth = serve(Some(FlowLimits::new().at_once(9))).await;
        assert_eq!(info().await.limits.at_once, Some(9));
        assert_eq!(info().await.acts, [], "nobody was named");
        drop((first, second, fourth, fifth));
    }

    async fn a_flood_of_one_flow_leaves_places_to_another(db) {
        let load = Arc::new(Load::default());
        let engine = db.engine().await.concurrency(Concurrency::fixed(4));
        let flood = work::with(Arc::clone(&load)).concurrency(3);
        let engine = engine.serve(flood).serve(other::with(Arc::clone(&load)));
        let engine = engine.start().await.expect("it starts");
        start(&engine, 300, "flood", 1).await;
        for _ in 0..5 {
            engine.start(other::input("other".into(), 1)).await.expect("it starts");
        }
        all_done(&engine, 300).await;
        let done = load.done.lock().unwrap();
        let at = |of: &str| done.iter().rposition(|(name, _)| name == of).expect("it is done");
        assert!(at("other") < 200, "{} of 305", at("other"));
    }
}
