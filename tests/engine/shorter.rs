//! A pause that is shorter in a newer program ends earlier for those that already wait; one that is longer
//! ends when it was to.

use std::{sync::Arc, time::Duration};

use steps::{
    Status,
    engine::{Builder, Engine, Filter},
    store::{Acquire, Acquired, TakeOver},
};

use crate::{
    between::{Between, Counts},
    support::{Db, World, is, on_each_store, wait_for},
};

const LEASE: Duration = Duration::from_millis(400);
const HOUR: Duration = Duration::from_hours(1);

/// The flows of a version, with its pauses.
macro_rules! version {
    ($version:ident, $pause:tt, $sleep:expr) => {
        mod $version {
            use std::{sync::Arc, time::Duration};

            use steps::prelude::*;

            use crate::support::World;

            const PAUSE: Duration = $sleep;

            #[step]
            async fn act(world: &World, what: &str) -> Result<(), String> {
                world.act(None, what.to_owned()).await
            }

            #[step(poll(every = $pause))]
            async fn polls(world: &World) -> Result<Option<()>, String> {
                world.act(None, "asked".to_owned()).await?;
                Ok((world.log().iter().filter(|done| *done == "asked").count() > 1).then_some(()))
            }

            #[step(retry(times = 5, every = $pause, jitter = 0.2))]
            async fn retries(world: &World) -> Result<(), String> {
                world.act(None, "tried".to_owned()).await?;
                match world.log().iter().filter(|done| *done == "tried").count() {
                    1 => Err("not yet".to_owned()),
                    _ => Ok(()),
                }
            }

            #[flow(name = "sleeps")]
            pub(super) async fn sleeps(world: &Arc<World>) -> Result<(), String> {
                steps! { a = act(world, "a"); rest = steps::sleep(PAUSE); b = act(world, "b"); }
                Ok(())
            }

            #[flow(name = "polls")]
            pub(super) async fn polling(world: &Arc<World>) -> Result<(), String> {
                steps! { a = act(world, "a"); polls(world); b = act(world, "b"); }
                Ok(())
            }

            #[flow(name = "retries")]
            pub(super) async fn retrying(world: &Arc<World>) -> Result<(), String> {
                steps! { a = act(world, "a"); retries(world); b = act(world, "b"); }
                Ok(())
            }

            #[step]
            async fn taken_back(world: &World) -> Result<(), String> {
                world.act(None, "did".to_owned()).await
            }

            #[undo(taken_back, retry(times = 5, every = $pause, jitter = 0.2))]
            async fn take_back(world: &World, _: &()) -> Result<(), String> {
                world.act(None, "undone".to_owned()).await?;
                match world.log().iter().filter(|done| *done == "undone").count() {
                    1 => Err("not yet".to_owned()),
                    _ => Ok(()),
                }
            }

            #[step]
            async fn fails() -> Result<(), String> {
                Err("no".to_owned())
            }

            /// Pauses before it tries an undo again.
            #[flow(name = "undoes")]
            pub(super) async fn undoing(world: &Arc<World>) -> Result<(), String> {
                steps! { both = parallel { group = { it = taken_back(world); } } fails(); }
                Ok(())
            }

            #[flow(name = "inner")]
            async fn inner(world: &Arc<World>) -> Result<(), String> {
                steps! { rounds = loop max 1 { rest = steps::sleep(PAUSE); } until true }
                world.act(None, "inner".to_owned()).await
            }

            /// At every depth.
            #[flow(name = "deep")]
            pub(super) async fn deep(world: &Arc<World>, many: bool) -> Result<(), String> {
                steps! {
                    a = act(world, "a");
                    all = for n in [1, 2] by n parallel {
                        both = parallel {
                            one = if many { inside = { it = flow inner(world); } }
                            two = { act(world, "two"); polls(world); }
                        }
                        c = act(world, "c");
                    }
                    b = act(world, "b");
                }
                Ok(())
            }

            /// Something comes while it pauses.
            #[flow(name = "asks")]
            pub(super) async fn asks(world: &Arc<World>) -> Result<(), String> {
                steps! {
                    both = parallel {
                        rest = steps::sleep(PAUSE);
                        word = steps::signal::<bool>();
                    }
                    b = act(world, "b");
                }
                Ok(())
            }
        }
    };
}

version!(long, "1h", Duration::from_hours(1));
version!(short, "20ms", Duration::from_millis(20));
version!(longer, "2h", Duration::from_hours(2));

async fn open(db: &Db) -> Builder {
    db.engine()
        .await
        .lease(LEASE)
        .poll(Duration::from_millis(20))
}

macro_rules! serve {
    ($db:expr, $version:ident, $world:expr) => {
        serve!(builder open($db).await, $version, $world)
    };
    (builder $builder:expr, $version:ident, $world:expr) => {
        $builder
            .serve($version::sleeps::with(Arc::clone($world)))
            .serve($version::polling::with(Arc::clone($world)))
            .serve($version::retrying::with(Arc::clone($world)))
            .serve($version::deep::with(Arc::clone($world)))
            .serve($version::asks::with(Arc::clone($world)))
            .serve($version::undoing::with(Arc::clone($world)))
            .start()
            .await
            .expect("it starts")
    };
}

async fn end(engine: Engine) {
    engine.shutdown(LEASE).await.expect("it ends");
}

/// An execution of the first version waits, and goes on by itself when the second starts, with these
/// effects in all.
macro_rules! goes_on {
    ($db:expr, $flow:ident($($input:expr),*), $effects:expr) => {
        goes_on!($db, $flow($($input),*), $effects, Status::Waiting, Status::Done)
    };
    ($db:expr, $flow:ident($($input:expr),*), $effects:expr, $waits:expr, $ends:expr) => {{
        let (db, world) = ($db, World::new());
        let engine = serve!(db, long, &world);
        let run = engine.start(long::$flow::input($($input),*)).id("x").await.expect("it starts");
        wait_for("it pauses", async || {
            let info = run.info().await.expect("it is there");
            info.status == $waits && info.due.is_some_and(|due| due > jiff::Timestamp::now() + HOUR / 2)
        })
        .await;
        drop(run);
        end(engine).await;
        let before = world.log();
        let engine = serve!(db, short, &world);
        let run = engine.get("x").await.expect("it is there");
        assert_eq!(run.ended().await.expect("it ends").status, $ends);
        let log = world.log();
        assert_eq!(log[..before.len()], before, "nothing was done once more");
        let count = |what: &str| log.iter().filter(|done| *done == what).count();
        let effects: &[(&str, usize)] = &$effects;
        for (what, times) in effects {
            assert_eq!(count(what), *times, "{what}: {log:?}");
        }
        drop(run);
        end(engine).await;
    }};
}

on_each_store! {
    async fn a_shorter_sleep_counts_for_those_that_wait(db) {
        goes_on!(&db, sleeps(), [("a", 1), ("b", 1)]);
    }

    async fn a_shorter_poll_counts_for_those_that_wait(db) {
        goes_on!(&db, polling(), [("a", 1), ("asked", 2), ("b", 1)]);
    }

    async fn a_shorter_retry_counts_for_those_that_wait(db) {
        goes_on!(&db, retrying(), [("a", 1), ("tried", 2), ("b", 1)]);
    }

    async fn a_shorter_pause_before_an_undo_counts_for_those_that_wait(db) {
        let effects = [("did", 1), ("undone", 2)];
        goes_on!(&db, undoing(), effects, Status::Undoing, Status::Undone);
    }

    async fn a_shorter_pause_counts_at_every_depth(db) {
        goes_on!(&db, deep(true), [("a", 1), ("two", 2), ("inner", 2), ("c", 2), ("b", 1)]);
    }

    /// It is what is left of the shorter pause, counted from its beginning, whatever wakes it.
    async fn a_shorter_pause_counts_when_something_else_comes(db) {
        let world = World::new();
        let engine = serve!(&db, long, &world);
        let run = engine.start(long::asks::input()).id("x").await.expect("it starts");
        is(&run, Status::Waiting).await;
        drop(run);
        end(engine).await;
        let engine = serve!(&db, short, &world);
        let run = engine.get("x").await.expect("it is there");
        run.signal_path("both.word", &true).await.expect("it is kept");
        assert_eq!(run.ended().await.expect("done").status, Status::Done);
        assert_eq!(world.log(), ["b"]);
    }

    /// Whose lease seemed to be a pause that has become shorter: so somebody who wanted to recover an execution that had
    /// just failed was told that a worker was at it.
    async fn regression_what_somebody_was_at_was_woken(db) {
        let world = World::new();
        let engine = serve!(&db, long, &world);
        // The newest is compared first.
        for id in ["waits", "held"] {
            let run = engine.start(long::sleeps::input()).id(id).await.expect("it starts");
            is(&run, Status::Waiting).await;
            wait_for("it is put aside", async || run.info().await.expect("there").worker.is_none()).await;
        }
        end(engine).await;
        let store = db.store().await;
        let lease = Acquire {
            id: "held".to_owned(),
            worker: "another".to_owned(),
            lease: 2 * HOUR,
            over: TakeOver::Ended,
        };
        let held = store.acquire(lease).await.expect("an answer");
        assert!(matches!(held, Acquired::Held(_)), "{held:?}");
        let counts: Arc<Counts> = Arc::default();
        let builder = Engine::with_store(Between::counting(store, &counts)).lease(LEASE);
        let engine = serve!(builder builder, short, &world);
        let run = engine.get("waits").await.expect("it is there");
        assert_eq!(run.ended().await.expect("it ends").status, Status::Done);
        assert_eq!(*counts.acquired.lock().unwrap(), ["waits"]);
    }

    /// The wait was begun with the other one, and somebody may rely on its end.
    async fn a_longer_pause_ends_when_it_was_to(db) {
        let world = World::new();
        let engine = serve!(&db, long, &world);
        for (id, run) in [
            ("s", engine.start(long::sleeps::input()).id("s").await.map(drop)),
            ("p", engine.start(long::polling::input()).id("p").await.map(drop)),
            ("r", engine.start(long::retrying::input()).id("r").await.map(drop)),
            ("a", engine.start(long::asks::input()).id("a").await.map(drop)),
        ] {
            run.expect("it starts");
            is(&engine.get(id).await.expect("it is there"), Status::Waiting).await;
        }
        end(engine).await;
        let due = async |engine: &Engine, id: &str| {
            let info = engine.get(id).await.expect("it is there").info().await;
            info.expect("it is there").due
        };
        let engine = serve!(&db, longer, &world);
        engine.compatibility().await.expect("it is told");
        let mut before = Vec::new();
        for id in ["s", "p", "r", "a"] {
            before.push(due(&engine, id).await.expect("it waits"));
        }
        let run = engine.get("a").await.expect("it is there");
        run.signal_path("both.word", &true).await.expect("it is kept");
        wait_for("it is taken", async || {
            run.info().await.expect("it is there").messages_taken == 1
        })
        .await;
        is(&run, Status::Waiting).await;
        for (id, before) in ["s", "p", "r", "a"].into_iter().zip(before) {
            wait_for("it is put aside", async || due(&engine, id).await == Some(before)).await;
            let left = before.duration_since(jiff::Timestamp::now());
            assert!(left.unsigned_abs() < HOUR * 5 / 4, "{id}: {left:#}");
        }
        assert_eq!(engine.count(Filter::new().unfinished()).await.expect("a count"), 4);
    }
}
