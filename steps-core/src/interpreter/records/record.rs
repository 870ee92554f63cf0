//! The record of one node: what is read and written all the time in itself, the rest in a box.

use std::{
    ops::{Deref, DerefMut},
    sync::LazyLock,
};

use jiff::Timestamp;

use super::id::{Id, NO_ROW};
use crate::{
    base::{
        clock::{Deadline, between},
        json::Json,
    },
    language::children::NewChild,
    model::{
        state::{FailureCause, Kind, NodeData, StepKind, Until},
        status::{IllegalTransition, Status, Transition},
    },
};

/// One node.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) atomic: bool,
    /// Whether the flow goes on if it fails.
    pub(crate) optional: bool,
    pub(crate) pivot: bool,
    /// What it is as a step: as the flow has it, or, of one that is done, as it was saved.
    pub(crate) step_kind: Option<StepKind>,
    /// For a `for`: whether its items run at once.
    pub(in crate::interpreter) at_once: bool,
    /// Whether nodes below it that have not begun must be skipped.
    pub(crate) cancelled: bool,
    /// Whether the values of its finished children are in their slots.
    pub(crate) loaded: bool,
    /// The transition that was made last and is not possible.
    pub(in crate::interpreter) impossible: Option<IllegalTransition>,
    pub(crate) parent: Id,
    /// The node's number in the journal: the same in every run of the execution.
    pub(super) row: u32,
    pub(super) first: Id,
    pub(super) count: u32,
    pub(crate) attempts: u32,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) done_at: Option<Timestamp>,
    pub(crate) output: Option<Json>,
    pub(super) cold: Option<Box<ColdFields>>,
}

/// The fields that few nodes use, in a box of their own.
#[derive(Debug, Default)]
pub(crate) struct ColdFields {
    /// The node's data without the fields of [`Record`]: the name, kind, status, times, attempts
    /// and output in here mean nothing.
    pub(super) data: NodeData,
    /// For a `loop`: its rounds, but for those that were left out.
    pub(crate) rounds: Vec<Id>,
    /// How many rounds there were before these: they were let go, or left out.
    pub(super) rounds_before: usize,
    /// How many of those were let go.
    pub(in crate::interpreter) let_go: usize,
    /// Whether rounds are let go from now on.
    pub(in crate::interpreter) lets_go: bool,
    /// How many of `rounds` are noted as past.
    pub(super) rounds_noted: usize,
    /// Whether its rounds that are over may be left out from now on.
    pub(in crate::interpreter) leaves_past: bool,
    /// The wait that this run has begun, of the step or of its undo. It counts as long as its time
    /// is the one that the node waits for.
    pub(crate) wait: Option<Deadline>,
    /// The node's deadline, if this run has recorded it.
    pub(crate) limit: Option<Deadline>,
    /// Whether nobody has to be asked to stop its external task any more.
    pub(in crate::interpreter) stop_settled: bool,
    /// The child execution that it starts: the batch that says that it is done creates it.
    pub(crate) starts: Option<Box<NewChild>>,
}

impl ColdFields {
    /// Returns the fields that are saved.
    pub(crate) fn data(&self) -> &NodeData {
        &self.data
    }
}

impl Deref for ColdFields {
    type Target = NodeData;

    fn deref(&self) -> &NodeData {
        &self.data
    }
}

impl DerefMut for ColdFields {
    fn deref_mut(&mut self) -> &mut NodeData {
        &mut self.data
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Name {
    Line(&'static str),
    /// A key in one of the tree's lists of keys.
    Key {
        list: u32,
        index: u32,
    },
    Number(u32),
    Text(Box<str>),
}

static NOTHING_COLD: LazyLock<ColdFields> = LazyLock::new(ColdFields::default);

impl Record {
    /// Notes how many items of a `for` run at once, where that is known when it is entered only.
    pub(in crate::interpreter) fn runs_at_once(&mut self, most: Option<usize>) {
        self.at_once = most.map_or(self.at_once, |most| most != 1);
    }

    pub(super) fn new(name: Name, kind: Kind, parent: Id) -> Self {
        Self {
            name,
            kind,
            status: Status::Pending,
            atomic: false,
            optional: false,
            pivot: false,
            step_kind: None,
            at_once: false,
            cancelled: false,
            loaded: true,
            impossible: None,
            parent,
            row: NO_ROW,
            first: 0,
            count: 0,
            attempts: 0,
            started_at: None,
            done_at: None,
            output: None,
            cold: None,
        }
    }

    /// Returns the fields that few nodes use, for reading.
    pub(crate) fn cold(&self) -> &ColdFields {
        self.cold.as_deref().unwrap_or(&NOTHING_COLD)
    }

    /// Returns the fields that few nodes use, for writing.
    pub(crate) fn cold_mut(&mut self) -> &mut ColdFields {
        self.cold.get_or_insert_default()
    }

    /// Changes the status. A transition that the state machine does not allow is a bug of the
    /// interpreter, or the record was damaged: the status stays, and `RunCore::changed` stops the
    /// run.
    #[inline]
    pub(crate) fn on(&mut self, transition: Transition) {
        match self.status.on(transition) {
            Ok(status) => self.status = status,
            Err(error) => self.impossible = Some(error),
        }
    }

    #[inline]
    pub(crate) fn begin(&mut self, now: Timestamp) {
        if self.status == Status::Waiting {
            self.has_waited(now);
        }
        self.on(Transition::Begin);
        self.started_at.get_or_insert(now);
        // A flow or a group begins again in each pass; that is no attempt.
        if self.kind == Kind::Step {
            self.attempts += 1;
        }
        // A step keeps its `until`: a crash during this attempt must not lose the end of a sleep.
        else if let Some(cold) = &mut self.cold {
            (cold.until, cold.since) = (None, None);
        }
    }

    /// Ends the node without a beginning: it is skipped. A volatile step that was to be made again is
    /// done, as it was before.
    pub(crate) fn skip(&mut self, now: Timestamp) {
        if self.attempts == 0 {
            self.on(Transition::Skip);
        } else {
            self.on(Transition::Begin);
            self.on(Transition::Finish);
            self.done_at = Some(now);
        }
    }

    #[inline]
    pub(crate) fn finish(&mut self, now: Timestamp, output: Option<Json>) {
        self.on(Transition::Finish);
        self.done_at = Some(now);
        self.output = output;
        if let Some(cold) = &mut self.cold {
            cold.clear_errors();
            (cold.until, cold.since, cold.deadline) = (None, None, None);
            cold.cause = None;
            cold.verify_owed = false;
            cold.deaths = 0;
            if let Some(task) = &mut cold.data.task {
                // It is the step's now.
                task.output = None;
            }
        }
    }

    /// Adds a wait between attempts that ends now to the others.
    #[cold]
    fn has_waited(&mut self, now: Timestamp) {
        let Some(since) = self.cold().since.filter(|_| self.kind == Kind::Step) else {
            return;
        };
        let waited = &mut self.cold_mut().waited;
        *waited = Some(
            waited
                .unwrap_or_default()
                .saturating_add(between(since, now)),
        );
    }

    /// Ends the node as failed, with the errors that it has.
    pub(crate) fn fail(&mut self, now: Timestamp) {
        if self.status == Status::Waiting {
            self.has_waited(now);
        }
        self.on(Transition::Fail);
        self.done_at = Some(now);
        if let Some(cold) = &mut self.cold {
            (cold.until, cold.since) = (None, None);
        }
    }

    /// Ends the node as stopped. The nodes below it stay as they are.
    pub(crate) fn stop(&mut self, now: Timestamp) {
        self.on(Transition::Stop);
        self.done_at = Some(now);
        // The time before which an execution must not begin stays.
        if self.started_at.is_some()
            && let Some(cold) = &mut self.cold
        {
            (cold.until, cold.since) = (None, None);
        }
    }

    /// Ends the node's undo as failed, with the error that it has.
    pub(crate) fn undo_failed(&mut self, now: Timestamp) {
        self.on(Transition::UndoFail);
        let undo = self.cold_mut().undo.get_or_insert_default();
        undo.done_at = Some(now);
        undo.until = None;
        self.cold_mut().since = None;
    }

    /// Notes that the node is given up: as an error text for people, as a cause for the program.
    pub(crate) fn give_up(&mut self, cause: FailureCause) {
        let text = match cause {
            FailureCause::UndoRequested => "given up, as it is to be undone",
            FailureCause::OutOfTime => "given up, as the deadline of a line around it has passed",
            FailureCause::LostRace => "given up, as another line of the race was done first",
            FailureCause::Own
            | FailureCause::SiblingFailed
            | FailureCause::NotPassedOver
            | FailureCause::Deadline
            | FailureCause::Child => "given up, as a step beside it failed",
        };
        let cold = self.cold_mut();
        cold.cause = Some(cause);
        cold.add_error(text.to_owned());
    }

    /// Returns whether the node failed only because a sibling failed, or because of a request.
    pub(crate) fn was_given_up(&self) -> bool {
        match self.cold().cause {
            None
            | Some(
                FailureCause::Own
                | FailureCause::NotPassedOver
                | FailureCause::Deadline
                | FailureCause::Child,
            ) => false,
            Some(
                FailureCause::SiblingFailed
                | FailureCause::UndoRequested
                | FailureCause::OutOfTime
                | FailureCause::LostRace,
            ) => true,
        }
    }

    /// Returns whether a failure of the node is passed over: the line is `#[optional]` or `#[caught]`, and
    /// nothing says that what it did could not be undone.
    pub(crate) fn may_be_passed_over(&self) -> bool {
        self.optional
            && self.status != Status::UndoFailed
            && self.cold().cause != Some(FailureCause::NotPassedOver)
    }

    pub(crate) fn wait(&mut self, until: Until) {
        self.on(Transition::Wait);
        let cold = self.cold_mut();
        if until == Until::Report {
            cold.wait_for_report();
        } else {
            cold.until = Some(until);
        }
        cold.deaths = 0;
    }

    /// Waits for what this run has begun to wait for.
    pub(crate) fn wait_until(&mut self, since: Timestamp, deadline: Deadline) {
        self.wait(Until::Time(deadline.until));
        let cold = self.cold_mut();
        (cold.since, cold.wait) = (Some(since), Some(deadline));
    }

    /// Returns since when it waits for a time that an earlier run has recorded, and that this one has
    /// not compared with its own pause yet.
    pub(crate) fn waits_since(&self) -> Option<Timestamp> {
        let cold = self.cold();
        cold.since
            .filter(|_| self.status == Status::Waiting && cold.wait.is_none())
    }

    /// Returns the time that it waits for.
    pub(crate) fn waits_until(&self) -> Option<Timestamp> {
        match self.cold().until {
            Some(Until::Time(until)) => Some(until),
            Some(Until::Signal | Until::Child | Until::Report) | None => None,
        }
    }

    /// Ends the wait that an earlier run has begun at this time, if that is earlier.
    pub(crate) fn ends_by(&mut self, deadline: Deadline) {
        let cold = self.cold_mut();
        cold.until = Some(Until::Time(deadline.until));
        cold.wait = Some(deadline);
    }

    /// Takes the child execution that it starts, once it is done.
    pub(crate) fn take_child(&mut self) -> Option<NewChild> {
        let cold = self.cold.as_mut()?;
        cold.starts.as_ref()?;
        // An attempt that is not done yet starts nothing.
        self.output.as_ref()?;
        cold.starts.take().map(|child| *child)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.done_at.is_some() && !self.cold().errors.is_empty()
    }

    pub(crate) fn waits_for_signal(&self) -> bool {
        self.kind == Kind::Step
            && self.status == Status::Waiting
            && self.cold().until == Some(Until::Signal)
    }

    /// Returns the records of its children; for a `loop`, none.
    pub(crate) fn children(&self) -> std::ops::Range<Id> {
        self.first..self.first + self.count
    }
}
