//! What is over is not read again when an execution wakes: the rounds of a `loop` before the last one.

use std::{sync::Arc, time::Duration};

use steps::{Status, engine::Engine, prelude::*};

use crate::{
    between::{Between, Counts},
    support::{Db, World, act, failure, is, on_each_store, wait_for},
};

/// Longer than a turn waits for itself.
const PAUSE: Duration = Duration::from_millis(25);

#[flow]
async fn monitor(world: &World, rounds: usize) -> Result<usize, String> {
    steps! {
        watched = loop max 100000 {
            n     = act(cx, world, &(prev.map_or(0, |prev| prev.n.parse::<usize>().unwrap()) + 1).to_string());
            odd   = if n.ends_with('5') { told = act(cx, world, &format!("{n} is odd")); }
            pause = steps::sleep(PAUSE);
        } until n.parse::<usize>().unwrap() >= rounds;
        last = act(cx, world, "last");
    }
    let _ = last;
    Ok(watched.n.parse().unwrap())
}

/// What is told of an execution that is stopped has all rounds.
#[on_stopped(monitor)]
async fn stopped(world: &World, _rounds: &usize, failure: &steps::Failure) -> Result<(), String> {
    let rounds = failure
        .state
        .get("watched")
        .map_or(0, |watched| watched.states.len());
    world
        .act(None, format!("stopped with {rounds} rounds"))
        .await
}

/// Forms in a round that used to need all rounds before: none of them uses `prev`.
#[flow]
async fn forms(world: &World, rounds: usize) -> Result<usize, String> {
    steps! {
        watched = loop max 100000 {
            let n: usize = prev.map_or(0, |prev| prev.n) + 1;
            let found: Option<String> = (n % 2 == 0).then(|| format!("even {n}"));
            even   = if let Some(found) = found { told = act(cx, world, found); }
            each   = for k in [1_u32, 2] by k { item = act(cx, world, &format!("{n} {k}")); }
            nested = flow tell(world, n);
            again  = volatile_number(n);
            #[pivot]
            sent   = act(cx, world, &format!("sent {n}"));
            pause  = steps::sleep(PAUSE);
        } until n >= rounds;
    }
    Ok(watched.n)
}

#[step(volatile)]
async fn volatile_number(n: usize) -> Result<usize, String> {
    Ok(n)
}

#[flow]
async fn tell(world: &World, n: usize) -> Result<usize, String> {
    steps! { counted = act(cx, world, &format!("counted {n}")); }
    let _ = counted;
    Ok(n)
}

#[flow]
async fn asking(world: &World) -> Result<usize, String> {
    steps! {
        asked = loop max 100 {
            go   = steps::signal::<bool>();
            told = act(cx, world, &format!("told {}", prev.map_or(0, |prev| prev.told[5..].parse::<usize>().unwrap()) + 1));
        } until go;
    }
    Ok(asked.told[5..].parse().unwrap())
}

/// Two loops at once, and one within a round of each.
#[flow]
async fn monitors(world: &World, rounds: usize) -> Result<(), String> {
    steps! {
        both = parallel {
            left = loop max 100 {
                a     = act(cx, world, &format!("l{}", prev.map_or(0, |prev| prev.a[1..].parse::<usize>().unwrap()) + 1));
                inner = loop max 100 {
                    b     = act(cx, world, &format!("{a} i{}", prev.map_or(0, |prev| prev.b.rsplit('i').next().unwrap().parse::<usize>().unwrap()) + 1));
                    pause = steps::sleep(PAUSE);
                } until b.ends_with("i3");
            } until a[1..].parse::<usize>().unwrap() >= rounds;
            right = loop max 100 {
                c     = act(cx, world, &format!("r{}", prev.map_or(0, |prev| prev.c[1..].parse::<usize>().unwrap()) + 1));
                pause = steps::sleep(PAUSE);
            } until c[1..].parse::<usize>().unwrap() >= 2 * rounds;
        }
        last = act(cx, world, "last");
    }
    let _ = last;
    Ok(())
}

/// An engine that is one build of a program, and counts the rows that it reads.
async fn engine(db: &Db, world: &Arc<World>, build: &str) -> (Engine, Arc<Counts>) {
    let counts = Arc::default();
    let store = Between::counting(db.store().await, &counts);
    let engine = Engine::with_store(store).build(build);
    let engine = engine
        .serve(monitor::with(Arc::clone(world)))
        .serve(monitors::with(Arc::clone(world)));
    (engine.start().await.unwrap(), counts)
}

fn most(counts: &[usize]) -> usize {
    counts.iter().copied().max().unwrap_or(0)
}

on_each_store! {
    async fn scale_monitor(db) {
        const ROUNDS: usize = 40;
        let world = World::new();
        let (engine, counts) = engine(&db, &world, "one").await;
        let run = engine.start(monitor::input(ROUNDS)).await.unwrap();
        assert_eq!(run.outcome().await.unwrap(), ROUNDS);
        let claimed = counts.claimed.lock().unwrap().clone();
        // A turn that is slow goes on by itself.
        assert!(claimed.len() > ROUNDS / 2, "{claimed:?}");
        // The root, the loop, and two rounds of at most five.
        assert!(most(&claimed) <= 12, "{claimed:?}");
        let tree = run.tree().await.unwrap();
        let rounds = &tree.get("watched").unwrap().states;
        let names: Vec<String> = rounds.iter().map(|round| round.name.to_string()).collect();
        let all: Vec<String> = (1..=ROUNDS).map(|n| n.to_string()).collect();
        assert_eq!(names, all);
        // Undone on request, with all that was over.
        run.undo().await.unwrap();
        is(&run, Status::Undone).await;
        let log = world.log();
        let undone = log.iter().filter(|line| line.starts_with("undo "));
        let undone: Vec<&str> = undone.map(String::as_str).collect();
        let mut acts: Vec<String> = log
            .iter()
            .filter(|line| !line.starts_with("undo "))
            .map(|line| format!("undo {line}"))
            .collect();
        acts.reverse();
        assert_eq!(undone, acts);
    }

    async fn scale_monitor_of_all_forms(db) {
        const ROUNDS: usize = 30;
        let world = World::new();
        let counts: Arc<Counts> = Arc::default();
        let store = Between::counting(db.store().await, &counts);
        let engine = Engine::with_store(store).serve(forms::with(Arc::clone(&world)));
        let engine = engine.start().await.unwrap();
        let run = engine.start(forms::input(ROUNDS)).await.unwrap();
        wait_for("half of the rounds", async || {
            world.log().contains(&format!("sent {}", ROUNDS / 2))
        })
        .await;
        let error = run.undo().await.unwrap_err();
        assert!(error.to_string().contains(".sent` is done"), "{error}");
        assert_eq!(run.outcome().await.unwrap(), ROUNDS);
        let claimed = counts.claimed.lock().unwrap().clone();
        // The root, the loop, and two rounds of at most 16.
        assert!(claimed.len() > ROUNDS / 2 && most(&claimed) <= 34, "{claimed:?}");
        assert!(!world.log().iter().any(|line| line.starts_with("undo ")));
    }

    /// Another process of the same build reads as little; another build reads all once, and compares it.
    async fn scale_monitor_in_other_processes(db) {
        let world = World::new();
        let (one, _) = engine(&db, &world, "one").await;
        one.start(monitor::input(10_000)).id("m").await.unwrap();
        world.saw("12").await;
        one.shutdown(Duration::from_secs(10)).await.unwrap();

        let (one, counts) = engine(&db, &world, "one").await;
        world.saw("16").await;
        one.shutdown(Duration::from_secs(10)).await.unwrap();
        let claimed = counts.claimed.lock().unwrap().clone();
        assert!(most(&claimed) <= 12, "{claimed:?}");
        // An engine that starts compares what waits, once.
        assert!(counts.loaded.lock().unwrap().len() <= 1);

        let (two, counts) = engine(&db, &world, "two").await;
        world.saw("20").await;
        let claimed = counts.claimed.lock().unwrap().clone();
        assert!(most(&claimed) <= 12, "{claimed:?}");
        let loaded = counts.loaded.lock().unwrap().clone();
        let all = loaded.iter().all(|rows| *rows > 3 * 15);
        assert!(all && (1..=2).contains(&loaded.len()), "{loaded:?}");
        // A recovery has the whole tree, too.
        let run = two.execution::<monitor>("m").await.unwrap();
        run.stop_and_wait(Duration::from_secs(10)).await.unwrap();
        let before = run.tree().await.unwrap();
        let rounds = before.get("watched").unwrap().states.len();
        world.saw(&format!("stopped with {rounds} rounds")).await;
        run.recover().await.unwrap();
        world.saw(&(rounds + 2).to_string()).await;
        let mut acts = world.log();
        let all = acts.len();
        acts.sort();
        acts.dedup();
        assert_eq!(acts.len(), all, "each once");
        run.stop_and_wait(Duration::from_secs(10)).await.unwrap();
    }

    async fn scale_monitor_failure_undoes_what_was_left_out(db) {
        let world = World::new();
        world.breaks("last");
        let (engine, _) = engine(&db, &world, "one").await;
        let run = engine.start(monitors::input(4)).await.unwrap();
        let failed = failure(run.outcome().await);
        assert_eq!((failed.step(), failed.status()), (Some("last"), Status::Undone));
        let rounds = |path: &str| failed.state.get(path).unwrap().states.len();
        assert_eq!([rounds("both.left"), rounds("both.left.2.inner"), rounds("both.right")], [4, 3, 8]);
        let log = world.log();
        let at = log.iter().position(|line| line == "last").unwrap();
        let (mut done, mut undone) = (log[..at].to_vec(), log[at + 1..].to_vec());
        assert_eq!(done.len(), 4 * 4 + 8);
        // Each of the two in its own order.
        for branch in ['l', 'r'] {
            let of = |lines: &[String]| -> Vec<String> {
                let lines = lines.iter().map(|line| line.trim_start_matches("undo "));
                lines.filter(|line| line.starts_with(branch)).map(str::to_owned).collect()
            };
            let mut back = of(&undone);
            back.reverse();
            assert_eq!(back, of(&done));
        }
        done.sort();
        undone.sort();
        let expected: Vec<String> = done.iter().map(|line| format!("undo {line}")).collect();
        assert_eq!(undone, expected);
    }

    /// Who sends a signal reads what goes on, and not what is over.
    async fn scale_monitor_takes_signals(db) {
        const ROUNDS: usize = 20;
        let world = World::new();
        let counts: Arc<Counts> = Arc::default();
        let store = Between::counting(db.store().await, &counts);
        let engine = Engine::with_store(store).serve(asking::with(Arc::clone(&world)));
        let engine = engine.start().await.unwrap();
        let run = engine.start(asking::input()).await.unwrap();
        for n in 1..=ROUNDS {
            is(&run, Status::Waiting).await;
            let last = n == ROUNDS;
            run.signal(asking::STEPS.asked.go.any(), &last).await.unwrap();
            let told = format!("told {n}");
            world.saw(&told).await;
            if n == ROUNDS / 2 {
                is(&run, Status::Waiting).await;
                let error = run.signal_path("asked.2.go", &true).await.unwrap_err();
                assert!(error.to_string().contains("`asked.2` is done"), "{error}");
                let error = run.signal_path("asked.77.go", &true).await.unwrap_err();
                assert!(error.to_string().contains("has had 11 rounds so far"), "{error}");
            }
        }
        assert_eq!(run.outcome().await.unwrap(), ROUNDS);
        let opened = counts.opened.lock().unwrap().clone();
        assert!(opened.len() >= ROUNDS && most(&opened) <= 10, "{opened:?}");
        // But for what an engine that starts compares.
        assert!(counts.loaded.lock().unwrap().len() <= 1);
    }

    /// The nodes that were left out count towards the limit.
    async fn scale_monitor_and_the_limit_of_nodes(db) {
        let world = World::new();
        let store = db.store().await;
        let limits = steps::RunLimits::DEFAULT.nodes(100);
        let engine = Engine::with_shared_store(store).limits(limits);
        let engine = engine.serve(monitor::with(Arc::clone(&world))).start().await.unwrap();
        let run = engine.start(monitor::input(10_000)).await.unwrap();
        let failed = failure(run.outcome().await);
        assert!(failed.to_string().contains("the limit is 100"), "{failed}");
        let acts = world.log().iter().filter(|line| !line.starts_with("undo ")).count();
        assert_eq!(world.log().len(), 2 * acts);
        wait_for("the whole tree", async || run.tree().await.unwrap().walk().count() > 90).await;
    }
}
