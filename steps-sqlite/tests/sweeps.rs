//! A process that is killed in the middle of a sweep: what is there is whole, and another goes on.
#![cfg(unix)]

mod common;

use std::time::Duration;

use common::{child, *};
use steps_core::{
    Engine, Json, Status,
    engine::{EngineError, Filter, Retention},
    state::Kind,
    store::{Due, DutySet, ExecutionQuery, NewDuty, NodeRow, SetDuty, Store},
};
use steps_sqlite::SqliteStore;

const EXECUTIONS: u64 = 4000;
const NEWEST: u64 = 10;

fn rule() -> Retention {
    Retention::of(Filter::new()).newest(usize::try_from(NEWEST).expect("a count"))
}

async fn fill(store: &SqliteStore) {
    let writes = (0..EXECUTIONS).map(|n| {
        let mut write = new(&n.to_string(), rest(Due::Never), None);
        let mut root = node("flow");
        (root.kind, root.status) = (Kind::Flow, Status::Done);
        let steps = (1..=5).map(|n| NodeRow::new(n, 0, node("a step")));
        write.nodes = std::iter::once(NodeRow::new(0, 0, root))
            .chain(steps)
            .collect();
        let store = store.clone();
        tokio::spawn(async move { store.write(write).await.unwrap() })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap();
    }
}

async fn count(store: &SqliteStore) -> u64 {
    store.count(ExecutionQuery::default()).await.unwrap()
}

/// Run by a process that is killed.
#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn child_sweeps() {
    let Some(folder) = child::folder() else {
        return;
    };
    let url = format!("sqlite:{}", folder.join("steps.db").display());
    let store = SqliteStore::open(&url).await.unwrap();
    let engine = Engine::with_store(store)
        .retain(rule())
        .start()
        .await
        .unwrap();
    println!("> begins");
    engine.sweep().await.unwrap();
    println!("> has ended");
}

#[tokio::test]
async fn a_killed_sweep_leaves_whole_executions_and_another_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    fill(&store).await;
    let mut process = child::start("child_sweeps", &folder);
    assert_eq!(process.line().as_deref(), Some("begins"));
    while count(&store).await == EXECUTIONS {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    process.child.kill().unwrap();
    assert_eq!(process.rest(), [""; 0], "it had ended before it was killed");
    let left = count(&store).await;
    assert!(
        (NEWEST + 1..EXECUTIONS).contains(&left),
        "it struck in the middle: {left}"
    );
    assert!(store.check().await.unwrap().is_sound());

    // Nobody takes its place before its time is over.
    let engine = Engine::with_store(store.clone())
        .retain(rule())
        .start()
        .await
        .unwrap();
    let error = engine.sweep().await.unwrap_err();
    assert!(matches!(error, EngineError::Sweeping { .. }), "{error}");
    let duty = store.duty("retention".to_owned()).await.unwrap().unwrap();
    let set = SetDuty {
        name: duty.name,
        revision: Some(duty.revision),
        to: Some(NewDuty {
            due: Some(jiff::Timestamp::UNIX_EPOCH),
            value: duty.value,
        }),
        start: Vec::new(),
    };
    assert!(matches!(
        store.set_duty(set).await.unwrap(),
        DutySet::Set(_)
    ));
    let swept = engine.sweep().await.unwrap();
    assert_eq!((swept.deleted(), swept.finished), (left - NEWEST, true));
    assert_eq!(count(&store).await, NEWEST);
    assert!(store.check().await.unwrap().is_sound());
    let null = Json::parse("null").unwrap();
    let duty = store.duty("retention".to_owned()).await.unwrap().unwrap();
    assert_eq!(duty.value, null, "nobody sweeps any more");
}
