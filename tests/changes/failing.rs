//! Functions that fail: they are told again, and hold nothing else up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use steps::{
    clock::TestClock as _,
    engine::{NotTold, OnChange, StatusChange},
    prelude::*,
    store::MemoryStore,
    testing::FakeClock,
};

use crate::support::{Told, eventually, nothing_waits, numbers, on_each_store, other};

/// Of beginnings and ends: an execution that finds no place at its start, as during a claim, is told as pending, too.
fn begun_and_done() -> OnChange {
    OnChange::new().status(Status::Running).status(Status::Done)
}

fn quick() -> OnChange {
    begun_and_done().pauses("5ms", "20ms")
}

/// A pause of an hour, by a clock that jumps.
#[tokio::test]
async fn pauses_go_by_the_engines_clock() {
    let clock = FakeClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let told = Told::default();
    let on = OnChange::new().pauses("1h", "1h").status(Status::Done);
    let fails = failing(&told, "a", 3, || "no".to_owned());
    let engine = Engine::with_store(store)
        .clock(Arc::new(clock.clone()))
        .serve(other::with())
        .on_execution_change("fails", on, fails);
    let engine = engine.start().await.unwrap();
    let begun = clock.elapsed();
    let run = engine.start(other::input()).id("a").await.unwrap();
    run.outcome().await.unwrap();
    nothing_waits(&engine).await;
    let hours = clock.elapsed().saturating_sub(begun).as_secs() / 3600;
    assert_eq!((told.all()[0].attempts, hours), (3, 3));
}

/// A function that fails some times with what is of an execution, and then keeps what it is told.
fn failing(
    told: &Told,
    of: &'static str,
    times: usize,
    fail: impl Fn() -> String + Send + Sync + Clone + 'static,
) -> impl Fn(StatusChange) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send>>
+ Send
+ Sync
+ 'static {
    let (told, calls) = (told.clone(), Arc::new(AtomicUsize::new(0)));
    move |change| {
        let (told, calls, fail) = (told.clone(), Arc::clone(&calls), fail.clone());
        Box::pin(async move {
            if change.execution == of && calls.fetch_add(1, Ordering::Relaxed) < times {
                assert_eq!(change.attempts as usize, calls.load(Ordering::Relaxed) - 1);
                return Err(fail());
            }
            told.keep(&change);
            Ok(())
        })
    }
}

on_each_store! {
    async fn one_that_fails_is_told_again_and_others_overtake_it(db) {
        let (told, steady) = (Told::default(), Told::default());
        let on = || quick().pauses("300ms", "300ms");
        let engine = db.engine().await
            .serve(other::with())
            .on_execution_change("fails", on(), failing(&told, "a", 2, || "no".to_owned()))
            .on_execution_change("steady", begun_and_done(), steady.function())
            .start().await.unwrap();
        engine.start(other::input()).id("a").await.unwrap().outcome().await.unwrap();
        engine.start(other::input()).id("b").await.unwrap().outcome().await.unwrap();
        let is_other = || told.all().iter().filter(|it| it.execution == "b").count() == 2;
        eventually(is_other, || format!("{:#?}", told.all())).await;
        assert!(told.all().iter().all(|it| it.execution == "b"), "a later one overtakes");
        assert_eq!(steady.lines(4).await.len(), 4);
        let all = engine.subscriptions().await.unwrap();
        let failing = &all[0].failing[0];
        assert_eq!((all[0].info.failed, all[0].info.waiting, &*failing.execution), (1, 2, "a"));
        assert!(failing.failure.as_deref() == Some("no") && failing.due.is_some(), "{failing:?}");
        assert!(all[0].teller.is_some());
        nothing_waits(&engine).await;
        let of_a: Vec<_> = told.all().into_iter().filter(|it| it.execution == "a").collect();
        assert_eq!(of_a.iter().map(|it| it.to).collect::<Vec<_>>(), [Status::Running, Status::Done]);
        assert_eq!((of_a[0].attempts, of_a[1].attempts), (2, 0));
        assert_eq!(steady.all().len(), 4);
    }

    async fn one_that_panics_is_told_again(db) {
        let told = Told::default();
        let panics = || -> String { panic!("as the test wants") };
        let engine = db.engine().await
            .serve(other::with())
            .on_execution_change("panics", quick(), failing(&told, "a", 2, panics))
            .start().await.unwrap();
        engine.start(other::input()).id("a").await.unwrap().outcome().await.unwrap();
        nothing_waits(&engine).await;
        let told = told.all();
        assert_eq!((told.len(), told[0].attempts), (2, 2));
        assert_eq!(told[0].failure.as_deref(), Some("panicked: as the test wants"));
    }

    async fn one_that_hangs_is_cut_off_and_told_again(db) {
        let (told, calls) = (Told::default(), Arc::new(AtomicUsize::new(0)));
        let keep = told.clone();
        let hangs = move |change: StatusChange| {
            let (keep, calls) = (keep.clone(), Arc::clone(&calls));
            async move {
                if calls.fetch_add(1, Ordering::Relaxed) == 0 {
                    std::future::pending::<()>().await;
                }
                keep.keep(&change);
                Ok::<(), String>(())
            }
        };
        let on = quick().timeout("50ms").status(Status::Done);
        let engine = db.engine().await
            .serve(other::with())
            .on_execution_change("hangs", on, hangs)
            .start().await.unwrap();
        engine.start(other::input()).id("a").await.unwrap();
        told.lines(1).await;
        assert_eq!(told.all()[0].failure.as_deref(), Some("it took longer than 50ms"));
    }

    async fn one_that_fails_for_too_long_is_given_up(db) {
        let told = Told::default();
        let on = quick().give_up_after("40ms");
        let engine = db.engine().await
            .serve(other::with())
            .on_execution_change("fails", on, failing(&told, "a", usize::MAX, || "no".to_owned()))
            .start().await.unwrap();
        engine.start(other::input()).id("a").await.unwrap().outcome().await.unwrap();
        engine.start(other::input()).id("b").await.unwrap().outcome().await.unwrap();
        nothing_waits(&engine).await;
        assert!(told.all().iter().all(|it| it.execution == "b"));
        assert_eq!(told.all().len(), 2);
    }

    async fn one_drops_a_change_and_one_ends_its_subscription(db) {
        let (told, ends) = (Told::default(), Told::default());
        let keep = told.clone();
        let drops = move |change: StatusChange| {
            let keep = keep.clone();
            async move {
                if change.to == Status::Running {
                    return Err(NotTold::drop("not that"));
                }
                keep.keep(&change);
                Ok(())
            }
        };
        let keep = ends.clone();
        let end = move |change: StatusChange| {
            keep.keep(&change);
            std::future::ready(Err::<(), _>(NotTold::end("the receiver is gone")))
        };
        let with = async || {
            db.engine().await
                .serve(numbers::with())
                .on_execution_change("drops", quick(), drops.clone())
                .on_execution_change("ends", quick(), end.clone())
                .start().await.unwrap()
        };
        let engine = with().await;
        engine.start(numbers::input(1)).id("a").await.unwrap().outcome().await.unwrap();
        assert_eq!(told.lines(1).await, ["a running > done"]);
        let begun = std::time::Instant::now();
        loop {
            let all = engine.subscriptions().await.unwrap();
            if let Some(why) = &all[1].info.ended {
                assert_eq!((&**why, all[1].info.waiting), ("the receiver is gone", 0));
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{all:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        engine.shutdown(Duration::from_secs(5)).await.unwrap();
        // Also after a restart.
        let engine = with().await;
        engine.start(numbers::input(1)).id("b").await.unwrap().outcome().await.unwrap();
        nothing_waits(&engine).await;
        assert_eq!((told.all().len(), ends.all().len()), (2, 1));
    }
}
