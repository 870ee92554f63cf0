//! Converts records to and from the saved tree.

use std::collections::HashSet;

use super::{ColdFields, Id, NO_ROW, Name, ROOT, Record, Records, past::PastRows};
use crate::{
    model::{
        state::{Kind, Labels, NodeData, Row, State, StepKind},
        status::Status,
        table::{Line, Work, lookup::Lookup},
    },
    store::RowRanges,
};

impl Records {
    /// Returns the saved form of a node and everything below it.
    pub(crate) fn state(&self, id: Id) -> State {
        // Without rows: they belong to one journal, and the state may be given to another.
        let mut state = State::from(self.node(id));
        let below = self.below(id).into_iter();
        state.states = below.map(|id| self.state(id)).collect();
        state
    }

    /// Returns the saved form of a node alone.
    pub(crate) fn node(&self, id: Id) -> NodeData {
        let mut node = NodeData::default();
        self.write_node(id, &mut node);
        node
    }

    /// Makes a node that says nothing the saved form of this one. In place, as a node is large.
    pub(crate) fn write_node(&self, id: Id, node: &mut NodeData) {
        let record = &self[id];
        if let Some(cold) = &record.cold {
            node.clone_from(&cold.data);
        }
        node.name = self.name(id);
        node.kind = record.kind;
        // A node that has not begun says nothing.
        let has_begun = record.started_at.is_some();
        node.parallel = record.at_once && record.status != Status::Pending;
        let is_call = record.kind == Kind::Step && record.status == Status::Waiting;
        let step_kind = record.step_kind.or(is_call.then_some(StepKind::Call));
        node.step_kind = step_kind.filter(|_| has_begun);
        if !has_begun {
            node.begun_after = None;
        }
        if record.status == Status::Pending {
            node.needs.clear();
        }
        node.status = record.status;
        node.started_at = record.started_at;
        node.done_at = record.done_at;
        node.attempts = record.attempts;
        node.output.clone_from(&record.output);
    }

    /// Makes the records of a saved tree. The caller has checked that the tree fits the table.
    pub(crate) fn from_state(state: &State, name: &'static str, nodes: &'static [Line]) -> Self {
        Self::from_state_without(state, RowRanges::default(), name, nodes)
    }

    /// The same, of a tree that may have been read without rows that are past.
    pub(crate) fn from_open_state(
        state: &State,
        name: &'static str,
        nodes: &'static [Line],
    ) -> Self {
        let mut tree = Self::new(name, nodes.len());
        tree.is_open = true;
        tree.fill_tree(state, nodes);
        tree
    }

    /// The same, of a tree that was read without these rows, which are past.
    pub(crate) fn from_state_without(
        state: &State,
        past: RowRanges,
        name: &'static str,
        nodes: &'static [Line],
    ) -> Self {
        let mut tree = Self::new(name, nodes.len());
        tree.past = PastRows::left_out(past);
        tree.is_open = tree.is_partial();
        tree.fill_tree(state, nodes);
        tree.take_rows(state);
        tree
    }

    fn fill_tree(&mut self, state: &State, nodes: &'static [Line]) {
        self.foreign = state.id.is_none();
        self.fill(ROOT, state);
        self.generation = state.generation.unwrap_or(0);
        self.fill_lines(ROOT, nodes, &state.states);
    }

    /// Keeps the rows of the saved tree, if a journal with exactly these rows holds exactly this
    /// tree. Otherwise the first batch must replace all rows.
    fn take_rows(&mut self, state: &State) {
        // All but the root, whose row is always the same.
        let mut rows = HashSet::new();
        let mut nodes = 0;
        let mut left: Vec<&State> = state.states.iter().collect();
        while let Some(node) = left.pop() {
            nodes += 1;
            let row = node.row.get();
            rows.extend(row.filter(|row| (1..=Row::MOST).contains(row)));
            left.extend(&node.states);
        }
        let filled = self.unsaved.ids.len() - 1;
        if rows.len() < nodes {
            // Some nodes have no row, or share one.
            for record in &mut self.all {
                record.row = NO_ROW;
            }
            rows.clear();
        }
        let as_saved = state.row.get() == Some(0) && rows.len() == filled && nodes == filled;
        if as_saved {
            self.unsaved.ids = std::mem::take(&mut self.unsaved.differing);
        } else {
            self.unsaved.replaces = true;
        }
        let next = rows.into_iter().max().map_or(1, |largest| largest + 1);
        self.next_row = next.max(self.past.next_row());
    }

    /// Notes that this record differs from the saved one, so the journal must be sent it.
    pub(crate) fn differs(&mut self, id: Id) {
        if !self.unsaved.replaces {
            self.unsaved.ids.push(id);
        }
    }

    fn fill(&mut self, id: Id, state: &State) {
        self.timed |= state.deadline.is_some();
        self.tasked |= state.task.is_some();
        self.unsaved.ids.push(id);
        let foreign = self.foreign;
        let record = &mut self[id];
        record.row = state.row.get().unwrap_or(NO_ROW);
        record.status = state.status;
        record.attempts = state.attempts;
        record.started_at = state.started_at;
        record.done_at = state.done_at;
        record.output.clone_from(&state.output);
        record.loaded = false;
        if matches!(
            state.status,
            Status::Done | Status::Undoing | Status::UndoFailed | Status::Undone
        ) && !(foreign && record.step_kind == Some(StepKind::Let))
        {
            record.step_kind = state.step_kind;
        }
        let mut data = state.node.clone();
        // These belong to the execution; the run and the record hold them.
        (data.id, data.labels, data.output) = (None, Labels::new(), None);
        record.cold = Some(Box::new(ColdFields {
            data,
            ..ColdFields::default()
        }));
    }

    fn fill_lines(&mut self, parent: Id, nodes: &'static [Line], states: &[State]) {
        if states.is_empty() {
            return;
        }
        let first = self.make_lines(parent, nodes);
        let lookup = Lookup::of(nodes);
        let saved = lookup.states(states);
        for ((id, node), state) in (first..).zip(nodes).zip(saved) {
            let Some(state) = state else {
                continue;
            };
            self.fill(id, state);
            let adopted = self.adopt_info(id, node);
            let other_needs = self.take_needs(parent, id, nodes, node);
            if adopted || other_needs || state.name != node.name {
                self.unsaved.differing.push(id);
            }
            self.fill_below(id, node, state);
        }
        if !self[parent].kind.is_parallel() {
            self.note_order(first, nodes, &lookup, states);
        }
    }

    /// Makes the `info` of a done step its output, in a document that another program wrote, if the
    /// step's output can be read from it. Returns whether it was.
    fn adopt_info(&mut self, id: Id, node: &'static Line) -> bool {
        let Work::Step(meta) = &node.work else {
            return false;
        };
        if !self.foreign || meta.is_volatile() {
            return false;
        }
        let record = &mut self[id];
        if record.status == Status::Done
            && record.output.is_none()
            && let Some(info) = &record.cold().info
            && (meta.check)(info.get()).is_ok()
        {
            record.output = Some(info.clone());
            return true;
        }
        false
    }

    fn fill_below(&mut self, id: Id, node: &'static Line, state: &State) {
        match &node.work {
            Work::Step(_) => {}
            Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::Flow(_)
            | Work::If { .. }
            | Work::Match { .. } => {
                let lines = node.work.own_lines(node.work.way(state));
                self.fill_lines(id, lines, &state.states);
                match &node.work {
                    Work::Race(lines) => self.fill_race(id, lines),
                    Work::Match { .. } => self.fill_match(id, lines),
                    _ => {}
                }
            }
            Work::For { body, at_once, .. } => {
                if *at_once == 0 {
                    self[id].at_once = state.parallel;
                }
                let first = self.next_id();
                let count = state.states.len();
                for item in &state.states {
                    let name = Name::Text(item.name.as_ref().into());
                    self.all.push(Record::new(name, Kind::Item, id));
                }
                self[id].first = first;
                self[id].count = Id::try_from(count).unwrap_or(Id::MAX);
                for (item, state) in (first..).zip(&state.states) {
                    self.fill(item, state);
                    self.fill_lines(item, body, &state.states);
                }
            }
            Work::Loop { body, keep, .. } => {
                let before = state.rounds_missing();
                let is_whole = *keep > 0 || !self.is_open;
                let cold = self[id].cold_mut();
                cold.rounds_before = before;
                if is_whole {
                    cold.let_go = before;
                    self.has_gaps |= *keep == 0 && before > 0;
                }
                self.fill_rounds(id, body, &state.states);
            }
        }
    }

    /// Makes the records of saved rounds.
    pub(super) fn fill_rounds(&mut self, id: Id, body: &'static [Line], rounds: &[State]) {
        for state in rounds {
            let round = self.make_round(id);
            self.fill(round, state);
            self.fill_lines(round, body, &state.states);
        }
    }
}
