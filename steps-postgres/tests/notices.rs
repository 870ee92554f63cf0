//! What one process leaves is heard by the others: with a poll of an hour, nothing else could find it.

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    connect,
    deaf::Deaf,
    proxy::Proxy,
    server::{Server, schema},
    writes::{created, due, held, step},
};
use futures_util::StreamExt;
use sqlx::{AssertSqlSafe, PgConnection};
use steps::{Engine, Status, prelude::*};
use steps_core::store::{Child, Due, Notice, Notices, Store, Target};
use steps_postgres::{PostgresOptions, PostgresStore};
use tokio::sync::Semaphore;

const HOUR: Duration = Duration::from_hours(1);

/// How long a test waits for what only a notice can bring about. On a slow machine it takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

#[step]
async fn announce(name: &str, by: &str) -> Result<String, String> {
    Ok(format!("{name}, says {by}"))
}

#[flow]
async fn approve(name: String) -> Result<String, String> {
    steps! {
        by = steps::signal::<String>();
        text = announce(&name, &by);
    }
    Ok(text)
}

/// What holds a step up.
#[derive(Clone)]
struct Gate {
    opens: Arc<Semaphore>,
    begun: Arc<Semaphore>,
}

#[step]
async fn work(gate: &Gate) -> Result<(), String> {
    gate.begun.add_permits(1);
    let opens = gate.opens.acquire().await;
    opens.map_err(|error| error.to_string())?.forget();
    Ok(())
}

#[step]
async fn open(gate: &Gate, by: &str) -> Result<String, String> {
    gate.opens.add_permits(1);
    Ok(by.to_owned())
}

/// It is held until its signal comes.
#[flow]
async fn guarded(gate: &Gate) -> Result<String, String> {
    steps! {
        all = parallel {
            worked = work(gate);
            by = steps::signal::<String>();
            opened = open(gate, &by);
        }
    }
    Ok(all.opened)
}

fn url(schema: &str) -> String {
    format!("{}&schema={schema}", Server::shared().url())
}

/// An engine that does what others have left, if it hears of it.
async fn worker(schema: &str) -> Engine {
    let builder = Engine::open(&url(schema)).await.unwrap();
    let builder = builder.poll(HOUR).lease(HOUR);
    builder.serve(approve::with()).start().await.unwrap()
}

/// An engine that does nothing by itself, as that of another process that only starts and signals.
async fn client(schema: &str) -> Engine {
    let builder = Engine::open(&url(schema)).await.unwrap();
    builder.start().await.unwrap()
}

async fn becomes(engine: &Engine, id: &str, status: Status) {
    let waits = async {
        loop {
            let handle = engine.get(id).await.unwrap();
            if handle.info().await.unwrap().status == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waits).await;
    waited.unwrap_or_else(|_| panic!("{id} does not become {status}"));
}

async fn end(engines: impl IntoIterator<Item = Engine>) {
    for engine in engines {
        engine.shutdown(Duration::from_secs(5)).await.unwrap();
    }
}

/// The connections of the server that listen for a schema.
async fn listeners(conn: &mut PgConnection, schema: &str) -> Vec<i32> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND query LIKE $1";
    let sql = sqlx::query_scalar(sql).bind(format!("%\"{schema}\"%"));
    sql.fetch_all(conn).await.unwrap()
}

async fn store(schema: &str) -> PostgresStore {
    PostgresStore::open(&url(schema)).await.unwrap()
}

async fn next(notices: &mut Notices) -> Notice {
    let next = tokio::time::timeout(PATIENCE, notices.next()).await;
    next.expect("a notice").expect("the store is open")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_and_a_signal_of_another_process_are_heard() {
    let schema = schema();
    let engines = [worker(&schema).await, client(&schema).await];
    let run = engines[1].start(approve::input("web".into())).id("web");
    let run = run.await.unwrap();
    becomes(&engines[1], "web", Status::Waiting).await;
    let by = "ann".to_owned();
    run.signal(approve::STEPS.by, &by).await.unwrap();
    becomes(&engines[1], "web", Status::Done).await;
    assert_eq!(run.outcome().await.unwrap(), "web, says ann");
    end(engines).await;
}

/// Its holder would ask for messages every twenty minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_for_what_runs_in_another_process_is_heard() {
    let schema = schema();
    let gate = Gate {
        opens: Arc::new(Semaphore::new(0)),
        begun: Arc::new(Semaphore::new(0)),
    };
    let builder = Engine::open(&url(&schema)).await.unwrap();
    let builder = builder.poll(HOUR).lease(HOUR);
    let builder = builder.serve(guarded::with(gate.clone()));
    let engines = [builder.start().await.unwrap(), client(&schema).await];
    let run = engines[0].start(guarded::input()).id("run").await.unwrap();
    gate.begun.acquire().await.unwrap().forget();
    let other = engines[1].execution::<guarded>("run").await.unwrap();
    let by = "ann".to_owned();
    other.signal(guarded::STEPS.all.by, &by).await.unwrap();
    let done = tokio::time::timeout(PATIENCE, run.outcome()).await;
    assert_eq!(done.expect("it has the signal").unwrap(), "ann");
    end(engines).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_whose_connection_was_ended_connects_again() {
    let schema = schema();
    let engines = [worker(&schema).await, client(&schema).await];
    let mut conn = connect().await;
    for round in 0..3 {
        let listening = loop {
            // Only what serves a flow listens.
            match &*listeners(&mut conn, &schema).await {
                [one] => break *one,
                [] => tokio::time::sleep(Duration::from_millis(10)).await,
                several => panic!("{several:?}"),
            }
        };
        let name = format!("run {round}");
        let run = engines[1].start(approve::input(name.clone())).id(&name);
        let run = run.await.unwrap();
        becomes(&engines[1], &name, Status::Waiting).await;
        let end = sqlx::query("SELECT pg_terminate_backend($1)").bind(listening);
        end.execute(&mut conn).await.unwrap();
        // It is sent while nobody listens, or nearly so.
        run.signal(approve::STEPS.by, &name).await.unwrap();
        becomes(&engines[1], &name, Status::Done).await;
        let now = listeners(&mut conn, &schema).await;
        assert!(!now.contains(&listening), "{now:?}");
    }
    end(engines).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_says_when_it_hears_nothing_any_more() {
    let schema = schema();
    let (first, second) = (store(&schema).await, store(&schema).await);
    let mut notices = first.notices();
    assert_eq!(next(&mut notices).await, Notice::Listening);
    let mut late = first.notices();
    assert_eq!(next(&mut late).await, Notice::Listening);
    second.write(due("id")).await.unwrap();
    let flow = "flow".to_owned();
    assert_eq!(next(&mut notices).await, Notice::Due { flow });
    let mut conn = connect().await;
    for pid in listeners(&mut conn, &schema).await {
        let end = sqlx::query("SELECT pg_terminate_backend($1)").bind(pid);
        end.execute(&mut conn).await.unwrap();
    }
    assert_eq!(next(&mut notices).await, Notice::Deaf);
    assert_eq!(next(&mut notices).await, Notice::Listening);
    first.close().await.unwrap();
    assert_eq!(notices.next().await, None);
    assert_eq!(first.notices().next().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_dropped_listens_no_more() {
    let schema = schema();
    let mut conn = connect().await;
    let store = store(&schema).await;
    let mut notices = store.notices();
    assert_eq!(next(&mut notices).await, Notice::Listening);
    assert_eq!(listeners(&mut conn, &schema).await.len(), 1);
    drop(store);
    assert_eq!(notices.next().await, None);
    let ended = async {
        while !listeners(&mut conn, &schema).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
}

/// As behind a pooler: a `LISTEN` succeeds, and nothing comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_that_passes_no_notifications_on_the_store_is_asked() {
    let schema = schema();
    let proxy = Proxy::start(Server::shared().folder(), Deaf::default()).await;
    let url = format!("{}&schema={schema}", proxy.url());
    let builder = Engine::open(&url).await.unwrap().serve(approve::with());
    let engines = [builder.start().await.unwrap(), client(&schema).await];
    let run = engines[1].start(approve::input("web".into())).id("web");
    let run = run.await.unwrap();
    becomes(&engines[1], "web", Status::Waiting).await;
    run.signal(approve::STEPS.by, &"ann".to_owned())
        .await
        .unwrap();
    becomes(&engines[1], "web", Status::Done).await;
    let options = PostgresOptions::from_url(&url).unwrap();
    let store = options.open().await.unwrap();
    let mut notices = store.notices();
    while proxy.between().kept_back() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let none = tokio::time::timeout(Duration::from_secs(1), notices.next()).await;
    assert!(none.is_err(), "{none:?}");
    end(engines).await;
}

/// A transaction with a notification would wait for all others that have one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_steps_tell_nobody() {
    let schema = schema();
    let (other, store) = (store(&schema).await, store(&schema).await);
    let mut notices = other.notices();
    assert_eq!(next(&mut notices).await, Notice::Listening);
    let lease = created(store.write(held("id")).await.unwrap());
    store.write(step(lease, 1, "a")).await.unwrap();
    let mut last = step(lease, 2, "b");
    last.then = due("id").then;
    last.children = vec![Child {
        new: match due("child").target {
            Target::New(new) => *new,
            Target::Held(_) => unreachable!("it is a new one"),
        },
        nodes: Vec::new(),
        due: Due::Now,
    }];
    store.write(last).await.unwrap();
    // Notifications come in the order of the commits.
    let mut conn = connect().await;
    let last = format!("SELECT pg_notify('{schema}', 'due last')");
    let last = sqlx::raw_sql(AssertSqlSafe(last));
    last.execute(&mut conn).await.unwrap();
    let flow = "last".to_owned();
    assert_eq!(next(&mut notices).await, Notice::Due { flow });
    for store in [store, other] {
        store.close().await.unwrap();
    }
}
