//! The process that starts executions, and kills those that run them.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command},
    time::Duration,
};

use steps::{Engine, Flow, Input, Open as _, engine::Execution};
use steps_test_support::postgres::Server;

use crate::{child::CHILD, postgres, sqlite, stores::Db};

/// How many executions are at work at once.
const AT_ONCE: usize = 6;
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that dies with the test.
struct Worker(Child);

impl Worker {
    fn start(url: &str, schema: &str, log: &Path) -> Self {
        let program = env::current_exe().expect("this program's own path");
        let mut child = Command::new(program);
        child.args([CHILD, url, schema]).arg(log);
        Self(child.spawn().expect("a child"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // `SIGKILL`.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let db = Db::sqlite();
        drop(sqlite::world(&db).await);
        let Db::Sqlite(folder) = &db else {
            unreachable!("it is a file")
        };
        let url = format!("sqlite:{}", folder.path().join("steps.db").display());
        let done = async || sqlite::done(&db).await;
        killed("SQLite", &url, "", sqlite::book::input, done).await;
        assert_eq!(sqlite::kept(&db).await, [""; 0]);

        let db = Db::postgres();
        let world = postgres::world(&db).await;
        let url = format!("{}&schema={}", Server::shared().url(), world.schema);
        let done = async || postgres::done(&db).await;
        killed(
            "PostgreSQL",
            &url,
            &world.schema,
            postgres::book::input,
            done,
        )
        .await;
        assert_eq!(postgres::kept(&db).await, [""; 0]);
    });
}

async fn killed<F: Flow<Output = i64>>(
    on: &str,
    url: &str,
    schema: &str,
    input: impl Fn(String) -> Input<F>,
    done: impl AsyncFn() -> Vec<String>,
) {
    let kills = env::var("STEPS_KILLS").map_or(10, |kills| kills.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let client = Engine::open(url).await.expect("it opens");
    let client = client
        .poll(Duration::from_millis(20))
        .start()
        .await
        .expect("it starts");
    let mut runs: Vec<Execution<F>> = Vec::new();
    let mut ended = 0;
    let mut worker = Worker::start(url, schema, &log);
    let (mut kill, mut has_struck) = (0, false);
    // More, as long as none has struck a transaction: how long one takes is a matter of the machine.
    while kill < kills || (!has_struck && kill < 20 * kills) {
        while runs.len() < ended + AT_ONCE {
            let id = format!("e{}", runs.len());
            runs.push(
                client
                    .start(input(id.clone()))
                    .id(&id)
                    .await
                    .expect("it starts"),
            );
        }
        // A moment of its own each time.
        tokio::time::sleep(Duration::from_millis(300 + 37 * (kill % 11))).await;
        drop(worker);
        kill += 1;
        // A server may be about to commit what it was told last.
        tokio::time::sleep(Duration::from_millis(50)).await;
        has_struck |= calls(&log) > done().await.len();
        worker = Worker::start(url, schema, &log);
        let mut still = 0;
        for run in &runs {
            still += usize::from(!run.status().await.expect("it is there").is_final());
        }
        ended = runs.len() - still;
    }
    for run in &runs {
        let outcome = tokio::time::timeout(PATIENCE, run.outcome()).await;
        outcome
            .unwrap_or_else(|_| panic!("{} hangs", run.id()))
            .expect("it is done");
    }
    drop(worker);
    let done = done().await;
    let count = |what: &str| done.iter().filter(|it| *it == what).count();
    assert_eq!(
        (count("reserve"), count("pay")),
        (2 * runs.len(), runs.len()),
        "{done:?}"
    );
    assert_eq!(done.len(), 3 * runs.len(), "{done:?}");
    let again = calls(&log) - done.len();
    println!(
        "{on}: {} executions, {kill} kills, {again} calls made again",
        runs.len()
    );
    assert!(again > 0, "no kill has struck a transaction");
}

/// Returns how many calls were begun in transactions.
fn calls(log: &Path) -> usize {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines().filter(|call| *call != "send").count()
}
