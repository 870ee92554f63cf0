//! Executions that a service has begun in a file and ends in a database, moved by the program `steps` while they are
//! at work.

mod common;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{
    cli::{json, refused, steps},
    server::{Server, schema},
};
use steps::{Engine, Status, engine::Builder, prelude::*};

/// What was done, in order, and whether what takes long comes to its end.
#[derive(Clone, Default)]
struct World {
    told: Arc<Mutex<Vec<String>>>,
    goes_on: bool,
}

impl World {
    fn note(&self, what: &str) {
        self.told.lock().unwrap().push(what.to_owned());
    }

    fn count(&self, what: &str) -> usize {
        let told = self.told.lock().unwrap();
        told.iter().filter(|it| *it == what).count()
    }

    /// Takes as long as the process lives, in the first of them.
    async fn takes_long(&self, what: &str) {
        self.note(what);
        if !self.goes_on {
            std::future::pending::<()>().await;
        }
    }
}

#[step]
async fn pack(world: &World, id: &str) -> Result<String, String> {
    world.note(&format!("pack {id}"));
    Ok(format!("box {id}"))
}

#[undo(pack)]
async fn unpack(world: &World, id: &str, _packed: &String) -> Result<(), String> {
    world.takes_long(&format!("unpack {id}")).await;
    Ok(())
}

#[step]
async fn carry(world: &World, what: &str) -> Result<u32, String> {
    world.takes_long(&format!("carry {what}")).await;
    Ok(3)
}

#[step(retry(times = 1000, every = "20ms"))]
async fn ring(world: &World, id: &str) -> Result<(), String> {
    world.note(&format!("ring {id}"));
    if world.goes_on {
        Ok(())
    } else {
        Err("nobody is in".to_owned())
    }
}

#[step]
async fn sign(world: &World, id: &str, by: &str) -> Result<(), String> {
    world.note(&format!("sign {id}"));
    if by == "nobody" {
        return Err("not signed".to_owned());
    }
    Ok(())
}

#[flow]
async fn carried(world: &World, id: String) -> Result<u32, String> {
    steps! {
        packed = pack(world, &id);
        floors = carry(world, &packed);
        by     = steps::signal::<String>();
        signed = sign(world, &id, &by);
    }
    Ok(floors)
}

#[flow]
async fn rung(world: &World, id: String) -> Result<u32, String> {
    steps! {
        packed = pack(world, &id);
        rung   = ring(world, &id);
    }
    let _ = packed;
    Ok(1)
}

#[flow]
async fn awaited(world: &World, id: String) -> Result<String, String> {
    steps! {
        packed = pack(world, &id);
        rest   = steps::sleep("300ms");
        by     = steps::signal::<String>();
        signed = sign(world, &id, &by);
    }
    let _ = packed;
    Ok(by)
}

#[flow]
async fn household(world: &World) -> Result<u32, String> {
    steps! {
        child = start carried("child".to_owned()).id("child");
        floors = join child;
        packed = pack(world, "last");
    }
    let _ = packed;
    Ok(floors)
}

fn serving(builder: Builder, world: &World) -> Builder {
    builder
        .serve(carried::with(world.clone()))
        .serve(rung::with(world.clone()))
        .serve(awaited::with(world.clone()))
        .serve(household::with(world.clone()))
}

async fn until(what: &str, is: impl AsyncFn() -> bool) {
    for _ in 0..4000 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited for: {what}");
}

/// Starts one execution for each place at which one can be when its process ends.
async fn all_are_at_work(engine: &Engine, world: &World) {
    // In the middle of a step, with a signal that came before its time.
    let running = engine.start(carried::input("running".into())).id("running");
    let running = running.label("floor", "5").await.unwrap();
    running
        .signal(carried::STEPS.by, &"ann".to_owned())
        .await
        .unwrap();
    // Between two attempts.
    let retrying = engine.start(rung::input("retrying".into())).id("retrying");
    retrying.await.unwrap();
    // Waits for a signal, after a sleep; in the middle of an undo; in a sleep.
    for id in ["waiting", "undoing", "sleeping"] {
        let run = engine.start(awaited::input(id.into())).id(id);
        let run = run.await.unwrap();
        if id == "undoing" {
            run.signal(awaited::STEPS.by, &"nobody".to_owned())
                .await
                .unwrap();
        }
        if id != "sleeping" {
            let told = async || match id {
                "undoing" => world.count("unpack undoing") == 1,
                _ => run
                    .tree()
                    .await
                    .unwrap()
                    .get("rest")
                    .is_some_and(|it| it.status == Status::Done),
            };
            until(id, told).await;
        }
    }
    // Waits for a child.
    engine
        .start(household::input())
        .id("household")
        .await
        .unwrap();
    until("all are at work", async || {
        let all = [
            "carry box running",
            "ring retrying",
            "pack sleeping",
            "carry box child",
        ];
        all.iter().all(|what| world.count(what) > 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_work_in_a_file_comes_to_its_end_in_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("steps.db");
    let from = format!("sqlite:{}", file.display());
    let to = format!("{}&schema={}", Server::shared().url(), schema());
    let world = World::default();
    let engine = serving(Engine::open(&from).await.unwrap(), &world);
    let engine = engine.start().await.unwrap();

    all_are_at_work(&engine, &world).await;
    // Given up in the middle, as when its process is ended.
    engine.shutdown(Duration::ZERO).await.unwrap();

    let dump = folder.path().join("all.jsonl");
    let dump = dump.to_str().unwrap();
    json(&from, &["export", "-o", dump]);
    let missing = steps(&to, &["import", dump, "--yes"]);
    refused(&missing, 3, "there is no store in it");
    let imported = json(&to, &["import", dump, "--yes", "--create"]);
    assert_eq!(imported[0]["imported"], 7);

    let later = World {
        goes_on: true,
        ..world.clone()
    };
    let engine = serving(Engine::open(&to).await.unwrap(), &later);
    let engine = engine.start().await.unwrap();
    let running = engine.execution::<carried>("running").await.unwrap();
    assert_eq!(running.outcome().await.unwrap(), 3);
    assert_eq!(running.info().await.unwrap().labels["floor"], "5");
    let household = engine.execution::<household>("household").await.unwrap();
    engine
        .execution::<carried>("child")
        .await
        .unwrap()
        .signal(carried::STEPS.by, &"bob".to_owned())
        .await
        .unwrap();
    assert_eq!(household.outcome().await.unwrap(), 3);
    for id in ["waiting", "sleeping"] {
        let run = engine.execution::<awaited>(id).await.unwrap();
        run.signal(awaited::STEPS.by, &"bob".to_owned())
            .await
            .unwrap();
        assert_eq!(run.outcome().await.unwrap(), "bob");
    }
    let retried = engine.execution::<rung>("retrying").await.unwrap();
    assert_eq!(retried.outcome().await.unwrap(), 1);
    let undone = engine.get("undoing").await.unwrap();
    until("undone", async || {
        undone.status().await.unwrap() == Status::Undone
    })
    .await;

    // What was done stays done; what was under way was begun again.
    for id in [
        "running", "retrying", "waiting", "undoing", "sleeping", "child", "last",
    ] {
        assert_eq!(world.count(&format!("pack {id}")), 1, "{id}");
    }
    assert_eq!(world.count("carry box running"), 2);
    assert_eq!(world.count("unpack undoing"), 2);
    assert_eq!(world.count("unpack running"), 0);
    // The file is as it was.
    let left = json(&from, &["count", "unfinished=true"]);
    assert_eq!(left[0]["count"], 7);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}
