//! Transactions of steps, as the store makes them: against those who take an execution over, and beside the store's own
//! calls.

mod common;

use std::{any::Any, sync::Arc, time::Duration};

use common::{
    server::{Server, schema},
    writes::{created, due, held, step},
};
use sqlx::{AssertSqlSafe, PgConnection};
use steps_core::{
    Json, Status,
    store::{
        Abandoned, Acquire, Acquired, BoxFuture, ErrorKind, ExecutionQuery, InTransaction, Lease,
        LeaseAfter, NodeRow, Store, TakeOver, Target, Transacted, Write,
    },
};
use steps_postgres::{PostgresOptions, PostgresStore};
use tokio::sync::Notify;

/// Inserts a row, says so, and ends when it is told to.
#[derive(Clone)]
struct Inserts {
    schema: String,
    inserted: Arc<Notify>,
    ends: Arc<Notify>,
}

impl Inserts {
    async fn new(store: &PostgresStore, schema: &str) -> Self {
        let made = format!("CREATE TABLE \"{schema}\".own (n bigint)");
        let made = sqlx::raw_sql(AssertSqlSafe(made)).execute(store.pool());
        made.await.unwrap();
        Self {
            schema: schema.to_owned(),
            inserted: Arc::default(),
            ends: Arc::default(),
        }
    }

    async fn rows(&self, store: &PostgresStore, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM \"{}\".{table}", self.schema);
        let count = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(store.pool());
        count.await.unwrap()
    }
}

impl InTransaction for Inserts {
    fn run<'t>(
        self: Box<Self>,
        connection: &'t mut (dyn Any + Send),
    ) -> BoxFuture<'t, Result<Option<Json>, Abandoned>>
    where
        Self: 't,
    {
        Box::pin(async move {
            let connection: &mut PgConnection = connection.downcast_mut().unwrap();
            let insert = format!("INSERT INTO \"{}\".own VALUES (1)", self.schema);
            let inserted = sqlx::raw_sql(AssertSqlSafe(insert)).execute(connection);
            inserted.await.unwrap();
            self.inserted.notify_one();
            self.ends.notified().await;
            Ok(None)
        })
    }
}

async fn open(schema: &str, connections: u32) -> PostgresStore {
    let url = format!("{}&schema={schema}", Server::shared().url());
    let options = PostgresOptions::from_url(&url).unwrap();
    options.connections(connections).open().await.unwrap()
}

async fn take(store: &PostgresStore, id: &str) -> Lease {
    let acquire = Acquire {
        id: id.to_owned(),
        worker: "another".to_owned(),
        lease: Duration::from_mins(1),
        over: TakeOver::Any,
    };
    match store.acquire(acquire).await.unwrap() {
        Acquired::Held(taken) => taken.lease,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_outrun_in_the_middle_of_it_commits_nothing() {
    let schema = schema();
    let (store, rival) = (open(&schema, 4).await, open(&schema, 4).await);
    let work = Inserts::new(&store, &schema).await;
    let lease = created(store.write(held("a")).await.unwrap());
    let transacting = store.transact(lease, "t".to_owned(), Box::new(work.clone()));
    let taken = async {
        work.inserted.notified().await;
        let taken = take(&rival, "a").await;
        work.ends.notify_one();
        taken
    };
    let (transacted, taken) = tokio::join!(transacting, taken);
    assert_eq!(transacted.unwrap_err().kind(), ErrorKind::Fenced);
    assert_eq!(
        work.rows(&store, "own").await,
        0,
        "what the step had done is gone"
    );
    assert_eq!(rival.transacted(taken, "t".to_owned()).await.unwrap(), None);
}

/// A call that was dropped as it was committing is in the database, or will never be, once that is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_has_committed_or_never_does() {
    /// In the first round it is dropped before it can have done anything, in the last one it has all the time it needs.
    const ROUNDS: u64 = 60;
    let schema = schema();
    let store = open(&schema, 4).await;
    let work = Inserts::new(&store, &schema).await;
    let mut both = [0, 0];
    for round in 0..ROUNDS {
        let lease = created(store.write(held(&format!("e{round}"))).await.unwrap());
        let before = work.rows(&store, "own").await;
        work.ends.notify_one();
        let call = store.transact(lease, "t".to_owned(), Box::new(work.clone()));
        let patience = match round + 1 {
            ROUNDS => Duration::from_mins(1),
            _ => Duration::from_micros(100 * round),
        };
        let dropped = tokio::time::timeout(patience, call).await;
        if let Ok(transacted) = dropped {
            assert_eq!(transacted.unwrap(), Transacted::Committed);
        }
        let found = store
            .transacted(lease, "t".to_owned())
            .await
            .unwrap()
            .is_some();
        let rows = work.rows(&store, "own").await - before;
        assert_eq!(rows, i64::from(found), "round {round}");
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(
            work.rows(&store, "own").await - before,
            rows,
            "it came later"
        );
        both[usize::from(found)] += 1;
        // What was not used up of it.
        let _ = tokio::time::timeout(Duration::ZERO, work.ends.notified()).await;
    }
    assert!(
        both.iter().all(|count| *count > 0),
        "each has happened: {both:?}"
    );
}

/// Wherever it is dropped, the connection that it had is in no transaction when the next call gets it: what that call
/// has written is there for all.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_dropped_call_is_committed() {
    let schema = schema();
    let (store, other) = (open(&schema, 1).await, open(&schema, 1).await);
    let work = Inserts::new(&other, &schema).await;
    let mut polls = 0;
    let mut is_over = false;
    while !is_over {
        let id = format!("e{polls}");
        let lease = created(other.write(held(&id)).await.unwrap());
        work.ends.notify_one();
        let mut call = store.transact(lease, "t".to_owned(), Box::new(work.clone()));
        for _ in 0..polls {
            if futures_util::poll!(&mut call).is_ready() {
                is_over = true;
                break;
            }
            // Until the server has answered.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(call);
        store.write(step(lease, 1, "a")).await.unwrap();
        let found = other.load(id).await.unwrap().unwrap();
        assert_eq!(found.nodes.len(), 1, "dropped after {polls} polls");
        let _ = tokio::time::timeout(Duration::ZERO, work.ends.notified()).await;
        polls += 1;
    }
    // At the least before it had begun, and while it did.
    assert!(polls > 1, "it was dropped {polls} times");
    for store in [store, other] {
        store.close().await.unwrap();
    }
}

/// However many transactions wait, the store has connections for its own calls.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_leave_connections_to_the_store() {
    let schema = schema();
    let store = open(&schema, 4).await;
    let work = Inserts::new(&store, &schema).await;
    let mut leases = Vec::new();
    for n in 0..8 {
        leases.push(created(store.write(held(&format!("e{n}"))).await.unwrap()));
    }
    let all = leases.iter().map(|lease| {
        let work = Box::new(work.clone());
        store.transact(*lease, "t".to_owned(), work)
    });
    let all = futures_util::future::join_all(all);
    let own = async {
        work.inserted.notified().await;
        for (n, lease) in (1..).zip(&leases) {
            store.write(step(*lease, n, "s")).await.unwrap();
        }
        store.write(due("another")).await.unwrap();
        loop {
            work.ends.notify_one();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let all = async {
        tokio::select! {
            all = all => all,
            () = own => unreachable!("it goes on"),
        }
    };
    let all = tokio::time::timeout(Duration::from_mins(1), all).await;
    let all = all.expect("no deadlock");
    for transacted in all {
        assert_eq!(transacted.unwrap(), Transacted::Committed);
    }
    assert_eq!(work.rows(&store, "transactions").await, 8);
    // They go with their executions.
    for lease in leases {
        let mut root = steps_core::State::default();
        root.status = Status::Done;
        let then = LeaseAfter::Release {
            due: steps_core::store::Due::Never,
            last_message: 0,
        };
        let mut end = Write::new(Target::Held(lease), then);
        end.nodes.push(NodeRow::new(0, 0, root));
        store.write(end).await.unwrap();
    }
    assert_eq!(store.delete(ExecutionQuery::default()).await.unwrap(), 8);
    assert_eq!(work.rows(&store, "transactions").await, 0);
}
