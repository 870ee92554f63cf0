//! Finds the steps of a tree that wait for a signal, and those whose external task is under way.

use super::{Id, Record};
use crate::model::{state::Kind, status::Status};

impl super::Records {
    /// Collects the steps that wait for a signal.
    pub(crate) fn waiting_for_signal(&self, id: Id, found: &mut Vec<Id>) {
        let open = [Status::Running, Status::Waiting, Status::Stopped];
        self.steps(id, &open, Record::waits_for_signal, found);
    }

    /// Collects the steps on whose external task a report can still change something. What is to be
    /// recovered is pending, and its tasks go on.
    pub(crate) fn open_tasks(&self, id: Id, found: &mut Vec<Id>) {
        let open = [
            Status::Pending,
            Status::Running,
            Status::Waiting,
            Status::Stopped,
        ];
        self.steps(id, &open, |step| step.open_task().is_some(), found);
    }

    /// Collects steps below what is in one of these statuses.
    fn steps(&self, id: Id, open: &[Status], is_one: fn(&Record) -> bool, found: &mut Vec<Id>) {
        let record = &self[id];
        match record.kind {
            Kind::Step if is_one(record) => found.push(id),
            Kind::Step => {}
            _ if !open.contains(&record.status) => {}
            // All rounds but the last one have ended.
            Kind::Loop => {
                if let Some(last) = record.cold().rounds.last() {
                    self.steps(*last, open, is_one, found);
                }
            }
            _ => {
                for child in record.children() {
                    self.steps(child, open, is_one, found);
                }
            }
        }
    }
}
