//! What lists, counts, statistics and a sweep cost in a file of many executions of five steps, a fiftieth of
//! them failed, and how that grows with their number:
//! `cargo bench -p steps-sqlite-tests --bench operating -- 1000 1000000`. By default there are 1000 and 10,000.
//!
//! The file is made by SQL, as no store writes as fast; it is in the folder that `TMPDIR` names, and has
//! about 0.6 KB for each execution. The period asked for has all executions but the first tenth, which are
//! those of the period before. The sweep keeps the newest tenth.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rusqlite::Connection;
use steps_core::{
    Engine, Status,
    engine::{Filter, Retention},
    store::{ExecutionInfo, ExecutionQuery, LabelQuery, StatisticsQuery, Store},
};
use steps_sqlite::SqliteStore;

/// When the first execution was created; one follows each second.
const FIRST: i64 = 1_790_000_000;
const SECOND: i64 = 1_000_000_000;
const ROUNDS: usize = 5;

fn main() {
    let counts = std::env::args().filter_map(|arg| arg.parse().ok());
    let mut counts: Vec<i64> = counts.collect();
    if counts.is_empty() {
        counts = vec![1000, 10_000];
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut columns = Vec::new();
    for &count in &counts {
        columns.push(measure(&runtime, count));
    }
    print!("{:44}", "executions");
    for count in &counts {
        print!("{count:>14}");
    }
    println!("{:>14}", "last ÷ first");
    for (line, (what, first)) in columns[0].iter().enumerate() {
        print!("{what:44}");
        for column in &columns {
            print!("{:>14}", format!("{:.3?}", column[line].1));
        }
        let last = columns[columns.len() - 1][line].1;
        println!("{:>14.2}", last.as_secs_f64() / first.as_secs_f64());
    }
}

/// Returns what each question takes with so many executions, the median of some times.
fn measure(runtime: &tokio::runtime::Runtime, count: i64) -> Vec<(String, Duration)> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("steps.db");
    let url = format!("sqlite:{}", file.display());
    runtime.block_on(async {
        let store = SqliteStore::open(&url).await.expect("it opens");
        store.close().await.expect("it closes");
    });
    fill(&file, count);
    let size = || std::fs::metadata(&file).expect("the file").len() / 1_000_000;
    println!("{count} executions of five steps, {} MB", size());
    let mut times = runtime.block_on(async {
        let store = SqliteStore::open(&url).await.expect("it opens");
        let mut times = queries(&store, count).await;
        for sample in [1000, 10_000, 100_000] {
            let what = format!("statistics, a sample of {sample}");
            let time = median(async || {
                let start = Timestamp::from_second(FIRST + count / 10).expect("a time");
                let end = Timestamp::from_second(FIRST + count + 1).expect("a time");
                let mut query = StatisticsQuery::new(vec!["five".to_owned()], start..end);
                query.sample = sample;
                let found = store.statistics(query).await.expect("statistics");
                let counted = found.current.executions + found.before.executions;
                assert_eq!(counted, count.cast_unsigned());
            });
            times.push((what, time.await));
        }
        let newest = usize::try_from(count / 10).expect("a count");
        let rule = Retention::of(Filter::new().flow_name("five")).newest(newest);
        let engine = Engine::with_store(store).retain(rule);
        let engine = engine.start().await.expect("it starts");
        let begin = Instant::now();
        let deleted = engine.sweep().await.expect("a sweep").deleted();
        let time = begin.elapsed() * 1000 / u32::try_from(deleted.max(1)).expect("a count");
        times.push(("a sweep of nine tenths, for 1000".to_owned(), time));
        engine.shutdown(Duration::ZERO).await.expect("it ends");
        times
    });
    println!("the file has {} MB when nine tenths are swept", size());
    // What opening a file of that size costs.
    let time = runtime.block_on(median(async || {
        let store = SqliteStore::open(&url).await.expect("it opens");
        store.close().await.expect("it closes");
    }));
    times.push(("opening the rest, and closing it".to_owned(), time));
    times
}

/// What the page, the command line and a service ask: pages of 50 with the counts of steps, and counts.
async fn queries(store: &SqliteStore, count: i64) -> Vec<(String, Duration)> {
    let failed = || {
        let mut query = page();
        query.status = vec![Status::Failed];
        query
    };
    let mut in_a_time = page();
    let start = Timestamp::from_second(FIRST + count / 2).expect("a time");
    in_a_time.created = Some(start..start + Duration::from_secs(100));
    let lists = [
        ("a page, the newest", page(), 50),
        (
            "a page of one status, 2 % have it",
            failed(),
            20.min(count / 50),
        ),
        ("a page of a flow", of_flow(page(), "five"), 50),
        (
            "a page of a label, 0.1 % have it",
            labelled(page(), "tenant", "7"),
            1,
        ),
        ("a page of a time of 100 s", in_a_time, 50),
        (
            "what nobody has: a label",
            labelled(page(), "tenant", "none"),
            0,
        ),
        ("what nobody has: a flow", of_flow(page(), "none"), 0),
    ];
    let mut times = Vec::new();
    for (what, query, at_least) in lists {
        let time = median(async || {
            let found = store.list(query.clone()).await.expect("a list");
            assert!(
                i64::try_from(found.len()).expect("few") >= at_least,
                "{what}: {}",
                found.len()
            );
        });
        times.push((what.to_owned(), time.await));
    }
    let time = median(async || {
        let found = store.list(page()).await.expect("a list");
        let mut query = page();
        query.after = found.last().map(ExecutionInfo::cursor);
        assert!(!store.list(query).await.expect("a list").is_empty());
    });
    times.push(("two pages".to_owned(), time.await));
    for (what, query) in [
        ("the count of a status", failed()),
        ("the count of all", page()),
    ] {
        let time = median(async || {
            assert!(store.count(query.clone()).await.expect("a count") > 0);
        });
        times.push((what.to_owned(), time.await));
    }
    let attr = Filter::parse("attrs.n=[~100]").expect("a filter");
    let engine = Engine::with_shared_store(Arc::new(store.clone()))
        .start()
        .await
        .expect("it starts");
    let time = median(async || {
        engine.count(attr.clone()).await.expect("a count");
    });
    times.push((
        "the count of an attribute: looks at each".to_owned(),
        time.await,
    ));
    let time = median(async || {
        store
            .label_values(LabelQuery::of("tenant"))
            .await
            .expect("values");
    });
    times.push(("the values of a label".to_owned(), time.await));
    times
}

fn page() -> ExecutionQuery {
    let mut query = ExecutionQuery::default();
    query.limit = Some(50);
    query
}

fn of_flow(mut query: ExecutionQuery, flow: &str) -> ExecutionQuery {
    query.flows = vec![flow.to_owned()];
    query
}

fn labelled(mut query: ExecutionQuery, name: &str, value: &str) -> ExecutionQuery {
    query.labels.insert(name.to_owned(), value.to_owned());
    query
}

async fn median(mut once: impl AsyncFnMut()) -> Duration {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        once().await;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn fill(file: &Path, count: i64) {
    let conn = Connection::open(file).expect("it opens");
    let sql = format!(
        "PRAGMA synchronous = off;
         BEGIN;
         CREATE TEMP TABLE n AS WITH RECURSIVE n(n) AS
             (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {count} - 1)
             SELECT n, {FIRST} * {SECOND} + n * {SECOND} AS at FROM n;
         INSERT INTO executions (key, id, flow, status, priority, created_at, started_at, done_at,
             fence, attempts, input, output, attrs)
         SELECT n + 1, printf('five-%07d', n), 'five', iif(n % 50 = 7, 'failed', 'done'), 0, at,
             at + 100000, at + 5000000 + abs(random() % 5000000), 1, 1, '{{\"n\":' || n || '}}', '8',
             '{{\"n\":' || n || '}}'
         FROM n;
         INSERT INTO labels (execution, name, value, created_at)
             SELECT n + 1, 'tenant', n % 1000, at FROM n;
         INSERT INTO nodes (id, parent, name, kind, status, attempts, started_at, done_at, error,
             output, more)
         SELECT n + 1 << 24 | i, 0, name, 'step', iif(n % 50 = 7 AND i = 5, 'failed', 'done'),
             iif(n % 20 = 3 AND i = 3, 2, 1), at + i * 900000, at + i * 900000 + abs(random() % 900000),
             iif(n % 50 = 7 AND i = 5, 'no', NULL), '\"value-' || n || '\"',
             iif(n % 20 = 3 AND i = 3, '{{\"waitedNanos\":100000}}', NULL)
         FROM n, (SELECT 1 AS i, 'one' AS name UNION ALL SELECT 2, 'two' UNION ALL
             SELECT 3, 'three' UNION ALL SELECT 4, 'four' UNION ALL SELECT 5, 'last')
         ORDER BY n, i;
         COMMIT;
         PRAGMA wal_checkpoint(TRUNCATE);"
    );
    conn.execute_batch(&sql).expect("it is filled");
}
