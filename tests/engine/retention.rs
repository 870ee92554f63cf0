//! Retention: what is swept, by whom, and what is left; on each store.

use std::{sync::Arc, time::Duration};

use steps::{
    Json, Status,
    engine::{EngineError, Filter, Retention},
    prelude::*,
    store::{
        Due, DutySet, ExecutionQuery, LeaseAfter, MemoryStore, NewDuty, NewExecution, NodeRow,
        Notes, SetDuty, Store, Target, Write,
    },
    testing::{Cut, CutStore, FakeClock},
};

use crate::between::Between;
use crate::support::{Db, is, on_each_store};

#[step]
async fn check(ok: bool) -> Result<(), String> {
    if ok { Ok(()) } else { Err("no".to_owned()) }
}

/// Waits, is done, or stays failed.
#[flow(on_failure = "hold")]
async fn scan(wait: bool, ok: bool) -> Result<(), String> {
    steps! {
        asked = if wait { go = steps::signal::<()>(); }
        checked = check(ok);
    }
    let _ = asked;
    Ok(checked)
}

#[flow]
async fn family() -> Result<(), String> {
    steps! {
        child = start scan(false, true).id("child");
        joined = join child;
        go = steps::signal::<()>();
    }
    let ((), ()) = (joined, go);
    Ok(())
}

fn scans() -> Filter {
    Filter::new().flow::<scan>()
}

/// An engine with these rules, which sweeps by hand.
async fn engine(db: &Db, rules: &[Retention]) -> Engine {
    let mut builder = db.engine().await.sweep_every(Duration::from_hours(1));
    // The engine's own first sweep would find nothing yet, and is none by hand.
    for rule in rules {
        builder = builder.retain(rule.clone());
    }
    builder.start().await.expect("it starts")
}

async fn worker(db: &Db) -> Engine {
    let builder = db.engine().await.serve(scan::with()).serve(family::with());
    builder.start().await.expect("it starts")
}

async fn scanned(engine: &Engine, id: &str, wait: bool, ok: bool) {
    let start = engine
        .start(scan::input(wait, ok))
        .id(id)
        .label("env", &id[..1]);
    let run = start.await.expect("it starts");
    let end = match (wait, ok) {
        (true, _) => Status::Waiting,
        (false, true) => Status::Done,
        (false, false) => Status::Failed,
    };
    is(&run, end).await;
}

async fn left(engine: &Engine) -> String {
    let all = engine.list(Filter::new()).await.expect("a list");
    let ids: Vec<String> = all.into_iter().map(|info| info.id).collect();
    ids.join(" ")
}

on_each_store! {
    async fn the_newest_stay_and_what_has_not_ended(db) {
        let worker = worker(&db).await;
        // The newest but one waits; so does the oldest.
        for (id, wait, ok) in [("a1", true, true), ("a2", false, true), ("a3", false, false),
            ("a4", false, true), ("a5", true, true), ("a6", false, true)] {
            scanned(&worker, id, wait, ok).await;
        }
        let expected = [(9, 0, "a6 a5 a4 a3 a2 a1"), (5, 0, "a6 a5 a4 a3 a2 a1"), (4, 1, "a6 a5 a4 a3 a1"),
            (3, 1, "a6 a5 a4 a1"), (1, 1, "a6 a5 a1"), (0, 1, "a5 a1")];
        for (newest, deleted, ids) in expected {
            let engine = engine(&db, &[Retention::of(scans()).newest(newest)]).await;
            let swept = engine.sweep().await.expect("it is swept");
            assert_eq!((swept.deleted(), swept.finished), (deleted, true), "{newest}: {swept:?}");
            assert_eq!(left(&engine).await, ids, "{newest}");
            assert_eq!(swept.rules[0].rule, format!("flow=scan: the newest {newest}"));
        }
    }

    async fn rules_go_by_label_status_and_time(db) {
        let worker = worker(&db).await;
        for (id, ok) in [("a1", true), ("a2", false), ("b1", true), ("b2", false), ("c1", true)] {
            scanned(&worker, id, false, ok).await;
        }
        let label = |value: &str| Filter::new().label("env", value);
        let rules = [
            Retention::of(label("a")).for_time("1h"),
            Retention::of(label("b").status(Status::Failed)).for_time(Duration::ZERO),
            // As long as either keeps it.
            Retention::of(label("c")).for_time(Duration::ZERO).newest(1),
        ];
        let engine = engine(&db, &rules).await;
        let swept = engine.sweep().await.expect("it is swept");
        let deleted: Vec<u64> = swept.rules.iter().map(|rule| rule.deleted).collect();
        assert_eq!((deleted, &*left(&engine).await), (vec![0, 1, 0], "c1 b1 a2 a1"));
        assert_eq!(engine.sweep().await.expect("it is swept").deleted(), 0);

        let all = db.engine().await.retain_for("0s").start().await.expect("it starts");
        assert_eq!(all.sweep().await.expect("it is swept").deleted(), 4);
    }

    async fn so_many_stay_of_each_value_of_a_label(db) {
        let worker = worker(&db).await;
        for (id, wait) in [("a1", false), ("b1", false), ("a2", false), ("c1", false), ("b2", true),
            ("a3", true), ("a4", false)] {
            scanned(&worker, id, wait, true).await;
        }
        is(&worker.start(scan::input(false, true)).id("none").await.expect("it starts"), Status::Done).await;
        let each = |count: usize| Retention::of(scans()).newest(count).per("env");
        for (rule, deleted, ids) in [
            (each(4), 0, "none a4 a3 b2 c1 a2 b1 a1"),
            (each(2), 2, "none a4 a3 b2 c1 b1"),
            // Of one value as of all.
            (Retention::of(Filter::new().label("env", "b")).newest(1).per("env"), 1, "none a4 a3 b2 c1"),
            (each(1), 0, "none a4 a3 b2 c1"),
            (Retention::of(scans()).newest(0).per("env").for_time("1h"), 0, "none a4 a3 b2 c1"),
            (each(0), 2, "none a3 b2"),
            (Retention::of(scans()).newest(0).per("none"), 0, "none a3 b2"),
        ] {
            let engine = engine(&db, std::slice::from_ref(&rule)).await;
            assert_eq!(engine.would_sweep(&rule).await.expect("it is told"), deleted, "{rule}");
            let swept = engine.sweep().await.expect("it is swept");
            assert_eq!((swept.deleted(), swept.finished), (deleted, true), "{rule}: {swept:?}");
            assert_eq!(left(&engine).await, ids, "{rule}");
        }
    }

    async fn children_stay_as_long_as_their_parent(db) {
        let worker = worker(&db).await;
        let parent = worker.start(family::input()).id("parent").await.expect("it starts");
        is(&parent, Status::Waiting).await;
        is(&worker.get("child").await.expect("there is one"), Status::Done).await;
        let engine = engine(&db, &[Retention::of(scans()).newest(0)]).await;
        assert_eq!(engine.sweep().await.expect("it is swept").deleted(), 0);
        parent.signal(family::STEPS.go, &()).await.expect("it takes it");
        is(&parent, Status::Done).await;
        assert_eq!(engine.sweep().await.expect("it is swept").deleted(), 0);
        parent.delete().await.expect("it is deleted");
        assert_eq!(engine.sweep().await.expect("it is swept").deleted(), 1);
        assert_eq!(left(&engine).await, "");
    }

    async fn parent_and_child_go_in_one_sweep(db) {
        let worker = worker(&db).await;
        let parent = worker.start(family::input()).id("parent").await.expect("it starts");
        parent.signal(family::STEPS.go, &()).await.expect("it is kept");
        is(&parent, Status::Done).await;
        let engine = engine(&db, &[Retention::of(Filter::new()).newest(0)]).await;
        assert_eq!(engine.sweep().await.expect("it is swept").deleted(), 2);
    }

    async fn what_a_sweep_would_delete_is_what_it_deletes(db) {
        let worker = worker(&db).await;
        for (id, wait, ok) in [("a1", true, true), ("a2", false, true), ("b3", false, false), ("a4", false, true)] {
            scanned(&worker, id, wait, ok).await;
        }
        let parent = worker.start(family::input()).id("parent").await.expect("it starts");
        is(&parent, Status::Waiting).await;
        is(&worker.get("child").await.expect("there is one"), Status::Done).await;
        let engine = engine(&db, &[]).await;
        let agree = async |rule: Retention, expected: u64| {
            let before = left(&engine).await;
            let would = engine.would_sweep(&rule).await.expect("it is counted");
            assert_eq!(left(&engine).await, before, "nothing is changed");
            let swept = engine.sweep_by([rule.clone()]).await.expect("it is swept");
            assert_eq!((would, swept.deleted()), (expected, expected), "{rule}");
        };
        // The child stays with its parent, which waits.
        agree(Retention::of(scans()).newest(9), 0).await;
        agree(Retention::of(scans()).for_time("1h"), 0).await;
        agree(Retention::of(scans().label("env", "b")).newest(0), 1).await;
        agree(Retention::of(scans()).newest(2), 1).await;
        assert_eq!(left(&engine).await, "child parent a4 a1");
        parent.signal(family::STEPS.go, &()).await.expect("it takes it");
        is(&parent, Status::Done).await;
        // By its own rule it stays as long as the parent is there; by one for all it goes with it.
        agree(Retention::of(scans()).newest(2), 0).await;
        agree(Retention::of(Filter::new()).newest(0), 3).await;
        assert_eq!(left(&engine).await, "a1");

        let error = engine.would_sweep(&Retention::of(scans())).await.expect_err("it is refused");
        assert!(matches!(error, EngineError::Filter { .. }), "{error}");
        let error = engine.sweep_by([Retention::of(scans())]).await.expect_err("it is refused");
        assert!(matches!(error, EngineError::Filter { .. }), "{error}");
    }

    async fn a_sweep_by_other_rules_leaves_the_next_one_due_as_it_was(db) {
        let store = db.store().await;
        let due = async || {
            let duty = store.duty("retention".to_owned()).await.expect("it is read").expect("there is one");
            assert_eq!(duty.value.get(), "null", "nobody sweeps");
            duty.due.expect("one is due")
        };
        let engine = engine(&db, &[Retention::of(scans()).newest(7)]).await;
        let before = jiff::Timestamp::now();
        engine.sweep_by([Retention::of(scans()).newest(0)]).await.expect("it is swept");
        assert!(due().await <= jiff::Timestamp::now(), "where none was made, one is due");
        engine.sweep().await.expect("it is swept");
        let next = due().await;
        assert!(next > before + jiff::SignedDuration::from_mins(59), "{next}");
        engine.sweep_by([Retention::of(scans()).newest(0)]).await.expect("it is swept");
        assert_eq!(due().await, next);
    }

    async fn one_process_sweeps_at_a_time(db) {
        let one = engine(&db, &[Retention::of(scans()).newest(0)]).await;
        let other = engine(&db, &[Retention::of(scans()).newest(0)]).await;
        one.sweep().await.expect("it is swept");
        other.sweep().await.expect("nobody is at it");
        // As one that is just at it, or has died in the middle.
        let store = db.store().await;
        let hold = async |seconds: i64| {
            let duty = store.duty("retention".to_owned()).await.expect("it is read");
            let due = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
            let set = SetDuty {
                name: "retention".to_owned(),
                revision: duty.map(|duty| duty.revision),
                to: Some(NewDuty { due: Some(due), value: Json::encode("another").expect("a text") }),
                start: Vec::new(),
            };
            let set = store.set_duty(set).await.expect("it is set");
            assert!(matches!(set, DutySet::Set(_)));
        };
        hold(30).await;
        match one.sweep().await {
            Err(EngineError::Sweeping { worker }) => assert_eq!(worker, "another"),
            other => panic!("{other:?}"),
        }
        hold(-1).await;
        assert!(one.sweep().await.expect("its time is over").finished);
        // The clock was set back since.
        hold(3600).await;
        assert!(one.sweep().await.expect("its time is over").finished);
    }

    async fn an_engine_sweeps_by_itself(db) {
        let worker = worker(&db).await;
        scanned(&worker, "a1", false, true).await;
        let builder = db.engine().await.serve(scan::with()).sweep_every(Duration::from_millis(20));
        let engine = builder.retain(Retention::of_flow::<scan>().newest(1)).start().await.expect("starts");
        scanned(&worker, "a2", false, true).await;
        crate::support::wait_for("the sweep", async || left(&engine).await == "a2").await;
    }

    async fn a_rule_that_means_nothing_is_refused(db) {
        let refused = async |rule: Retention| {
            let error = db.engine().await.retain(rule).start().await.expect_err("it is refused");
            error.to_string()
        };
        let why = refused(Retention::of(scans())).await;
        assert!(why.contains("neither how many"), "{why}");
        let why = refused(Retention::of(scans()).for_time("1d").per("env")).await;
        assert!(why.contains(r#"`.per("env")`, but not how many"#), "{why}");
        let why = refused(Retention::of(scans()).for_time("soon")).await;
        assert!(why.contains("`soon` is no duration"), "{why}");
        let why = refused(Retention::of(scans().limit(3)).newest(1)).await;
        assert!(why.contains("limit"), "{why}");
        let why = refused(Retention::of(scans().ended().unfinished()).newest(1)).await;
        assert!(why.contains("both"), "{why}");
    }
}

/// More than two batches of executions that are done.
async fn fill(store: &MemoryStore, count: usize) {
    for n in 0..count {
        let mut root = steps::state::NodeData::default();
        (root.name, root.kind) = ("scan".into(), steps::state::Kind::Flow);
        (root.status, root.done_at) = (Status::Done, Some(jiff::Timestamp::UNIX_EPOCH));
        let new = NewExecution {
            id: format!("{n}"),
            flow: "scan".to_owned(),
            input: Json::encode(&n).expect("a number"),
            labels: steps::state::Labels::new(),
            notes: Notes::default(),
            priority: 0,
            form: None,
            parent: None,
            singleton: None,
            trace: None,
            created_at: None,
            held: None,
        };
        let then = LeaseAfter::Release {
            due: Due::Never,
            last_message: 0,
        };
        let mut write = Write::new(Target::New(Box::new(new)), then);
        write.nodes = vec![NodeRow::new(0, 0, root)];
        store.write(write).await.expect("it is written");
    }
}

/// A process that dies at any write of a sweep: another goes on when its time is over.
#[tokio::test]
async fn a_sweep_that_was_cut_off_is_taken_up() {
    let rule = || Retention::of(Filter::new().flow_name("scan")).newest(7);
    let mut struck = 0;
    for cut in (1..=6).flat_map(|call| [Cut::Before(call), Cut::After(call)]) {
        let clock = Arc::new(FakeClock::new());
        let memory = MemoryStore::with_clock(clock.clone());
        fill(&memory, 1107).await;
        let store = CutStore::new(memory.reopen()).cut_at(Some(cut));
        let dies = Engine::with_store(store.clone())
            .clock(clock.clone())
            .retain(rule());
        let dies = dies.start().await.expect("it starts");
        tokio::select! {
            swept = dies.sweep() => assert!(swept.expect("swept").finished, "{cut:?}"),
            () = store.struck() => struck += 1,
        }
        drop(dies);
        let left = async || {
            memory
                .count(ExecutionQuery::default())
                .await
                .expect("counted")
        };
        let half = left().await;
        assert!([1107, 607, 107, 7].contains(&half), "{cut:?}: {half}");
        let next = Engine::with_shared_store(Arc::new(memory.reopen())).clock(clock.clone());
        let next = next.retain(rule()).start().await.expect("it starts");
        clock.advance(Duration::from_secs(61));
        assert!(
            next.sweep().await.expect("its time is over").finished,
            "{cut:?}"
        );
        assert_eq!(left().await, 7, "{cut:?}");
    }
    // Four batches, the last of which finds nothing, a beginning and an end.
    assert_eq!(struck, 12);
}

#[tokio::test]
async fn a_rule_whose_deletion_fails_is_left_off() {
    let memory = MemoryStore::new();
    fill(&memory, 3).await;
    let is_first = |query: &ExecutionQuery| query.flows.is_empty();
    let store = Between::refusing(Arc::new(memory.reopen()), is_first);
    let engine = Engine::with_store(store)
        .retain_for("0s")
        .retain(Retention::of(Filter::new().flow_name("scan")).newest(1));
    let engine = engine.start().await.expect("it starts");
    let swept = engine.sweep().await.expect("the other rule is followed");
    let of: Vec<(u64, bool)> = swept
        .rules
        .iter()
        .map(|rule| (rule.deleted, rule.error.is_some()))
        .collect();
    assert_eq!((of, swept.finished), (vec![(0, true), (2, false)], true));
}

#[tokio::test]
async fn a_sweep_stops_between_batches_when_its_engine_ends() {
    let clock = Arc::new(FakeClock::new());
    let memory = MemoryStore::with_clock(clock.clone());
    fill(&memory, 1107).await;
    let rule = Retention::of(Filter::new().flow_name("scan")).newest(7);
    let engine = Engine::with_shared_store(Arc::new(memory.reopen()))
        .clock(clock)
        .retain(rule);
    let engine = engine.start().await.expect("it starts");
    engine.drain().await;
    let swept = engine.sweep().await.expect("it is swept");
    assert_eq!((swept.finished, swept.deleted()), (false, 0));
    assert_eq!(
        memory
            .count(ExecutionQuery::default())
            .await
            .expect("counted"),
        1107
    );
}
