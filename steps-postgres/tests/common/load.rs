//! A load of writes on a store, of which it is known what was acknowledged.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use steps_core::{
    Json,
    store::{ErrorKind, Store, StoreError},
};
use steps_postgres::{PostgresOptions, PostgresStore};
use tokio::task::JoinHandle;

use super::{
    server::Server,
    writes::{created, held, step},
};

/// How many executions are written at once.
const TASKS: u32 = 16;

/// How long to wait until it is looked again.
const LOOK: Duration = Duration::from_millis(20);

/// The nodes of each.
const NODES: u32 = 5;

/// Tasks that make executions and write their nodes, one after the other, until they are told to stop.
pub struct Load {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    store: PostgresStore,
    /// The output of each node.
    output: Json,
    /// What may go wrong for a while.
    may_fail: &'static [ErrorKind],
    stop: AtomicBool,
    /// Which nodes of an execution were acknowledged.
    all: Mutex<HashMap<String, u32>>,
    failed: Mutex<HashSet<ErrorKind>>,
}

pub async fn open(server: &Server, schema: &str) -> PostgresStore {
    let options = PostgresOptions::from_url(&server.url()).unwrap();
    options.schema(schema).open().await.unwrap()
}

impl Load {
    /// Begins, on a store of its own; each node has an output of this length.
    pub async fn begin(
        server: &Server,
        schema: &str,
        output: usize,
        may_fail: &'static [ErrorKind],
    ) -> Self {
        let shared = Arc::new(Shared {
            store: open(server, schema).await,
            output: Json::parse(format!("\"{}\"", text(output))).unwrap(),
            may_fail,
            stop: AtomicBool::new(false),
            all: Mutex::default(),
            failed: Mutex::default(),
        });
        let tasks = (0..TASKS).map(|task| tokio::spawn(Arc::clone(&shared).write(task)));
        Self {
            tasks: tasks.collect(),
            shared,
        }
    }

    /// How many executions were acknowledged.
    pub fn made(&self) -> usize {
        self.shared.all.lock().unwrap().len()
    }

    /// What kinds of errors came.
    pub fn failed(&self) -> HashSet<ErrorKind> {
        self.shared.failed.lock().unwrap().clone()
    }

    /// Waits until something more was acknowledged: the same store goes on.
    pub async fn goes_on(&self) {
        let before = self.made();
        while self.made() <= before {
            // Whatever ends a task is a panic.
            assert!(self.tasks.iter().all(|task| !task.is_finished()));
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Stops it.
    pub async fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
    }

    /// Makes so many more, when it has been stopped, as soon as the same store can.
    pub async fn more(&self, count: u32) {
        let mut made = 0;
        let mut number = 0;
        while made < count {
            number += 1;
            made += u32::from(self.shared.make(format!("more-{number}")).await);
        }
    }

    /// Stops it, and looks whether all is there that was acknowledged, and nothing else but what may have been kept
    /// whose answer was lost. Returns how many executions there are.
    pub async fn check(mut self, server: &Server, schema: &str) -> usize {
        self.stop().await;
        let all = std::mem::take(&mut *self.shared.all.lock().unwrap());
        let count = all.len();
        let other = open(server, schema).await;
        for (id, last) in all {
            let found = other.load(id.clone()).await.unwrap();
            let found = found.unwrap_or_else(|| panic!("{id} was acknowledged, and is gone"));
            let mut nodes: Vec<u32> = found.nodes.iter().map(|row| row.id).collect();
            nodes.sort_unstable();
            // One more may have been kept whose answer was lost.
            let kept = u32::try_from(nodes.len()).unwrap();
            assert!(kept == last || kept == last + 1, "{id}: {kept} of {last}");
            assert!(nodes.iter().copied().eq(1..=kept), "{id}: {nodes:?}");
            for row in &found.nodes {
                assert_eq!(row.node.output.as_ref(), Some(&self.shared.output), "{id}");
            }
        }
        other.close().await.unwrap();
        count
    }
}

impl Shared {
    async fn write(self: Arc<Self>, task: u32) {
        let mut number = 0;
        while !self.stop.load(Ordering::Relaxed) {
            number += 1;
            self.make(format!("{task}-{number}")).await;
        }
    }

    /// Makes one execution. Returns whether all of it was acknowledged.
    async fn make(&self, id: String) -> bool {
        let lease = match self.store.write(held(&id)).await {
            Ok(written) => created(written),
            Err(error) => {
                self.has_failed(&error);
                tokio::time::sleep(LOOK).await;
                return false;
            }
        };
        self.all.lock().unwrap().insert(id.clone(), 0);
        for node in 1..=NODES {
            let mut write = step(lease, node, "step");
            write.nodes[0].node.output = Some(self.output.clone());
            match self.store.write(write).await {
                Ok(_) => {
                    self.all.lock().unwrap().insert(id.clone(), node);
                }
                Err(error) => {
                    self.has_failed(&error);
                    return false;
                }
            }
        }
        true
    }

    fn has_failed(&self, error: &StoreError) {
        assert!(self.may_fail.contains(&error.kind()), "{error}");
        self.failed.lock().unwrap().insert(error.kind());
    }
}

/// So many letters that can hardly be compressed.
fn text(length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let letters = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + u8::try_from(state % 26).expect("a letter"))
    });
    letters.take(length).collect()
}
