//! The records of one execution while it runs: the saved tree, as a flat list.
//!
//! The children of a node are stored next to each other, so the number of a line's record is that
//! of the first line plus the line's index. Rounds of a `loop` are added one at a time, so their
//! numbers are kept in a list.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::{
    base::error::StepError,
    language::{cx::CancelReason, scope::Keys},
    model::{
        state::{FailureCause, Kind},
        status::Status,
        table::{Line, Work},
    },
};

mod id;
mod let_go;
mod order;
mod past;
mod record;
mod saved;
mod task;
mod volatile;
mod waiting;

use id::NO_ROW;
pub(crate) use id::{Id, ROOT, nth};
pub(crate) use record::{ColdFields, Name, Record};

/// All records of one execution.
#[derive(Debug)]
pub(crate) struct Records {
    all: Vec<Record>,
    /// The keys of each `for`.
    keys: Vec<Keys>,
    /// The generation of the steps that begin now: the root's.
    pub(super) generation: u32,
    /// Whether the tree was read from a document that another program wrote.
    pub(crate) foreign: bool,
    /// Whether any saved node has a deadline.
    pub(super) timed: bool,
    /// Whether any saved step has an external task.
    pub(super) tasked: bool,
    /// The row of the next record that is sent to a journal for the first time.
    next_row: u32,
    /// The changes to a saved tree that the journal does not have yet.
    unsaved: Unsaved,
    /// Which rows are over.
    past: past::PastRows,
    /// Whether rounds that are not in the tree that was read may have been left out.
    is_open: bool,
    /// What was let go.
    gone: let_go::Gone,
    /// Whether rounds were let go of a `loop` that does so no more.
    has_gaps: bool,
    /// The maximum number of records. Saved ones may be more.
    pub(super) most: usize,
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
        &self.all[id as usize]
    }
}

impl std::ops::IndexMut<Id> for Records {
    fn index_mut(&mut self, id: Id) -> &mut Record {
        &mut self.all[id as usize]
    }
}

impl Records {
    /// Makes a tree of only the root, with room for its lines.
    pub(crate) fn new(name: &'static str, lines: usize) -> Self {
        let mut records = Vec::with_capacity(1 + lines);
        records.push(Record::new(Name::Line(name), Kind::Flow, ROOT));
        Self {
            all: records,
            keys: Vec::new(),
            generation: 0,
            foreign: false,
            timed: false,
            tasked: false,
            next_row: 1,
            unsaved: Unsaved::default(),
            past: past::PastRows::default(),
            is_open: false,
            gone: let_go::Gone::default(),
            has_gaps: false,
            most: usize::MAX,
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

    /// Returns the row of the next record that is sent to a journal for the first time.
    pub(crate) fn next_row(&self) -> u32 {
        self.next_row
    }

    /// Takes what the first batch must hold. Empty when called again.
    pub(crate) fn take_unsaved(&mut self) -> Unsaved {
        std::mem::take(&mut self.unsaved)
    }

    /// Begins a step, or goes on with it. From its first attempt on it keeps its generation.
    #[inline]
    pub(crate) fn begin(&mut self, id: Id, now: Timestamp) {
        let generation = self.generation;
        let record = &mut self[id];
        record.begin(now);
        if generation > 0 && record.attempts == 1 {
            record.cold_mut().generation.get_or_insert(generation);
        }
    }

    /// Returns the numbers of all nodes.
    pub(crate) fn ids(&self) -> std::ops::Range<Id> {
        ROOT..self.next_id()
    }

    fn next_id(&self) -> Id {
        Id::try_from(self.all.len()).unwrap_or(Id::MAX)
    }

    /// Returns the first record of `parent`'s lines. Makes the records if they do not exist, and are
    /// within the limit.
    pub(crate) fn lines(&mut self, parent: Id, nodes: &'static [Line]) -> Result<Id, StepError> {
        let record = &self[parent];
        if record.count > 0 {
            return Ok(record.first);
        }
        self.room(nodes.len())?;
        Ok(self.make_lines(parent, nodes))
    }

    fn make_lines(&mut self, parent: Id, nodes: &'static [Line]) -> Id {
        let record = &self[parent];
        let is_parallel = record.kind.is_parallel();
        if record.count > 0 || nodes.is_empty() {
            return record.first;
        }
        let first = self.add(nodes.iter().map(|node| {
            let mut record = Record::new(Name::Line(node.name), node.kind(), parent);
            record.atomic = node.marks.atomic;
            record.optional = node.marks.passes_over();
            record.pivot = node.marks.pivot;
            if let Work::Step(meta) = &node.work {
                record.step_kind = meta.kind;
            }
            record.at_once = matches!(node.work, Work::For { at_once, .. } if at_once > 1);
            if is_parallel && !node.uses.is_empty() {
                record.cold_mut().needs = needs(node, nodes);
            }
            record
        }));
        let record = &mut self[parent];
        record.first = first;
        record.count = Id::try_from(nodes.len()).unwrap_or(Id::MAX);
        first
    }

    /// Gives a saved line of a `parallel` the needs that it has in the flow. Returns whether these
    /// differ from the saved ones.
    fn take_needs(&mut self, parent: Id, id: Id, nodes: &'static [Line], node: &Line) -> bool {
        let needs = if self[parent].kind.is_parallel() {
            needs(node, nodes)
        } else {
            Vec::new()
        };
        let record = &mut self[id];
        let differs = record.cold().needs != needs;
        if differs {
            record.cold_mut().needs = needs;
        }
        differs && record.status != Status::Pending
    }

    /// Makes the records of a `for`'s items, if they are within the limit.
    pub(crate) fn items(&mut self, parent: Id, keys: Keys) -> Result<(), StepError> {
        self.room(keys.len())?;
        let count = Id::try_from(keys.len()).unwrap_or(Id::MAX);
        // Each item, and one line on average.
        self.all.reserve(2 * keys.len());
        let list = self.add_keys(keys);
        let items = (0..count).map(|index| {
            let name = Name::Key { list, index };
            Record::new(name, Kind::Item, parent)
        });
        let first = self.add(items);
        let record = &mut self[parent];
        record.first = first;
        record.count = count;
        Ok(())
    }

    /// Makes the record of a `loop`'s next round, if it is within the limit.
    pub(crate) fn round(&mut self, parent: Id) -> Result<Id, StepError> {
        self.room(1)?;
        Ok(self.make_round(parent))
    }

    fn make_round(&mut self, parent: Id) -> Id {
        let number = self.rounds_begun(parent) + 1;
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let round = Record::new(Name::Number(number), Kind::Round, parent);
        let id = self.add(std::iter::once(round));
        self[parent].cold_mut().rounds.push(id);
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
        crate::model::state::path::join(self.names(id))
    }

    /// Returns the path of a node inside a flow that is around it.
    pub(crate) fn path_in(&self, flow: Id, id: Id) -> String {
        let around = self.names(flow).len();
        crate::model::state::path::join(self.names(id).split_off(around))
    }

    /// Returns the node and those around it, up to the root.
    pub(crate) fn around(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(Some(id), |at| (*at != ROOT).then(|| self[*at].parent))
    }

    /// Returns the names in the path of a node.
    pub(crate) fn names(&self, id: Id) -> Vec<Cow<'static, str>> {
        let around = self.around(id).filter(|at| *at != ROOT);
        let mut names: Vec<_> = around.map(|at| self.name(at)).collect();
        names.reverse();
        names
    }

    /// Returns whether this node, which has not begun, must be skipped.
    pub(crate) fn is_cancelled(&self, id: Id) -> bool {
        self.cancelled_around(id).is_some()
    }

    /// Returns why a node is cancelled, if it is.
    pub(crate) fn why_cancelled(&self, id: Id) -> Option<CancelReason> {
        let cancelled = self.cancelled_around(id)?;
        let parent = self[cancelled].parent;
        let lost = cancelled != ROOT && self[parent].kind == Kind::Race;
        Some(if lost {
            CancelReason::LostRace
        } else {
            CancelReason::SiblingFailed
        })
    }

    /// Returns the node that is cancelled, if `id` is or is below one.
    fn cancelled_around(&self, id: Id) -> Option<Id> {
        let mut at = id;
        loop {
            let record = &self[at];
            if record.cancelled {
                return Some(at);
            }
            if record.atomic || at == ROOT {
                return None;
            }
            at = record.parent;
        }
    }

    /// Returns whether `id` or a node below it is a pivot that is done. A pivot in a nested flow
    /// counts only there.
    pub(crate) fn is_past_pivot(&self, id: Id) -> bool {
        self.pivot_in(id).is_some()
    }

    /// Returns whether a node belongs to the flow itself, and not to a nested one.
    pub(crate) fn is_own(&self, id: Id) -> bool {
        let parent = self[id].parent;
        parent == ROOT || (self[parent].kind != Kind::Flow && self.is_own(parent))
    }

    /// Returns the first pivot that is done, or loop whose first rounds were let go, if it keeps the flow
    /// from being undone on request. A flow that has failed is undone up to its pivot.
    pub(crate) fn pivot(&self) -> Option<Id> {
        match self[ROOT].status {
            Status::Pending
            | Status::Running
            | Status::Waiting
            | Status::Done
            | Status::Stopped => {}
            _ => return None,
        }
        self.below(ROOT)
            .into_iter()
            .find_map(|id| self.pivot_in(id))
    }

    fn pivot_in(&self, id: Id) -> Option<Id> {
        let record = &self[id];
        if record.pivot && record.status == Status::Done || record.cold().let_go > 0 {
            return Some(id);
        }
        let below = match record.kind {
            Kind::Flow | Kind::Step => return None,
            _ => self.below(id),
        };
        below.into_iter().find_map(|id| self.pivot_in(id))
    }

    /// Returns the children of `id`, in order: for a `loop`, its rounds.
    pub(crate) fn below(&self, id: Id) -> Vec<Id> {
        let record = &self[id];
        match record.kind {
            Kind::Loop => record.cold().rounds.clone(),
            Kind::Step
            | Kind::Group
            | Kind::Parallel
            | Kind::Race
            | Kind::If
            | Kind::Match
            | Kind::For
            | Kind::Item
            | Kind::Round
            | Kind::Flow => record.children().collect(),
        }
    }

    /// Collects the failed nodes that have no failed node below them, except those whose failure is
    /// passed over.
    pub(crate) fn failures(&self, id: Id, failed: &mut Vec<(Id, Option<Timestamp>)>) {
        let record = &self[id];
        let mut below = false;
        // What was given up at a deadline did not cause the failure.
        let is_late = record.cold().cause == Some(FailureCause::Deadline);
        for child in self.below(id) {
            let child_record = &self[child];
            let counts =
                !(child_record.may_be_passed_over() || is_late && child_record.was_given_up());
            if child_record.has_failed() && counts {
                below = !is_late;
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

/// Returns the names of the lines that a line of a `parallel` uses.
fn needs(node: &Line, beside: &[Line]) -> Vec<Cow<'static, str>> {
    node.needs(beside).map(Cow::Borrowed).collect()
}
