//! The data that all parts of a run share.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
};

use jiff::Timestamp;

use super::{
    RunLimits,
    commit::Committer,
    ended_children::EndedChildren,
    failures::FailureLog,
    records::{ROOT, Record, Records},
    requests::Requests,
    signal_queue::SignalQueue,
};
use crate::{
    base::{
        clock::{Clock, Deadline, Now},
        error::JournalError,
        future::BoxFuture,
        json::Json,
        sync::lock,
    },
    journal::Journal,
    language::{
        children::{OwnFlows, RunEngine},
        log::StepLine,
    },
    model::{
        attrs::Attrs,
        event::Event,
        state::{Labels, NodeData, State},
        status::Status,
    },
};

/// An observer.
pub(crate) type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// Reads the whole tree of the execution, as it is recorded now.
pub(crate) trait WholeTree: Send + Sync {
    fn whole(&self) -> BoxFuture<'_, Result<State, JournalError>>;
}

/// Keeps what steps log.
pub(crate) trait StepLog: Send + Sync {
    /// Keeps a line of the step with this path. Takes no lock of the run, and never waits.
    fn log(&self, path: String, at: Timestamp, line: &StepLine<'_>);
}

/// The options of a run. They do not change.
#[derive(Default)]
pub(crate) struct RunOptions {
    /// Whether a step that polls is asked again before its pause is over.
    pub(crate) eager: bool,
    /// Whether nothing runs: it is only looked when the execution goes on. The saved state fits, and
    /// waits.
    pub(crate) looks: bool,
    pub(crate) limits: RunLimits,
    pub(crate) labels: Labels,
    /// The attributes at the beginning.
    pub(crate) attrs: Attrs,
    pub(crate) clock: Clock,
    /// What the clocks showed when the run began: the wall clock of whoever found it to be due.
    pub(crate) begun: Now,
    pub(crate) observer: Option<Observer>,
    /// What has the whole tree, of a run whose rounds that are over may be left out.
    pub(crate) whole: Option<Arc<dyn WholeTree>>,
    /// The engine that makes the run.
    pub(crate) engine: Option<Arc<dyn RunEngine>>,
    /// What keeps what its steps log.
    pub(crate) log: Option<Arc<dyn StepLog>>,
    /// The flows of the children of a run in memory.
    pub(crate) flows: OwnFlows,
}

/// One run of an execution.
pub(crate) struct RunCore {
    records: Mutex<Records>,
    execution: OnceLock<Arc<str>>,
    /// The execution's attributes, as far as the run knows them.
    pub(super) attrs: Mutex<Attrs>,
    pub(crate) options: RunOptions,
    pub(super) committer: Committer,
    pub(crate) requests: Requests,
    /// The signals that no step has taken, if there is anybody to send them.
    pub(crate) signals: Option<Arc<SignalQueue>>,
    /// Whether a step was given a signal that it may not have seen yet.
    pub(super) signals_given: AtomicBool,
    pub(super) failures: FailureLog,
    /// How many events the observer was told. It grows under the records' lock alone.
    pub(super) events: AtomicU64,
    /// How many nodes are cancelled. While it is 0, steps need not check the nodes above them.
    pub(super) cancelled: AtomicUsize,
    /// Whether any node has a deadline. While it is false, steps need not look for one.
    pub(super) timed: AtomicBool,
    /// Whether any step has had an external task. While it is false, none is to be asked to stop.
    pub(super) tasked: AtomicBool,
    /// Whether the steps are done, and only the code after them is left.
    pub(super) past_steps: AtomicBool,
    /// How many bytes the values of the tree have at most, once that was counted. It is locked before the records.
    pub(super) room: Mutex<Option<usize>>,
    /// The children that were told to have ended, and were not asked for since.
    pub(super) ended_children: EndedChildren,
    /// Why the run was stopped where it was, if a node was to make an impossible transition.
    pub(super) fault: OnceLock<Fault>,
    /// The whole tree, once it was read to bring back what was left out.
    pub(super) whole: tokio::sync::OnceCell<Arc<State>>,
    /// The step that was sent a signal which it can't read, if one was.
    pub(super) unreadable: OnceLock<Fault>,
}

/// What keeps a run from going on, at a node.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// The node's path.
    pub(crate) path: String,
    pub(crate) why: String,
}

impl fmt::Debug for RunCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunCore")
            .field("execution", &self.execution())
            .finish_non_exhaustive()
    }
}

impl RunCore {
    pub(crate) fn new(
        mut records: Records,
        execution: Option<Arc<str>>,
        mut options: RunOptions,
        journal: Option<Arc<dyn Journal>>,
        requests: Requests,
        signals: Option<Arc<SignalQueue>>,
    ) -> Self {
        let unsaved = records.take_unsaved();
        records.most = options.limits.nodes;
        let (timed, tasked) = (records.timed, records.tasked);
        requests.set_past_pivot(records.pivot().is_some());
        Self {
            records: Mutex::new(records),
            execution: execution.map(OnceLock::from).unwrap_or_default(),
            attrs: Mutex::new(std::mem::take(&mut options.attrs)),
            options,
            committer: Committer::new(journal, unsaved),
            requests,
            signals,
            signals_given: AtomicBool::new(false),
            failures: FailureLog::default(),
            events: AtomicU64::new(0),
            cancelled: AtomicUsize::new(0),
            timed: AtomicBool::new(timed),
            tasked: AtomicBool::new(tasked),
            past_steps: AtomicBool::new(false),
            room: Mutex::new(None),
            ended_children: EndedChildren::default(),
            fault: OnceLock::new(),
            unreadable: OnceLock::new(),
            whole: tokio::sync::OnceCell::new(),
        }
    }

    /// Returns the execution's id, which is made when it is first needed.
    pub(crate) fn execution(&self) -> &Arc<str> {
        self.execution.get_or_init(crate::base::id::new)
    }

    /// Locks the records. No users' code but the observer may be called while they are locked.
    #[inline]
    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }

    /// Returns the impossible transition that stopped the run, if one did.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.fault.get()
    }

    /// Returns the step that was sent a signal which it can't read, unless the run is to be stopped or
    /// undone, which needs no signal.
    pub(crate) fn unreadable(&self) -> Option<&Fault> {
        self.unreadable
            .get()
            .filter(|_| self.requests.all().is_empty())
    }

    /// Returns the end of a node's wait until this time. What this run has begun to wait for goes by
    /// how much time passes. For what an earlier one has recorded, the rest of the wait is what was
    /// left by the wall clock when this run began.
    pub(super) fn deadline(&self, record: &Record, until: Timestamp) -> Deadline {
        match record.cold().wait {
            Some(deadline) if deadline.until == until => deadline,
            _ => self.options.begun.deadline(until),
        }
    }

    /// Returns whether a wait is not over.
    pub(super) fn is_ahead(&self, deadline: Deadline) -> bool {
        deadline.moment > self.options.clock.moment()
    }

    /// Returns the execution's status.
    pub(crate) fn status(&self) -> Status {
        self.records()[ROOT].status
    }

    /// Returns the execution's saved output, if it has one yet.
    pub(crate) fn output(&self) -> Option<Json> {
        self.records()[ROOT].output.clone()
    }

    /// Returns the whole tree.
    pub(crate) fn state(&self) -> State {
        let mut state = self.records().state(ROOT);
        self.sign(&mut state);
        state
    }

    /// Writes the execution's id and labels into the root's saved form.
    pub(super) fn sign(&self, root: &mut NodeData) {
        root.id = Some(Arc::clone(self.execution()));
        root.labels.clone_from(&self.options.labels);
    }
}
