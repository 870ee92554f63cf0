//! The ten steps on cano, with its redb file: one measured process.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cano::{
    CanoError, CheckpointRow, CheckpointStore, RedbCheckpointStore, prelude::*, recovery::RowKind,
};
use peers_worker::{Engine, Job, Outcome, Result, STEPS, Setting};

/// cano, with its checkpoints in a fresh file.
struct Cano {
    store: Arc<Counted>,
    /// How many executions have begun: their ids.
    begun: AtomicU64,
}

/// cano's own store, and how many steps it has taken: what is in it of an execution is deleted when
/// that has ended.
struct Counted {
    store: RedbCheckpointStore,
    steps: AtomicU64,
}

fn main() -> ExitCode {
    peers_worker::serve::<Cano>()
}

impl Engine for Cano {
    async fn open(job: &Job) -> Result<Self> {
        let store = Counted {
            store: RedbCheckpointStore::new(&job.store)?,
            steps: AtomicU64::new(0),
        };
        Ok(Self {
            store: Arc::new(store),
            begun: AtomicU64::new(0),
        })
    }

    async fn execute(&self, start: u64) -> Result<Outcome> {
        let value = Arc::new(AtomicU64::new(start));
        let mut flow = Workflow::<u64>::bare();
        for at in 0..STEPS {
            let value = Arc::clone(&value);
            flow = flow.register(at, Next { at, value });
        }
        let id = self.begun.fetch_add(1, Ordering::Relaxed).to_string();
        let flow = flow
            .add_exit_state(STEPS)
            .with_checkpoint_store(Arc::clone(&self.store) as Arc<dyn CheckpointStore>)
            .with_workflow_id(id);
        flow.orchestrate(0, CancellationToken::disabled()).await?;
        Ok(Outcome::Gave(value.load(Ordering::Relaxed)))
    }

    async fn recorded(&self) -> Result<u64> {
        Ok(self.store.steps.load(Ordering::Relaxed))
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        Ok(vec![Setting::new(
            "redb's durability",
            "its default, Immediate",
        )])
    }

    async fn close(self) -> Result {
        Ok(())
    }
}

#[cano::checkpoint_store]
impl CheckpointStore for Counted {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), CanoError> {
        // The state in which it ends has a row, too, and no step.
        let is_step = row.kind == RowKind::StateEntry && row.state != STEPS.to_string();
        self.store.append(workflow_id, row).await?;
        self.steps.fetch_add(u64::from(is_step), Ordering::Relaxed);
        Ok(())
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, CanoError> {
        self.store.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), CanoError> {
        self.store.clear(workflow_id).await
    }
}

/// A step, which gives one more than what it was given. cano records that it begins, and not what it
/// gives.
struct Next {
    at: u64,
    value: Arc<AtomicU64>,
}

#[task(state = u64)]
impl Next {
    async fn run_bare(&self) -> Result<TaskResult<u64>, CanoError> {
        self.value.fetch_add(1, Ordering::Relaxed);
        Ok(TaskResult::Single(self.at + 1))
    }
}
