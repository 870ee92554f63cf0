//! What workers cost a server that have nothing to do but to live: heartbeats for what they hold, and looking for work.
//! `cargo bench -p steps-postgres-tests --bench heartbeats`; it takes about two minutes, and needs Linux.
//!
//! * **Heartbeats**: as many stores as workers, each with a connection of its own, hold so many executions each. A
//!   heartbeat of a worker is made in two forms, in turns: each lease for itself, as a store does for whoever names
//!   only some of its leases, and all together, as an engine does. Processor time is that of the server's processes, to
//!   0.01 s, and the log is what the server writes ahead. The first heartbeat of all is told for itself: it has to look
//!   at each.
//! * **Idle**: so many engines serve a flow of which there is no execution, for some seconds; what they ask is counted
//!   in transactions of the server.
#![expect(clippy::cast_precision_loss, reason = "counts that a float holds")]

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use steps::prelude::*;
use steps_core::{
    Engine,
    store::{Lease, Renew, Renewal, Store},
};
use steps_postgres::{PostgresOptions, PostgresStore};
use steps_test_support::postgres::{Server, Sync, schema};

#[path = "../common/writes.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use the rest")]
mod writes;

const LEASE: Duration = Duration::from_secs(30);
const TURNS: usize = 3;
/// How many heartbeats of all leases are measured at once.
const BEATS: usize = 600;
const IDLE: Duration = Duration::from_secs(6);

#[step]
async fn nothing() -> Result<(), String> {
    Ok(())
}

#[flow]
async fn idle() -> Result<(), String> {
    steps! {
        done = nothing();
    }
    Ok(done)
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let server = Server::start(Sync::On);
        println!("workers  each holds  first of all   each for itself          all together             ratio");
        println!("                     µs a lease     µs a lease  log, bytes   µs a lease  log, bytes   of time");
        for (workers, held) in [(1, 256), (10, 256), (100, 256), (1, 10_000)] {
            heartbeats(&server, workers, held).await;
        }
        println!("\nidle engines  transactions/s  server, % of a core");
        for engines in [1, 10, 100] {
            idle_engines(&server, engines).await;
        }
    });
}

async fn open(server: &Server, schema: &str) -> PostgresStore {
    let options = PostgresOptions::from_url(&server.url()).expect("a URL");
    let options = options.schema(schema).connections(1);
    options.open().await.expect("a store")
}

struct Worker {
    store: Arc<PostgresStore>,
    name: String,
    held: Vec<(Lease, i64)>,
}

impl Worker {
    async fn beat(&self, all_of: Option<String>) {
        let renew = Renew {
            all_of,
            ..Renew::some(LEASE, self.held.clone())
        };
        let renewals = self.store.renew(renew).await.expect("a heartbeat");
        let held = renewals.iter().filter(|it| matches!(it, Renewal::Held(_)));
        assert_eq!(held.count(), self.held.len(), "each is held");
    }

    async fn beat_for_all(&self) {
        self.beat(Some(self.name.clone())).await;
    }
}

/// What the server has used.
struct Used {
    seconds: f64,
    log: f64,
}

impl Used {
    fn since(&self, before: &Self) -> Self {
        Self {
            seconds: self.seconds - before.seconds,
            log: self.log - before.log,
        }
    }
}

async fn used(server: &Server) -> Used {
    let mut conn = PgConnection::connect(&server.url())
        .await
        .expect("a connection");
    let log =
        sqlx::query_scalar("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8");
    let log = log
        .fetch_one(&mut conn)
        .await
        .expect("the length of the log");
    Used {
        seconds: processor_time(server),
        log,
    }
}

/// The processor time of the server and of all processes that it has started, ended ones too.
fn processor_time(server: &Server) -> f64 {
    let main = fs::read_to_string(server.folder().join("data/postmaster.pid")).expect("its number");
    let main: u32 = main
        .lines()
        .next()
        .and_then(|it| it.parse().ok())
        .expect("a number");
    let mut ticks = 0;
    for process in fs::read_dir("/proc").expect("Linux").flatten() {
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else {
            continue;
        };
        // The name, in brackets, may have blanks in it.
        let Some((pid, rest)) = stat.split_once(' ') else {
            continue;
        };
        let fields: Vec<u64> = rest
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        let is_main = pid.parse() == Ok(main);
        if is_main || fields.get(1) == Some(&u64::from(main)) {
            let own: u64 = fields[11] + fields[12];
            let ended = if is_main { fields[13] + fields[14] } else { 0 };
            ticks += own + ended;
        }
    }
    ticks as f64 / 100.0
}

async fn heartbeats(server: &Server, workers: usize, each: usize) {
    let schema = schema();
    let mut all = Vec::new();
    for number in 0..workers {
        let store = Arc::new(open(server, &schema).await);
        let made = (0..each).map(|n| {
            let store = Arc::clone(&store);
            async move {
                writes::created(
                    store
                        .write(writes::held(&format!("{number}/{n}")))
                        .await
                        .expect("one"),
                )
            }
        });
        let held = join_all(made)
            .await
            .into_iter()
            .map(|lease| (lease, 0))
            .collect();
        let name = format!("worker {number}");
        all.push(Worker { store, name, held });
    }
    let leases = (workers * each) as f64;
    let rounds = (BEATS / workers).max(1);
    let (mut first, mut itself, mut together) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let before = used(server).await;
        join_all(all.iter().map(|worker| worker.beat(None))).await;
        let after = used(server).await;
        itself.push(after.since(&before));
        join_all(all.iter().map(Worker::beat_for_all)).await;
        let begun = used(server).await;
        first.push(begun.since(&after));
        for _ in 0..rounds {
            join_all(all.iter().map(Worker::beat_for_all)).await;
        }
        together.push(used(server).await.since(&begun));
    }
    let micros = |used: &[Used], rounds: usize| {
        median(used.iter().map(|it| it.seconds)) * 1e6 / leases / rounds as f64
    };
    let bytes = |used: &[Used], rounds: usize| {
        median(used.iter().map(|it| it.log)) / leases / rounds as f64
    };
    let (each_time, all_time) = (micros(&itself, 1), micros(&together, rounds));
    println!(
        "{workers:>7}  {each:>10}  {:>10.1}     {each_time:>10.1}  {:>10.1}   {all_time:>10.2}  {:>10.2}   {:>7.4}",
        micros(&first, 1),
        bytes(&itself, 1),
        bytes(&together, rounds),
        all_time / each_time,
    );
    for worker in all {
        worker.store.close().await.expect("it closes");
    }
}

async fn idle_engines(server: &Server, engines: usize) {
    let schema = schema();
    let mut running = Vec::new();
    for _ in 0..engines {
        let engine = Engine::with_store(open(server, &schema).await);
        running.push(engine.serve(idle::with()).start().await.expect("an engine"));
    }
    // Until all have found that they are told of news.
    tokio::time::sleep(IDLE).await;
    let before = (
        transactions(server).await,
        processor_time(server),
        Instant::now(),
    );
    tokio::time::sleep(IDLE).await;
    let (made, time) = (
        transactions(server).await - before.0,
        processor_time(server) - before.1,
    );
    let seconds = before.2.elapsed().as_secs_f64();
    println!(
        "{engines:>12}  {:>14.1}  {:>19.2}",
        made as f64 / seconds,
        time / seconds * 100.0
    );
    for engine in running {
        engine
            .shutdown(Duration::from_secs(5))
            .await
            .expect("a shutdown");
    }
}

async fn transactions(server: &Server) -> i64 {
    let mut conn = PgConnection::connect(&server.url())
        .await
        .expect("a connection");
    // Each process tells its figures when it has been idle for a second, or at its next transaction.
    let sql = "SELECT sum(xact_commit + xact_rollback)::bigint FROM pg_stat_database";
    let sql = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
    sql.fetch_one(&mut conn).await.expect("a number")
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
