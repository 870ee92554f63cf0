//! The records of one execution while it runs: the saved tree, as a flat list.
//!
//! The children of a node are stored next to each other, so the number of a line's record is that
//! of the first line plus the line's index. Rounds of a `loop` are added one at a time, so their
//! numbers are kept in a list.

use std::{
    borrow::Cow,
    ops::{Deref, DerefMut},
    sync::LazyLock,
};

use jiff::Timestamp;

use crate::{
    base::json::Json,
    language::scope::Keys,
    model::{
        state::{FailureCause, Kind, NodeData, Until},
        status::{Status, Transition},
        table::Line,
    },
};

mod saved;
mod waiting;

/// The number of a record.
pub(crate) type Id = u32;

/// The number of the root's record.
pub(crate) const ROOT: Id = 0;

/// The row of a record that was not sent to a journal yet.
const NO_ROW: u32 = u32::MAX;

/// One node.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) atomic: bool,
    pub(crate) optional: bool,
    pub(crate) pivot: bool,
    /// Whether nodes below it that have not begun must be skipped.
    pub(crate) cancelled: bool,
    /// Whether the values of its finished children are in their slots.
    pub(crate) loaded: bool,
    pub(crate) parent: Id,
    /// The node's number in the journal: the same in every run of the execution.
    row: u32,
    first: Id,
    count: u32,
    pub(crate) attempts: u32,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) done_at: Option<Timestamp>,
    pub(crate) output: Option<Json>,
    cold: Option<Box<ColdFields>>,
}

/// The fields that few nodes use, in a box of their own.
#[derive(Debug, Default)]
pub(crate) struct ColdFields {
    /// The node's data without the fields of [`Record`]: the name, kind, status, times, attempts
    /// and output in here mean nothing.
    data: NodeData,
    /// For a `loop`: its rounds.
    pub(crate) rounds: Vec<Id>,
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
    fn new(name: Name, kind: Kind, parent: Id) -> Self {
        Self {
            name,
            kind,
            status: Status::Pending,
            atomic: false,
            optional: false,
            pivot: false,
            cancelled: false,
            loaded: true,
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
    /// interpreter: it panics in debug builds; otherwise it is logged, and the status stays.
    #[inline]
    pub(crate) fn on(&mut self, event: Transition) {
        match self.status.on(event) {
            Ok(status) => self.status = status,
            Err(error) => {
                debug_assert!(false, "{:?}: {error}", self.name);
                tracing::error!(%error, "a bug in steps");
            }
        }
    }

    #[inline]
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.on(Transition::Begin);
        self.started_at.get_or_insert(now);
        // A flow or a group begins again in each pass; that is no attempt.
        if self.kind == Kind::Step {
            self.attempts += 1;
        }
        // A step keeps its `until`: a crash during this attempt must not lose the end of a sleep.
        else if let Some(cold) = &mut self.cold {
            cold.until = None;
        }
    }

    #[inline]
    pub(crate) fn finish(&mut self, now: Timestamp, output: Option<Json>) {
        self.on(Transition::Finish);
        self.done_at = Some(now);
        self.output = output;
        if let Some(cold) = &mut self.cold {
            cold.errors.clear();
            cold.until = None;
            cold.cause = None;
            cold.verify_owed = false;
        }
    }

    /// Ends the node as failed, with the errors that it has.
    pub(crate) fn fail(&mut self, now: Timestamp) {
        self.on(Transition::Fail);
        self.done_at = Some(now);
        if let Some(cold) = &mut self.cold {
            cold.until = None;
        }
    }

    /// Ends the node as stopped. The nodes below it stay as they are.
    pub(crate) fn stop(&mut self, now: Timestamp) {
        self.on(Transition::Stop);
        self.done_at = Some(now);
        if let Some(cold) = &mut self.cold {
            cold.until = None;
        }
    }

    /// Notes that the node is given up: as an error text for people, as a cause for the program.
    pub(crate) fn give_up(&mut self, cause: FailureCause) {
        let text = match cause {
            FailureCause::UndoRequested => "given up, as it is to be undone",
            FailureCause::Own | FailureCause::SiblingFailed => {
                "given up, as a step beside it failed"
            }
        };
        let cold = self.cold_mut();
        cold.cause = Some(cause);
        cold.errors.push(text.to_owned());
    }

    /// Returns whether the node failed only because a sibling failed, or because of a request.
    pub(crate) fn was_given_up(&self) -> bool {
        match self.cold().cause {
            None | Some(FailureCause::Own) => false,
            Some(FailureCause::SiblingFailed | FailureCause::UndoRequested) => true,
        }
    }

    pub(crate) fn wait(&mut self, until: Until) {
        self.on(Transition::Wait);
        self.cold_mut().until = Some(until);
    }

    fn has_failed(&self) -> bool {
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

/// All records of one execution.
#[derive(Debug)]
pub(crate) struct Records {
    records: Vec<Record>,
    /// The keys of each `for`.
    keys: Vec<Keys>,
    /// Whether the tree was read from a document that another program wrote.
    pub(crate) foreign: bool,
    /// The row of the next record that is sent to a journal for the first time.
    next_row: u32,
    /// The changes to a saved tree that the journal does not have yet.
    unsaved: Unsaved,
}

/// What the first batch of a run must hold in addition to the changes that the run makes.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    /// The records.
    pub(crate) ids: Vec<Id>,
    /// The records that differ from the saved ones.
    differing: Vec<Id>,
    /// Whether `ids` are all records, and replace all rows of the journal.
    pub(crate) replaces: bool,
}

impl std::ops::Index<Id> for Records {
    type Output = Record;
    fn index(&self, id: Id) -> &Record {
        &self.records[id as usize]
    }
}

impl std::ops::IndexMut<Id> for Records {
    fn index_mut(&mut self, id: Id) -> &mut Record {
        &mut self.records[id as usize]
    }
}

impl Records {
    /// Makes a tree of only the root, with room for its lines.
    pub(crate) fn new(name: &'static str, lines: usize) -> Self {
        let mut records = Vec::with_capacity(1 + lines);
        records.push(Record::new(Name::Line(name), Kind::Flow, ROOT));
        Self {
            records,
            keys: Vec::new(),
            foreign: false,
            next_row: 1,
            unsaved: Unsaved::default(),
        }
    }

    /// Returns the row of a record and the row of its parent. A record without a row gets the next
    /// number, so the numbers have no gaps.
    pub(crate) fn row(&mut self, id: Id) -> (u32, u32) {
        if id == ROOT {
            self[id].row = 0;
            return (0, 0);
        }
        let parent = self[id].parent;
        let parent = match self[parent].row {
            // The parent's row comes before the rows below it.
            NO_ROW => self.row(parent).0,
            row => row,
        };
        if self[id].row == NO_ROW {
            self[id].row = self.next_row;
            self.next_row += 1;
        }
        (self[id].row, parent)
    }

    /// Takes what the first batch must hold. Empty when called again.
    pub(crate) fn take_unsaved(&mut self) -> Unsaved {
        std::mem::take(&mut self.unsaved)
    }

    /// Returns the number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    fn next_id(&self) -> Id {
        Id::try_from(self.records.len()).unwrap_or(Id::MAX)
    }

    /// Returns the first record of `parent`'s lines. Makes the records if they do not exist.
    pub(crate) fn lines(&mut self, parent: Id, nodes: &'static [Line]) -> Id {
        let first = self.next_id();
        let record = &mut self[parent];
        if record.count > 0 || nodes.is_empty() {
            return record.first;
        }
        record.first = first;
        record.count = Id::try_from(nodes.len()).unwrap_or(Id::MAX);
        self.records.extend(nodes.iter().map(|node| {
            let mut record = Record::new(Name::Line(node.name), node.kind(), parent);
            record.atomic = node.marks.atomic;
            record.optional = node.marks.optional;
            record.pivot = node.marks.pivot;
            record
        }));
        first
    }

    /// Makes the records of a `for`'s items.
    pub(crate) fn items(&mut self, parent: Id, keys: Keys) {
        let count = Id::try_from(keys.len()).unwrap_or(Id::MAX);
        let list = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let first = self.next_id();
        let record = &mut self[parent];
        record.first = first;
        record.count = count;
        // Each item, and one line on average.
        self.records.reserve(2 * keys.len());
        for index in 0..count {
            let name = Name::Key { list, index };
            self.records.push(Record::new(name, Kind::Item, parent));
        }
        self.keys.push(keys);
    }

    /// Returns how many rounds of a `loop` are done. They are the first ones.
    pub(crate) fn rounds_done(&self, id: Id) -> usize {
        let rounds = self[id].cold().rounds.iter();
        let done = rounds.filter(|round| self[**round].status == Status::Done);
        done.count()
    }

    /// Makes the record of a `loop`'s next round.
    pub(crate) fn round(&mut self, parent: Id) -> Id {
        let id = self.next_id();
        let rounds = &mut self[parent].cold_mut().rounds;
        rounds.push(id);
        let number = u32::try_from(rounds.len()).unwrap_or(u32::MAX);
        self.records
            .push(Record::new(Name::Number(number), Kind::Round, parent));
        id
    }

    /// Returns the name of a node.
    pub(crate) fn name(&self, id: Id) -> Cow<'static, str> {
        match &self[id].name {
            Name::Line(name) => Cow::Borrowed(name),
            Name::Key { list, index } => {
                Cow::Owned(self.keys[*list as usize].get(*index as usize).to_owned())
            }
            Name::Number(number) => Cow::Owned(number.to_string()),
            Name::Text(text) => Cow::Owned(text.to_string()),
        }
    }

    /// Returns the path of a node, without the root.
    pub(crate) fn path(&self, id: Id) -> String {
        let mut names = Vec::new();
        let mut at = id;
        while at != ROOT {
            names.push(self.name(at));
            at = self[at].parent;
        }
        names.reverse();
        crate::model::state::path::join(&names)
    }

    /// Returns whether this node, which has not begun, must be skipped.
    pub(crate) fn is_cancelled(&self, id: Id) -> bool {
        let mut at = id;
        loop {
            let record = &self[at];
            if record.cancelled {
                return true;
            }
            if record.atomic || at == ROOT {
                return false;
            }
            at = record.parent;
        }
    }

    /// Returns whether `id` or a node below it is a pivot that is done. A pivot in a nested flow
    /// counts only there.
    pub(crate) fn is_past_pivot(&self, id: Id) -> bool {
        let record = &self[id];
        (record.pivot && record.status == Status::Done)
            || (record.kind != Kind::Flow
                && self.below(id).into_iter().any(|id| self.is_past_pivot(id)))
    }

    /// Returns the children of `id`, in order: for a `loop`, its rounds.
    pub(crate) fn below(&self, id: Id) -> Vec<Id> {
        let record = &self[id];
        match record.kind {
            Kind::Loop => record.cold().rounds.clone(),
            _ => record.children().collect(),
        }
    }

    /// Collects the failed nodes that have no failed node below them, except optional ones.
    pub(crate) fn failures(&self, id: Id, failed: &mut Vec<(Id, Option<Timestamp>)>) {
        let record = &self[id];
        let mut below = false;
        for child in self.below(id) {
            if self[child].has_failed() && !self[child].optional {
                below = true;
                self.failures(child, failed);
            }
        }
        if !below && record.has_failed() {
            failed.push((id, record.done_at));
        }
    }

    /// Collects the steps whose undo failed.
    pub(crate) fn undo_failures(&self, id: Id, found: &mut Vec<Id>) {
        let undo = self[id].cold().undo.as_ref();
        if undo.is_some_and(|undo| {
            undo.done_at.is_some() && !undo.err.is_empty() && undo.resolved.is_none()
        }) {
            found.push(id);
        }
        for child in self.below(id) {
            self.undo_failures(child, found);
        }
    }
}
