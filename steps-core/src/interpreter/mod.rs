//! The interpreter: one pass over the tree, forward or back.
//!
//! `tree` holds the records, `forward` runs what can run (with `lines`, `step`, `rounds` and
//! `parallel`), `back` takes back what was done, `restore` puts saved values in their slots,
//! `attempt` calls the user's code, `commit` tells the journal, `asked` is what somebody outside
//! wants. A pass ends done, failed, or waiting; what that leads to is for
//! the caller in [`crate::run`].

mod commit;
mod ending;
pub(crate) mod execution;
mod group;
mod host;
mod limits;
mod loops;
mod parallel;
pub(crate) mod records;
mod requests;
mod restore;
mod rollback;
mod sequence;
mod step;
#[cfg(test)]
mod tests;
pub(crate) mod user_code;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;

use crate::{
    base::{
        clock::Clock,
        error::{BoxError, JournalError, StepError},
        json::Json,
        sync::lock,
    },
    journal::Journal,
    language::cx::Cx,
    model::{
        event::Event,
        failure::{Cause, StepFailure},
        state::{Labels, NodeData, State},
        status::Status,
    },
};
pub use limits::RunLimits;
use records::{Id, Tree};
pub(crate) use requests::{Ask, Asking, Requests};

/// An observer.
pub(crate) type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// What all parts of a run share.
pub(crate) struct Shared {
    tree: Mutex<Tree>,
    execution: OnceLock<Arc<str>>,
    /// Whether polls are asked before their pause is over.
    pub(crate) eager: bool,
    pub(crate) limits: RunLimits,
    pub(crate) labels: Labels,
    pub(crate) clock: Clock,
    pub(crate) observer: Option<Observer>,
    pub(crate) journal: Option<Arc<dyn Journal>>,
    /// What changed and is not in the journal yet.
    dirty: Mutex<Vec<Id>>,
    /// Whether the next batch takes the place of all that the journal has.
    replaces: AtomicBool,
    /// Held while the journal takes a batch, and whether it once did not. Who finds nothing to
    /// commit still has to know that what another branch is committing is safe.
    committing: tokio::sync::Mutex<Option<JournalError>>,
    /// How many regions have branches at work at once, one in the other or side by side.
    at_once: AtomicUsize,
    /// Whether any node is cancelled: saves most steps the way up the tree.
    cancelled: AtomicBool,
    asking: Asking,
    /// Errors of this process, as values.
    errors: Mutex<Vec<(Id, Arc<BoxError>)>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("execution", &self.execution())
            .finish_non_exhaustive()
    }
}

impl Shared {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn new(
        tree: Tree,
        execution: Option<Arc<str>>,
        clock: Clock,
        observer: Option<Observer>,
        journal: Option<Arc<dyn Journal>>,
        eager: bool,
        limits: RunLimits,
        labels: Labels,
        asking: Asking,
    ) -> Self {
        let mut tree = tree;
        let unsaved = tree.take_unsaved();
        Self {
            tree: Mutex::new(tree),
            execution: execution.map(OnceLock::from).unwrap_or_default(),
            eager,
            limits,
            labels,
            clock,
            observer,
            journal,
            dirty: Mutex::new(unsaved.ids),
            replaces: AtomicBool::new(unsaved.replaces),
            committing: tokio::sync::Mutex::default(),
            at_once: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            asking,
            errors: Mutex::default(),
        }
    }

    /// The execution's id, made when it is first asked for.
    pub(crate) fn execution(&self) -> &Arc<str> {
        self.execution.get_or_init(crate::base::id::new)
    }

    #[inline]
    pub(crate) fn tree(&self) -> MutexGuard<'_, Tree> {
        lock(&self.tree)
    }

    pub(crate) fn state(&self) -> State {
        let mut state = self.tree().state(records::ROOT);
        self.sign(&mut state);
        state
    }

    /// Writes what is known of the execution into the root's saved form.
    fn sign(&self, root: &mut NodeData) {
        root.id = Some(Arc::clone(self.execution()));
        root.labels.clone_from(&self.labels);
    }

    /// Gives a step the signal it waits for. False if no step of this path does.
    pub(crate) fn signal(&self, path: &str, value: &Json) -> bool {
        let mut tree = self.tree();
        let Some(id) = tree.waiting_for_signal(path) else {
            return false;
        };
        tree[id].cold_mut().input = Some(value.clone());
        self.mark(id);
        drop(tree);
        self.signalled();
        true
    }

    /// Why the run has not got to its end.
    pub(crate) fn cause(&self) -> Cause {
        if self.tree()[records::ROOT].status == Status::Stopped {
            return Cause::Stopped;
        }
        let (failed, undo_failed) = self.failures();
        if failed.is_empty() && undo_failed.is_empty() {
            return Cause::Undone;
        }
        Cause::Steps {
            failed,
            undo_failed,
        }
    }

    /// Tells the observer of a node.
    #[inline]
    pub(crate) fn observe(&self, tree: &Tree, id: Id) {
        if let Some(observer) = &self.observer {
            self.tell(observer, tree, id);
        }
    }

    #[cold]
    fn tell(&self, observer: &Observer, tree: &Tree, id: Id) {
        let record = &tree[id];
        let cold = record.cold();
        let event = Event {
            path: tree.path(id),
            kind: record.kind,
            status: record.status,
            attempt: record.attempts,
            at: self.clock.now(),
            until: cold.until.filter(|_| record.status == Status::Waiting),
            error: cold
                .errors
                .last()
                .cloned()
                .or_else(|| cold.undo.as_ref().map(|undo| undo.err.clone()))
                .filter(|error| !error.is_empty()),
            progress: cold.progress,
        };
        let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| observer(&event)));
        if called.is_err() {
            tracing::error!(path = event.path, "an observer panicked");
        }
    }

    /// Lets nothing new begin below `id`.
    pub(crate) fn cancel(&self, id: Id) {
        self.tree()[id].cancelled = true;
        self.cancelled.store(true, Ordering::Relaxed);
    }

    fn keep_error(&self, id: Id, error: &StepError) {
        lock(&self.errors).push((id, Arc::clone(&error.error)));
    }

    /// The steps whose failure this run's failure is, in the order in which they failed, and
    /// those whose undo failed.
    pub(crate) fn failures(&self) -> (Vec<StepFailure>, Vec<StepFailure>) {
        let tree = self.tree();
        let errors = lock(&self.errors);
        let mut failed = Vec::new();
        let mut undo_failed = Vec::new();
        tree.failures(records::ROOT, &mut failed);
        tree.undo_failures(records::ROOT, &mut undo_failed);
        failed.sort_by_key(|&(_, at)| at);
        let given_up = |id: Id| tree[id].was_given_up();
        // Where nothing else failed, it was undone on request.
        let held = tree[records::ROOT].status == Status::Failed;
        if !held || failed.iter().any(|(id, _)| !given_up(*id)) {
            failed.retain(|(id, _)| !given_up(*id));
        }
        let describe = |id: Id, error: String| StepFailure {
            path: tree.path(id),
            error,
            source: errors
                .iter()
                .rev()
                .find(|(of, _)| *of == id)
                .map(|(_, error)| Arc::clone(error)),
        };
        (
            failed
                .into_iter()
                .map(|(id, _)| {
                    describe(
                        id,
                        tree[id].cold().errors.last().cloned().unwrap_or_default(),
                    )
                })
                .collect(),
            undo_failed
                .into_iter()
                .map(|id| {
                    let undo = tree[id].cold().undo.as_ref();
                    let mut step =
                        describe(id, undo.map(|undo| undo.err.clone()).unwrap_or_default());
                    step.source = None;
                    step
                })
                .collect(),
        )
    }
}

/// Why an execution that has ended did not get to its end, by its saved tree.
pub(crate) fn cause_of(state: &State, table: &'static crate::model::table::Table) -> Cause {
    let tree = Tree::from_state(state, table.name, table.nodes);
    let run = Shared::new(
        tree,
        None,
        Clock::System,
        None,
        None,
        false,
        RunLimits::DEFAULT,
        Labels::new(),
        Asking::default(),
    );
    run.cause()
}

/// How a node's forward pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is done, or its failure is passed over.
    Done,
    /// It waits: until a time, if that is given, or else for a signal. Also where it was halted.
    Waiting(Option<Timestamp>),
    /// It failed.
    Failed,
    /// It was not begun, or not finished, as a sibling failed.
    Interrupted,
}

/// How a node's rollback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// All that was to be undone is.
    Clean,
    /// A pivot was done: what came before it stays.
    Pivot,
    /// An undo waits for its next attempt.
    Waiting(Timestamp),
    /// It was halted, to go on in another process.
    Halted,
    /// An undo failed.
    Failed,
}

/// The sooner of two times, where no time is later than any.
pub(crate) fn sooner(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// One pass.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'r> {
    pub(crate) run: &'r Arc<Shared>,
}

/// The result of anything that may lose its journal.
pub(crate) type Kept<T> = Result<T, JournalError>;

impl Pass<'_> {
    fn cx(self, id: Id, attempt: u32) -> Cx {
        let host: Arc<Shared> = Arc::clone(self.run);
        Cx::new(host, id, attempt)
    }

    fn now(self) -> Timestamp {
        self.run.clock.now()
    }
}

/// A number in 0..1 by chance.
fn chance() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let hash = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    f64::from(u32::try_from(hash >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
