//! Volatile steps of a saved tree: their outputs were not saved, so the steps are made again.

use super::{Id, ROOT, Records};
use crate::model::{
    compat::is_saved,
    status::{Status, Transition},
    table::{Line, StepMeta, Work},
};

impl Records {
    /// Makes the volatile steps pending that are done, and the nodes above them running: the pass
    /// makes them again like any other step, with their policy, where they stand. Nothing changes in
    /// an execution that has ended or is being undone.
    pub(crate) fn run_volatile_again(&mut self, nodes: &'static [Line]) {
        match self[ROOT].status {
            Status::Pending | Status::Running | Status::Waiting => {
                self.again_below(ROOT, nodes);
            }
            _ => {}
        }
    }

    /// Returns whether a step below is made again.
    fn again_below(&mut self, parent: Id, nodes: &'static [Line]) -> bool {
        let mut any = false;
        for (id, node) in self[parent].children().zip(nodes) {
            any |= self.again(id, node);
        }
        any
    }

    fn again(&mut self, id: Id, node: &'static Line) -> bool {
        let status = self[id].status;
        if !matches!(status, Status::Done | Status::Running | Status::Waiting) {
            return false;
        }
        let any = match &node.work {
            Work::Step(meta) => {
                let again = status == Status::Done && !self.is_saved(id, meta);
                if again {
                    self.make_again(id);
                }
                return again;
            }
            // Its own output is saved.
            Work::Flow(_) if status == Status::Done => false,
            Work::For { body, .. } => {
                let mut any = false;
                for item in self[id].children() {
                    any |= self.again_inside(item, body);
                }
                any
            }
            // Later lines see only the last round.
            Work::Loop { body, .. } => match self[id].cold().rounds.last().copied() {
                Some(last) => self.again_inside(last, body),
                None => false,
            },
            Work::Race(lines) if self[id].cold().chosen.is_some() => {
                // What the others did is over.
                let mut any = false;
                if let Some((line, winner)) = self.winner(id, lines) {
                    any = self.again(winner, &lines[line]);
                }
                any
            }
            Work::Group(_)
            | Work::Parallel(_)
            | Work::Race(_)
            | Work::If { .. }
            | Work::Match { .. }
            | Work::Flow(_) => {
                let lines = node.work.own_lines(node.work.way(self[id].cold()));
                return self.again_inside(id, lines);
            }
        };
        if any {
            self.reopen(id);
        }
        any
    }

    /// The same of the lines of a node, which goes on if any is made again.
    fn again_inside(&mut self, id: Id, lines: &'static [Line]) -> bool {
        if !matches!(self[id].status, Status::Done | Status::Running) {
            return false;
        }
        let any = self.again_below(id, lines);
        if any {
            self.reopen(id);
        }
        any
    }

    /// Returns whether the output of a step that is done was saved, so that it is not made again.
    pub(crate) fn is_saved(&self, id: Id, meta: &StepMeta) -> bool {
        let record = &self[id];
        !meta.is_volatile() || is_saved(meta, record.output.as_ref(), record.step_kind)
    }

    fn make_again(&mut self, id: Id) {
        let record = &mut self[id];
        record.on(Transition::Recover);
        record.done_at = None;
        record.output = None;
        let attempts = record.attempts;
        let cold = record.cold_mut();
        (cold.after, cold.after_err) = (None, None);
        // Neither these attempts nor their polls count for the policy any more.
        cold.failures = attempts;
        self.differs(id);
    }

    fn reopen(&mut self, id: Id) {
        if self[id].status != Status::Done {
            return;
        }
        let record = &mut self[id];
        record.on(Transition::Recover);
        record.on(Transition::Begin);
        record.done_at = None;
        self.differs(id);
    }
}
