//! Starting with options; getting, listing, counting, deleting and watching.

use std::time::Duration;

use jiff::Timestamp;
use steps::{
    Json, State, Status,
    engine::{Concurrency, Engine, EngineError, Filter},
    state::{Kind, Labels, NodeData},
    store::{Cursor, Due, LeaseAfter, NewExecution, NodeRow, Notes, Target, Write, Written},
};

use crate::support::{World, asks, is, job, on_each_store, wait_for};

on_each_store! {
    async fn executions_are_found_by_flow_status_label_and_time(db) {
        let world = World::new();
        let engine = db
            .engine()
            .await
            .serve(job::with(world.clone()))
            .serve(asks::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        let begun = Timestamp::now();
        for (name, project) in [("1", "atlas"), ("2", "atlas"), ("3", "iris")] {
            let start = engine.start(job::input(name.into())).id(name).label("project", project);
            start.await.expect("it starts").outcome().await.expect("done");
        }
        let waits = engine.start(asks::input("4".into())).id("4").await.expect("it starts");
        is(&waits, Status::Waiting).await;

        let ids = async |filter| -> Vec<String> {
            let found = engine.list(filter).await.expect("a list");
            found.into_iter().map(|info| info.id).collect()
        };
        assert_eq!(ids(Filter::new()).await, ["4", "3", "2", "1"]);
        assert_eq!(ids(Filter::new().flow::<job>()).await, ["3", "2", "1"]);
        assert_eq!(ids(Filter::new().status(Status::Waiting)).await, ["4"]);
        assert_eq!(ids(Filter::new().unfinished()).await, ["4"]);
        assert_eq!(ids(Filter::new().ended()).await, ["3", "2", "1"]);
        assert_eq!(ids(Filter::new().label("project", "atlas")).await, ["2", "1"]);
        assert_eq!(ids(Filter::new().limit(2)).await, ["4", "3"]);
        let page = engine.list(Filter::new().limit(2)).await.expect("a list");
        assert_eq!(ids(Filter::new().limit(2).after(&page[1])).await, ["2", "1"]);
        let cursor = page[1].cursor().to_string();
        let cursor: Cursor = cursor.parse().expect("its own text");
        assert_eq!(ids(Filter::new().created(Timestamp::MIN..begun)).await, [""; 0]);
        assert_eq!(ids(Filter::new().ended_within(begun..Timestamp::MAX)).await, ["3", "2", "1"]);
        assert_eq!(engine.count(Filter::new().flow::<job>()).await.expect("a count"), 3);

        let info = engine.get("3").await.expect("it is there").info().await.expect("it is there");
        assert_eq!(info.labels.get("project").map(String::as_str), Some("iris"));
        assert!(info.started_at.is_some() && info.done_at.is_some());

        // What has not ended is not deleted.
        let error = waits.delete().await.expect_err("it waits");
        assert!(matches!(error, EngineError::Status { .. }), "{error}");
        engine.get("3").await.expect("it is there").delete().await.expect("it has ended");
        assert!(matches!(engine.get("3").await, Err(EngineError::Unknown { .. })));
        // What the cursor names is gone by now; its place is not.
        assert_eq!(ids(Filter::new().limit(2).after(cursor)).await, ["2", "1"]);
        assert_eq!(engine.delete_where(Filter::new()).await.expect("a number"), 2);
        assert_eq!(ids(Filter::new()).await, ["4"]);
    }

    async fn regression_a_done_one_that_is_held_was_told_as_one_that_has_not_ended(db) {
        let store = db.store().await;
        let engine = Engine::with_shared_store(store.clone()).start().await.expect("it starts");
        let mut root = NodeData::default();
        root.name = "job".into();
        root.kind = Kind::Flow;
        root.status = Status::Done;
        root.done_at = Some(Timestamp::now());
        let new = Box::new(NewExecution {
                id: "x".to_owned(),
                flow: "job".to_owned(),
                input: Json::parse("{}").expect("JSON"),
                labels: Labels::default(),
                notes: Notes::default(),
                priority: 0,
                form: None,
                parent: None,
                singleton: None,
                trace: None,
                created_at: None,
                held: Some(("another".to_owned(), Duration::from_hours(1))),
        });
        let made = store.write(Write {
            nodes: vec![NodeRow::new(0, 0, root)],
            ..Write::new(Target::New(new), LeaseAfter::Keep)
        });
        let Written::Created(lease) = made.await.expect("it is kept") else {
            panic!("there was none")
        };
        let run = engine.get("x").await.expect("it is there");
        let error = run.delete().await.expect_err("it is held");
        assert!(matches!(&error, EngineError::Busy { worker, .. } if worker == "another"), "{error}");
        let then = LeaseAfter::Release { due: Due::Never, last_message: 0 };
        let given_back = store.write(Write::new(Target::Held(lease), then));
        given_back.await.expect("it is kept");
        run.delete().await.expect("nobody holds it");
        let error = run.delete().await.expect_err("it is gone");
        assert!(matches!(error, EngineError::Unknown { .. }), "{error}");
    }

    async fn regression_the_next_of_an_id_was_told_the_end_of_the_one_that_was_deleted(db) {
        let engine = db.engine().await.serve(job::with(World::new())).start().await.expect("it starts");
        let mut handles = Vec::new();
        for name in ["x", "y", "z"] {
            let start = engine.start(job::input(name.into())).id("id");
            // One is left to be claimed, the others begin at once.
            let start = if name == "y" { start.after(Duration::from_millis(1)) } else { start };
            let run = start.await.expect("it starts");
            assert_eq!(run.outcome().await.expect("done"), format!("{name}.a {name}.b {name}.c"));
            run.delete().await.expect("it has ended");
            // Its handle is kept.
            handles.push(run);
        }
    }

    async fn claim_small_a_state_read_back_does_not_differ(db) {
        let engine = db.engine().await.serve(job::with(World::new())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        run.outcome().await.expect("done");
        let state = run.tree().await.expect("it is there");
        let read = State::from_json(&state.to_json()).expect("its own JSON");
        assert_eq!(state.diff(&read), []);
        assert_eq!(state, read);
    }

    async fn limit_zero(db) {
        let engine = db.engine().await.serve(job::with(World::new())).start().await.expect("it starts");
        for name in ["1", "2", "3", "4"] {
            let start = engine.start(job::input(name.into())).id(name);
            start.await.expect("it starts").outcome().await.expect("done");
        }
        let none = || Filter::new().ended().limit(0);
        assert_eq!(engine.list(none()).await.expect("a list"), []);
        assert_eq!(engine.delete_where(none()).await.expect("a number"), 0);
        // A count is that of all pages.
        assert_eq!(engine.count(none()).await.expect("a count"), 4);
        let list = engine.list(Filter::new()).await.expect("a list");
        assert_eq!(engine.count(Filter::new().after(&list[2])).await.expect("a count"), 4);
        // What a list has after a place, the oldest first.
        let older = || Filter::new().after(&list[1]);
        assert_eq!(engine.delete_where(older().limit(1)).await.expect("a number"), 1);
        assert_eq!(engine.delete_where(older()).await.expect("a number"), 1);
        assert_eq!(engine.list(Filter::new()).await.expect("a list"), list[..2]);
    }

    async fn it_does_not_begin_before_its_time(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let after = Duration::from_millis(150);
        let asked = Timestamp::now();
        let run = engine.start(job::input("x".into())).after(after).await.expect("it starts");
        assert_eq!(run.status().await.expect("it is there"), Status::Pending);
        run.outcome().await.expect("done");
        let began = run.info().await.expect("it is there").started_at.expect("it began");
        assert!(began >= asked + after);
    }

    async fn the_more_urgent_go_first(db) {
        let world = World::new();
        world.closes("first.a");
        let engine = db
            .engine()
            .await
            .serve(job::with(world.clone()))
            .concurrency(Concurrency::fixed(1))
            .start()
            .await
            .expect("it starts");
        engine.start(job::input("first".into())).await.expect("it starts");
        world.saw("first.a").await;
        let low = engine.start(job::input("low".into())).priority(-1).await.expect("it starts");
        engine.start(job::input("usual".into())).await.expect("it starts");
        engine.start(job::input("high".into())).priority(5).await.expect("it starts");
        world.opens();
        low.outcome().await.expect("done");
        let mut begun = world.log();
        begun.retain(|line| line.split('.').next_back() == Some("a"));
        assert_eq!(begun, ["first.a", "high.a", "usual.a", "low.a"]);
    }

    async fn scale_priorities_a_priority_is_one_of_a_few(db) {
        let engine = db.engine().await.serve(job::with(World::new())).start().await.expect("it starts");
        for priority in [-101, 101, i32::MIN, i32::MAX] {
            let start = engine.start(job::input("x".into())).id("x").priority(priority);
            let error = start.await.expect_err("it is none");
            assert!(matches!(&error, EngineError::Priority { .. }), "{error}");
            assert!(error.to_string().contains(&priority.to_string()), "{error}");
        }
        for (id, priority) in [("least", -100), ("most", 100)] {
            let start = engine.start(job::input("x".into())).id(id).priority(priority);
            start.await.expect("it is one").outcome().await.expect("done");
        }
    }

    async fn scale_barge_what_waits_rises_with_ageing(db) {
        let world = World::new();
        world.closes("first.a");
        let engine = db.engine().await.serve(job::with(world.clone()));
        let engine = engine.concurrency(Concurrency::fixed(1)).ageing(Duration::from_millis(1));
        let engine = engine.start().await.expect("it starts");
        engine.start(job::input("first".into())).await.expect("it starts");
        world.saw("first.a").await;
        engine.start(job::input("low".into())).await.expect("it starts");
        // By then it counts as one of a priority of 10 or more.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let high = engine.start(job::input("high".into())).priority(5).await.expect("it starts");
        world.opens();
        high.outcome().await.expect("done");
        let mut begun = world.log();
        begun.retain(|line| line.split('.').next_back() == Some("a"));
        assert_eq!(begun, ["first.a", "low.a", "high.a"]);
    }

    async fn at_most_so_many_run_at_once(db) {
        let world = World::new();
        for number in 0..6 {
            world.closes(&format!("{number}.a"));
        }
        let engine = db
            .engine()
            .await
            .serve(job::with(world.clone()).concurrency(2))
            .serve(asks::with(world.clone()))
            .concurrency(Concurrency::fixed(3))
            .start()
            .await
            .expect("it starts");
        let mut runs = Vec::new();
        for number in 0..6 {
            runs.push(engine.start(job::input(format!("{number}"))).await.expect("it starts"));
        }
        wait_for("two jobs", async || world.log().len() == 2).await;
        // There is still room for the other flow, and waiting takes none.
        for name in ["w1", "w2", "w3"] {
            let waits = engine.start(asks::input(name.into())).await.expect("it starts");
            is(&waits, Status::Waiting).await;
        }
        assert_eq!(world.log().len(), 5, "{:?}", world.log());
        world.opens();
        for run in runs {
            run.outcome().await.expect("done");
        }
    }

    async fn an_id_is_checked(db) {
        let engine = db.engine().await.start().await.expect("it starts");
        for bad in ["", "a\nb", &"x".repeat(256)] {
            let error = engine.start(job::input("x".into())).id(bad).await.expect_err("a bad id");
            assert!(matches!(error, EngineError::Id { .. }), "{error}");
        }
        assert!(matches!(engine.get("nobody").await, Err(EngineError::Unknown { .. })));
    }

    async fn the_same_flow_is_not_served_twice(db) {
        let world = World::new();
        let twice = db.engine().await.serve(job::with(world.clone())).serve(job::with(world.clone()));
        let error = twice.start().await.expect_err("twice");
        assert!(error.to_string().contains("two flows are called `job`"), "{error}");
    }

    async fn one_is_watched_to_its_end(db) {
        let world = World::new();
        world.closes("x.b");
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        world.saw("x.b").await;
        let mut watch = run.watch();
        let first = watch.next().await.expect("a state").expect("it is there");
        assert_eq!(first.state.a.output().expect("text").as_deref(), Some("x.a"));
        assert!(first.changes.is_empty());
        world.opens();
        let mut last = first;
        while let Some(next) = watch.next().await {
            last = next.expect("it is there");
            assert!(!last.changes.is_empty());
        }
        assert_eq!(last.state.execution_status(), Status::Done);
    }

    async fn a_signal_is_kept_until_its_step_waits(db) {
        let world = World::new();
        world.closes("x.a");
        let engine = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(asks::input("x".into())).await.expect("it starts");
        world.saw("x.a").await;
        run.signal(asks::STEPS.answer, &1).await.expect("it is kept");
        let second = run.signal(asks::STEPS.answer, &2).await.expect_err("it has one");
        assert!(matches!(second, EngineError::Signal { .. }), "{second}");
        run.replace_signal(asks::STEPS.answer, &2).await.expect("it takes the other's place");
        world.opens();
        assert_eq!(run.outcome().await.expect("done"), 2);
        let late = run.signal(asks::STEPS.answer, &3).await.expect_err("it has ended");
        assert!(matches!(late, EngineError::Status { .. }), "{late}");
    }
}
