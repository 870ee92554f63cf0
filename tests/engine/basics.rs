//! Starting, waiting for the end, and going on.

use std::{sync::Arc, time::Duration};

use steps::{
    Cause, Engine, Status,
    engine::{Builder, EngineError},
    prelude::*,
    sqlite::SqliteStore,
    store::{ErrorKind, ExecutionQuery, MemoryStore, Store, StoreError},
};

const LONG: Duration = Duration::from_secs(20);

#[step]
async fn double(n: u32) -> Result<u32, String> {
    Ok(2 * n)
}

#[step]
async fn fail_on(n: u32, bad: u32) -> Result<u32, String> {
    if n == bad {
        return Err(format!("{n} is bad"));
    }
    Ok(n)
}

#[undo(double)]
async fn halve(_n: u32, _doubled: &u32) -> Result<(), String> {
    Ok(())
}

#[flow]
async fn quadruple(n: u32, bad: u32) -> Result<u32, String> {
    steps! {
        twice   = double(n);
        checked = fail_on(twice, bad);
        again   = double(checked);
    }
    Ok(again)
}

#[flow]
async fn approved(n: u32) -> Result<u32, String> {
    steps! {
        twice  = double(n);
        factor = steps::signal::<u32>();
        pause  = steps::sleep(Duration::from_millis(60));
    }
    Ok(twice * factor)
}

async fn engine() -> Engine {
    let engine = Engine::with_store(MemoryStore::new())
        .serve(quadruple::with())
        .serve(approved::with())
        .start();
    engine.await.expect("it starts")
}

#[tokio::test]
async fn an_execution_runs_to_its_end() {
    let engine = engine().await;
    let run = engine
        .start(quadruple::input(3, 0))
        .id("a")
        .await
        .expect("it starts");
    assert_eq!(run.outcome().await.expect("it is done"), 12);
    assert_eq!(run.outcome().await.expect("it is still done"), 12);
    let state = run.state().await.expect("it is there");
    assert_eq!(state.twice.output().expect("a number"), Some(6));
    assert_eq!(state.execution_status(), Status::Done);
}

#[tokio::test]
async fn a_failure_is_undone_and_told() {
    let engine = engine().await;
    let run = engine
        .start(quadruple::input(3, 6))
        .await
        .expect("it starts");
    let Err(EngineError::Failed { failure, .. }) = run.outcome().await else {
        panic!("it fails")
    };
    assert_eq!(failure.step(), Some("checked"));
    assert_eq!(failure.status(), Status::Undone);
    // Told by the store alone, it is the same.
    let Err(EngineError::Failed { failure: again, .. }) = run.outcome().await else {
        panic!("it has failed")
    };
    assert_eq!(again.to_string(), failure.to_string());
}

#[tokio::test]
async fn the_same_id_is_the_same_execution() {
    let engine = engine().await;
    let start = |n| engine.start(quadruple::input(n, 0)).id("req-42");
    assert_eq!(
        start(1)
            .await
            .expect("it starts")
            .outcome()
            .await
            .expect("done"),
        4
    );
    assert_eq!(
        start(1)
            .await
            .expect("it is there")
            .outcome()
            .await
            .expect("done"),
        4
    );
    let other = start(2).await.expect_err("another input");
    assert!(matches!(other, EngineError::OtherInput { .. }), "{other}");
    let flow = engine
        .start(approved::input(1))
        .id("req-42")
        .await
        .expect_err("another flow");
    assert!(matches!(flow, EngineError::OtherFlow { .. }), "{flow}");
}

#[tokio::test]
async fn a_signal_goes_on_with_it() {
    let engine = engine().await;
    let run = engine.start(approved::input(4)).await.expect("it starts");
    run.signal(approved::STEPS.factor, &5)
        .await
        .expect("it is kept");
    assert_eq!(run.outcome().await.expect("done"), 40);

    // One that has been put aside.
    let run = engine.start(approved::input(4)).await.expect("it starts");
    while run.status().await.expect("it is there") != Status::Waiting {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    run.signal(approved::STEPS.factor, &6)
        .await
        .expect("it is kept");
    assert_eq!(run.outcome().await.expect("done"), 48);
}

#[tokio::test]
async fn it_is_stopped_and_recovered_and_undone() {
    let engine = engine().await;
    let run = engine.start(approved::input(4)).await.expect("it starts");
    let status = run
        .stop_and_wait(Duration::from_secs(5))
        .await
        .expect("it stops");
    assert_eq!(status, Status::Stopped);
    run.recover().await.expect("it goes on");
    run.signal(approved::STEPS.factor, &5)
        .await
        .expect("it is kept");
    assert_eq!(run.outcome().await.expect("done"), 40);
    run.undo().await.expect("it can be undone");
    let Err(EngineError::Failed { failure, .. }) = run.outcome().await else {
        panic!("it is undone")
    };
    assert!(matches!(failure.cause, Cause::Undone), "{failure}");
}

#[tokio::test]
async fn another_engine_takes_over() {
    let store = MemoryStore::new();
    let first = Engine::with_store(store.clone())
        .serve(approved::with())
        .lease(Duration::from_millis(100))
        .start()
        .await
        .expect("it starts");
    let id = first
        .start(approved::input(4))
        .await
        .expect("it starts")
        .id()
        .to_owned();
    drop(first);
    let second = Engine::with_store(store)
        .serve(approved::with())
        .start()
        .await
        .expect("it starts");
    let run = second.execution::<approved>(id).await.expect("it is there");
    run.signal(approved::STEPS.factor, &5)
        .await
        .expect("it is kept");
    assert_eq!(run.outcome().await.expect("done"), 40);
}

#[tokio::test]
async fn claim_memory_clone() {
    let memory = MemoryStore::new();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}/steps.db", folder.path().display());
    let sqlite = SqliteStore::open(&url).await.expect("it opens");
    let shared: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let engines: [Box<dyn Fn() -> Builder>; 3] = [
        Box::new(|| Engine::with_store(memory.clone())),
        Box::new(|| Engine::with_store(sqlite.clone())),
        Box::new(|| Engine::with_shared_store(shared.clone())),
    ];
    for engine in engines {
        let start = async || {
            engine()
                .serve(approved::with())
                .start()
                .await
                .expect("it starts")
        };
        let (first, second) = (start().await, start().await);
        let ended = first.clone();
        first.shutdown(LONG).await.expect("it ends");
        assert!(matches!(
            ended.start(approved::input(4)).await,
            Err(EngineError::Closed)
        ));
        let run = second.start(approved::input(4)).await.expect("it starts");
        run.signal(approved::STEPS.factor, &5).await.expect("kept");
        assert_eq!(run.outcome().await.expect("done"), 40);
        let id = run.id().to_owned();
        second.shutdown(LONG).await.expect("it ends");
        let third = start().await;
        third.get(id).await.expect("it is there");
        third.shutdown(LONG).await.expect("it ends");
    }
    // Each handle is closed by itself, and the file with the last.
    let clone = sqlite.clone();
    sqlite.close().await.expect("it closes");
    let query = ExecutionQuery::default;
    let closed = |result: Result<u64, StoreError>| result.map_err(|error| error.kind());
    assert_eq!(closed(sqlite.count(query()).await), Err(ErrorKind::Closed));
    assert_eq!(closed(clone.count(query()).await), Ok(1));
    assert!(sqlite.close().await.is_err(), "it is closed");
    clone.close().await.expect("it closes");
    let late = sqlite.clone();
    assert_eq!(closed(late.count(query()).await), Err(ErrorKind::Closed));
    assert_eq!(closed(memory.count(query()).await), Ok(1));
}

#[flow]
async fn naps(n: u32) -> Result<u32, String> {
    steps! {
        pause = steps::sleep(Duration::from_millis(50));
        twice = double(n);
    }
    let () = pause;
    Ok(twice)
}

#[tokio::test]
async fn regression_an_outcome_was_heard_only_when_the_store_was_asked_again() {
    let engine = Engine::with_store(MemoryStore::new())
        .serve(naps::with())
        .poll(Duration::from_hours(1))
        .start();
    let engine = engine.await.expect("it starts");
    let run = engine.start(naps::input(3)).await.expect("it starts");
    let told = tokio::time::timeout(Duration::from_mins(1), run.outcome());
    assert_eq!(told.await.expect("told at once").expect("done"), 6);
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Unreadable {
    #[serde(rename(serialize = "written", deserialize = "read"))]
    n: u32,
}

#[flow]
async fn unreadable(input: Unreadable) -> Result<u32, String> {
    steps! {
        twice = double(input.n);
    }
    Ok(twice)
}

#[tokio::test]
async fn regression_an_input_that_could_not_be_read_back_was_told_as_a_shutdown() {
    let engine = Engine::with_store(MemoryStore::new()).serve(unreadable::with());
    let engine = engine.start().await.expect("it starts");
    let start = engine.start(unreadable::input(Unreadable { n: 1 })).id("a");
    let error = start.await.expect_err("it can't begin");
    assert!(
        matches!(&error, EngineError::InvalidValue { id, .. } if id == "a"),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "execution `a`: its input can't be saved as JSON: field `input`: `Unreadable` is written as \
         `{\"written\":1}`, which can't be read back: missing field `read` at line 1 column 13"
    );
    let error = engine.get("a").await.expect_err("nothing was made");
    assert!(matches!(error, EngineError::Unknown { .. }), "{error}");
}
