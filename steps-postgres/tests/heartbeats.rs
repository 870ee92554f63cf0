//! Heartbeats for all that a worker holds: what they change, and what becomes of a worker that has none any more.

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::{
    server::{Server, schema},
    writes::{claim, created, held},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use steps_core::store::{
    Claim, FlowClaim, Lease, Message, Queue, Renew, Renewal, SendMessage, Store,
};
use steps_postgres::{PostgresOptions, PostgresStore};

async fn open(schema: &str) -> PostgresStore {
    let options = PostgresOptions::from_url(&Server::shared().url()).unwrap();
    options.schema(schema).open().await.unwrap()
}

async fn many(store: &PostgresStore, count: usize) -> Vec<(Lease, i64)> {
    let made = (0..count).map(|n| async move {
        let written = store.write(held(&n.to_string())).await.unwrap();
        (created(written), 0)
    });
    futures_util::future::join_all(made).await
}

async fn beat(store: &PostgresStore, held: &[(Lease, i64)], lease: Duration) -> Vec<Renewal> {
    let renew = Renew {
        all_of: Some("worker".to_owned()),
        ..Renew::some(lease, held.to_vec())
    };
    store.renew(renew).await.unwrap()
}

/// Returns the first column of each row, by the second.
async fn rows(sql: String) -> BTreeMap<String, String> {
    let mut conn = PgConnection::connect(&Server::shared().url())
        .await
        .unwrap();
    let rows: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(&mut conn)
        .await
        .unwrap();
    rows.into_iter().map(|(value, of)| (of, value)).collect()
}

/// Returns which transaction has changed each execution last, by its id.
async fn changed_by(schema: &str) -> BTreeMap<String, String> {
    rows(format!("SELECT xmin::text, id FROM {schema}.executions")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_changes_no_execution_but_those_with_news() {
    const LEASE: Duration = Duration::from_mins(1);
    let schema = schema();
    let store = open(&schema).await;
    let held = many(&store, 50).await;
    let is_held = |renewal: &Renewal| matches!(renewal, Renewal::Held(_));
    assert!(beat(&store, &held, LEASE).await.iter().all(is_held));
    let told = changed_by(&schema).await;
    for _ in 0..3 {
        assert!(beat(&store, &held, LEASE).await.iter().all(is_held));
    }
    assert_eq!(changed_by(&schema).await, told, "no row was written");
    let message = SendMessage {
        id: "7".to_owned(),
        message: Message::Stop,
        if_status: Vec::new(),
        if_taken: None,
        queue: Queue::Replace,
    };
    store.send(message).await.unwrap();
    let came = beat(&store, &held, LEASE).await;
    for (number, renewal) in came.iter().enumerate() {
        let Renewal::Held(messages) = renewal else {
            panic!("{number} is lost");
        };
        assert_eq!(messages.len(), usize::from(number == 7), "{number}");
    }
    let mut now = changed_by(&schema).await;
    assert_ne!(now.get("7"), told.get("7"));
    now.insert("7".to_owned(), told["7"].clone());
    assert_eq!(now, told, "only that row was written");
    store.close().await.unwrap();
}

/// More than one claim frees at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_a_dead_worker_held_is_taken_over_and_nothing_is_left_of_it() {
    const MANY: usize = 1_234;
    let schema = schema();
    let dead = open(&schema).await;
    let held = many(&dead, MANY).await;
    beat(&dead, &held, Duration::from_millis(300)).await;
    let there = rows(format!("SELECT name, key::text FROM {schema}.workers")).await;
    assert!(there.values().eq(["worker"]), "{there:?}");
    dead.close().await.unwrap();

    let store = open(&schema).await;
    let mut taken = BTreeMap::new();
    while taken.len() < MANY {
        let mut claim = Claim {
            worker: "heir".to_owned(),
            limit: 500,
            ..claim()
        };
        claim.flows[0] = FlowClaim {
            limit: 500,
            ..claim.flows[0].clone()
        };
        let claimed = store.claim(claim).await.unwrap();
        if claimed.taken.is_empty() {
            let next = claimed.next_due.expect("something is held");
            let wait = Duration::try_from(next.duration_since(claimed.now));
            tokio::time::sleep(wait.unwrap_or_default().min(Duration::from_millis(50))).await;
        }
        for it in claimed.taken {
            assert_eq!(it.previous_worker.as_deref(), Some("worker"));
            assert_eq!(taken.insert(it.info.id, it.lease.fence), None, "taken once");
        }
    }
    assert!(taken.values().all(|fence| *fence == 2));
    // It is forgotten by the next claim, at the latest.
    store.claim(claim()).await.unwrap();
    for table in ["workers", "recalls"] {
        let left = rows(format!("SELECT count(*)::text, '' FROM {schema}.{table}")).await;
        assert_eq!(left[""], "0", "{table}");
    }
    store.close().await.unwrap();
}
