//! Steps and undos that are made in transactions of the store's own database: what they have changed, and that they
//! have, is there once or not at all, wherever the process dies.

mod postgres;
mod sqlite;
#[path = "../common/stores.rs"]
#[expect(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "other tests run on memory, too"
)]
mod stores;
#[expect(dead_code, reason = "those that are killed are slow")]
mod world;

use std::{sync::Arc, time::Duration};

use steps::{
    Engine, Flow, Input, RunLimits, Status, With,
    codec::{Encryption, Keys},
    store::{MemoryStore, Store},
    testing::{Cut, CutStore},
};

use stores::Db;

const PATIENCE: Duration = Duration::from_mins(1);

/// An engine as a process of its own, which takes over at once what another one has left.
async fn engine<F: Flow<Owned: Send + Sync>>(store: Arc<dyn Store>, flow: With<F>) -> Engine {
    let engine = Engine::with_shared_store(store);
    let engine = engine
        .poll(Duration::from_millis(10))
        .lease(Duration::from_millis(400));
    let engine = engine.limits(RunLimits::default().payload(1 << 16));
    engine.serve(flow).start().await.expect("it starts")
}

/// Runs an execution with a cut at each call of the store, and then without; another process goes on with what is
/// there. Returns how many cuts have struck.
async fn at_each_cut<F: Flow<Owned: Send + Sync>, S: Store>(
    open: impl AsyncFn() -> S,
    flow: impl Fn() -> With<F>,
    input: impl Fn(String) -> Input<F>,
    ends: Status,
    mut look: impl AsyncFnMut(),
) -> usize {
    for struck in 0.. {
        let cut = match struck % 2 {
            0 => Cut::Before(1 + struck / 2),
            _ => Cut::After(1 + struck / 2),
        };
        let id = format!("e{struck}");
        let store = CutStore::new(open().await).cut_at(Some(cut));
        let first = engine(Arc::new(store.clone()), flow()).await;
        let run = async {
            let run = first
                .start(input(id.clone()))
                .id(&id)
                .await
                .expect("it starts");
            run.ended().await.expect("it ends");
        };
        tokio::select! {
            () = run => {}
            () = store.struck() => {}
        }
        let has_struck = store.has_struck();
        drop((first, store));
        let second = engine(Arc::new(open().await), flow()).await;
        let run = second
            .start(input(id.clone()))
            .id(&id)
            .await
            .expect("it is there");
        let ended = tokio::time::timeout(PATIENCE, run.ended()).await;
        assert_eq!(
            ended.expect("in time").expect("it ends").status,
            ends,
            "{cut}"
        );
        look().await;
        second.shutdown(PATIENCE).await.expect("it ends");
        if !has_struck {
            return struck;
        }
    }
    unreachable!("an execution has an end")
}

macro_rules! on_both {
    ($(async fn $name:ident($db:ident, $world:ident) $body:block)*) => {
        mod on_sqlite {
            use crate::{*, sqlite::*};
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let $db = Db::sqlite();
                let $world = world(&$db).await;
                $body
            })*
        }

        mod on_postgres {
            use crate::{*, postgres::*};
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let $db = Db::postgres();
                let $world = world(&$db).await;
                $body
            })*
        }
    };
}

on_both! {
    async fn what_is_done_is_done_once(db, world) {
        let engine = engine(db.store().await, book::with(world.clone())).await;
        let run = engine.start(book::input("ann".into())).await.expect("it starts");
        let seats = run.outcome().await.expect("it is done");
        assert!(seats > 1, "each was given its own: {seats}");
        assert_eq!(done(&db).await, ["pay", "reserve", "reserve"]);
        assert_eq!(kept(&db).await, [""; 0], "it is recorded with the steps");
        run.undo().await.expect("it is asked");
        assert_eq!(run.ended().await.expect("it ends").status, Status::Undone);
        let all = ["pay", "release", "release", "repay", "reserve", "reserve"];
        assert_eq!(done(&db).await, all);
        assert_eq!(kept(&db).await, [""; 0]);
    }

    async fn what_fails_has_changed_nothing(db, world) {
        world.fails("reserve", 2);
        let engine = engine(db.store().await, book::with(world.clone())).await;
        let run = engine.start(book::input("ann".into())).await.expect("it starts");
        run.outcome().await.expect("it is done");
        assert_eq!(world.calls("reserve"), 4);
        assert_eq!(done(&db).await, ["pay", "reserve", "reserve"]);

        world.fails("pay", 1);
        world.fails("release", 1);
        let run = engine.start(book::input("bob".into())).await.expect("it starts");
        let failure = run.outcome().await.expect_err("it fails").to_string();
        assert!(failure.contains("pay fails"), "{failure}");
        let done = done(&db).await;
        let count = |what: &str| done.iter().filter(|it| *it == what).count();
        assert_eq!((count("pay"), count("repay")), (1, 0), "nothing to take back: {done:?}");
        assert_eq!(count("reserve") - 2, count("release"), "{done:?}");
        assert_eq!(kept(&db).await, [""; 0]);
    }

    async fn a_cut_anywhere_repeats_nothing_and_loses_nothing(db, world) {
        let mut before = 0;
        let flow = || book::with(world.clone());
        let look = async || {
            let done = done(&db).await;
            let count = |what: &str| done.iter().filter(|it| *it == what).count();
            before += 1;
            assert_eq!((count("reserve"), count("pay")), (2 * before, before), "{done:?}");
            assert_eq!(done.len(), 3 * before);
            assert_eq!(kept(&db).await, [""; 0]);
        };
        let struck = at_each_cut(async || open(&db).await, flow, book::input, Status::Done, look).await;
        assert!(struck > 12, "{struck}: each step is two calls at least");
        assert!(world.calls("send") > struck / 2, "each has come to its end");
    }

    async fn a_cut_anywhere_in_a_rollback_repeats_nothing(db, world) {
        world.fails("send", u32::MAX);
        let mut before = 0;
        let flow = || book::with(world.clone());
        let look = async || {
            let done = done(&db).await;
            let count = |what: &str| done.iter().filter(|it| *it == what).count();
            before += 1;
            assert_eq!((count("reserve"), count("release")), (2 * before, 2 * before), "{done:?}");
            assert_eq!((count("pay"), count("repay")), (before, before), "{done:?}");
            assert_eq!(kept(&db).await, [""; 0]);
        };
        let struck = at_each_cut(async || open(&db).await, flow, book::input, Status::Undone, look).await;
        assert!(struck > 20, "{struck}");
    }

    async fn a_shut_value_is_kept_and_found_shut(db, world) {
        let codec = || Encryption::new(Keys::new("k", [7; 32]).expect("a key"));
        let store = CutStore::new(open(&db).await).cut_at(Some(Cut::After(2)));
        let of = |store: Arc<dyn Store>| {
            let engine = Engine::with_shared_store(store).codec(codec());
            let engine = engine.poll(Duration::from_millis(10)).lease(Duration::from_millis(400));
            engine.serve(book::with(world.clone()))
        };
        let first = of(Arc::new(store.clone())).start().await.expect("it starts");
        tokio::select! {
            _ = async {
                let run = first.start(book::input("ann".into())).id("a").await.expect("it starts");
                run.outcome().await
            } => panic!("it is cut off"),
            () = store.struck() => {}
        }
        assert_eq!(done(&db).await, ["reserve"], "the second call is the first transaction");
        let is_shut = |kept: &[String]| kept.len() == 1 && kept[0].starts_with("\"steps:1:k:");
        assert!(is_shut(&kept(&db).await), "{:?}", kept(&db).await);
        drop((first, store));
        let second = of(Arc::new(open(&db).await)).start().await.expect("it starts");
        let run = second.start(book::input("ann".into())).id("a").await.expect("it is there");
        run.outcome().await.expect("it is done");
        assert_eq!(done(&db).await, ["pay", "reserve", "reserve"]);
    }

    async fn one_that_ends_its_transaction_itself_is_told(db, world) {
        drop(world);
        let engine = engine(db.store().await, ends_it::with()).await;
        let run = engine.start(ends_it::input()).await.expect("it starts");
        let failure = run.outcome().await.expect_err("it fails").to_string();
        assert!(failure.contains("Leave out COMMIT and ROLLBACK"), "{failure}");
        let run = engine.start(ends_it::input()).await.expect("the store goes on");
        run.ended().await.expect("it ends");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_recorded_is_rolled_back() {
    let db = Db::sqlite();
    sqlite::world(&db).await;
    let engine = engine(db.store().await, sqlite::much::with()).await;
    let run = engine
        .start(sqlite::much::input(1 << 17))
        .await
        .expect("it starts");
    let failure = run.outcome().await.expect_err("too much").to_string();
    assert!(failure.contains("bytes of JSON"), "{failure}");
    assert_eq!(sqlite::done(&db).await, [""; 0]);

    let db = Db::postgres();
    let world = postgres::world(&db).await;
    let engine = self::engine(db.store().await, postgres::much::with(world)).await;
    let run = engine
        .start(postgres::much::input(1 << 17))
        .await
        .expect("it starts");
    let failure = run.outcome().await.expect_err("too much").to_string();
    assert!(failure.contains("bytes of JSON"), "{failure}");
    assert_eq!(postgres::done(&db).await, [""; 0]);
}

/// Returns how a run of a flow fails.
async fn failure_of<F: Flow<Owned: Send + Sync>>(
    db: &Db,
    flow: With<F>,
    input: Input<F>,
) -> String {
    let engine = engine(db.store().await, flow).await;
    let run = engine.start(input).await.expect("it starts");
    let ended = tokio::time::timeout(PATIENCE, run.outcome()).await;
    match ended.expect("in time") {
        Ok(_) => panic!("it is done"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_the_server_refuses_is_a_failure_of_its_step() {
    let db = Db::postgres();
    let world = postgres::world(&db).await;
    let failure = failure_of(
        &db,
        postgres::refused::with(world.clone()),
        postgres::refused::input(),
    );
    let failure = failure.await;
    let says = ["was not committed", "foreign key constraint"];
    assert!(says.iter().all(|it| failure.contains(it)), "{failure}");
    let failure = failure_of(
        &db,
        postgres::passes_over::with(world),
        postgres::passes_over::input(),
    );
    let failure = failure.await;
    assert!(failure.contains("has passed over that error"), "{failure}");
    assert_eq!(postgres::done(&db).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_may_not_wait_in_a_transaction_of_a_file() {
    let db = Db::sqlite();
    sqlite::world(&db).await;
    let (flow, input) = (
        sqlite::takes_its_time::with(),
        sqlite::takes_its_time::input(),
    );
    let failure = failure_of(&db, flow, input).await;
    assert!(failure.contains("its function is not `async`"), "{failure}");
    assert_eq!(sqlite::done(&db).await, [""; 0]);
    // The store goes on.
    assert_eq!(
        db.engine()
            .await
            .start()
            .await
            .expect("it starts")
            .count(steps::engine::Filter::new())
            .await
            .expect("it counts"),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_such_a_database_it_is_told_what_is_missing() {
    let world = world::World::new("");
    let alone = sqlite::book(&world, "ann".to_owned())
        .await
        .expect_err("no store");
    assert!(
        alone.to_string().contains("run its flow on an engine"),
        "{alone}"
    );
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let engine = engine(memory, sqlite::book::with(world.clone())).await;
    let run = engine
        .start(sqlite::book::input("ann".into()))
        .await
        .expect("it starts");
    let failure = run.outcome().await.expect_err("another store").to_string();
    assert!(
        failure.contains("takes a `rusqlite::Connection`"),
        "{failure}"
    );
    let db = Db::postgres();
    let (flow, input) = (sqlite::book::with(world), sqlite::book::input("ann".into()));
    let failure = failure_of(&db, flow, input).await;
    assert!(
        failure.contains("takes a `rusqlite::Connection`"),
        "{failure}"
    );
}
