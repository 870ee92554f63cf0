//! What statistics and a sweep cost in a file of many executions of five steps, a fiftieth of them failed:
//! `cargo bench -p steps-sqlite-tests --bench operating -- 1000000`. By default there are 1000.
//!
//! The file is made by SQL, as no store writes as fast; it is in the folder that `TMPDIR` names, and has
//! about 0.5 KB for each execution. The period asked for has all executions but the first tenth, which are
//! those of the period before. The sweep keeps the newest tenth.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rusqlite::Connection;
use steps_core::{
    Engine,
    engine::{Filter, Retention},
    store::{StatisticsQuery, Store},
};
use steps_sqlite::SqliteStore;

/// When the first execution was created; one follows each second.
const FIRST: i64 = 1_790_000_000;
const SECOND: i64 = 1_000_000_000;
const ROUNDS: usize = 5;

fn main() {
    let count = std::env::args().find_map(|arg| arg.parse().ok());
    let count: i64 = count.unwrap_or(1000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("steps.db");
    let url = format!("sqlite:{}", file.display());
    runtime.block_on(async {
        let store = SqliteStore::open(&url).await.expect("it opens");
        store.close().await.expect("it closes");
    });
    fill(&file, count);
    let size = std::fs::metadata(&file).expect("the file").len();
    println!("{count} executions of five steps, {} MB", size / 1_000_000);
    runtime.block_on(async {
        let store = SqliteStore::open(&url).await.expect("it opens");
        for sample in [1000, 10_000, 100_000] {
            let mut times = Vec::new();
            for _ in 0..ROUNDS {
                let start = Timestamp::from_second(FIRST + count / 10).expect("a time");
                let end = Timestamp::from_second(FIRST + count + 1).expect("a time");
                let mut query = StatisticsQuery::new(vec!["five".to_owned()], start..end);
                query.sample = sample;
                let begin = Instant::now();
                let found = store.statistics(query).await.expect("statistics");
                times.push(begin.elapsed());
                let counted = found.current.executions + found.before.executions;
                assert_eq!(counted, count.cast_unsigned());
            }
            times.sort_unstable();
            println!(
                "statistics, a sample of {sample:6}: {:?}",
                times[ROUNDS / 2]
            );
        }
        let newest = usize::try_from(count / 10).expect("a count");
        let rule = Retention::of(Filter::new().flow_name("five")).newest(newest);
        let engine = Engine::with_store(store).retain(rule);
        let engine = engine.start().await.expect("it starts");
        let begin = Instant::now();
        let swept = engine.sweep().await.expect("a sweep");
        println!("a sweep of {}: {:?}", swept.deleted(), begin.elapsed());
        engine.shutdown(Duration::ZERO).await.expect("it ends");
    });
    let after = std::fs::metadata(&file).expect("the file").len();
    println!("the file has {} MB then", after / 1_000_000);
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
             fence, attempts, input, output)
         SELECT n + 1, printf('five-%07d', n), 'five', iif(n % 50 = 7, 'failed', 'done'), 0, at,
             at + 100000, at + 5000000 + abs(random() % 5000000), 1, 1, '{{\"n\":' || n || '}}', '8'
         FROM n;
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
