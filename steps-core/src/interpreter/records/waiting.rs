//! Finds the steps of a tree that wait for a signal, and those whose external task is under way.

use super::Id;
use crate::model::{state::Kind, status::Status};

impl super::Records {
    /// Collects the steps that wait for a signal.
    pub(crate) fn waiting_for_signal(&self, id: Id, found: &mut Vec<Id>) {
        let record = &self[id];
        match record.kind {
            Kind::Step if record.waits_for_signal() => found.push(id),
            Kind::Step => {}
            _ if !matches!(
                record.status,
                Status::Running | Status::Waiting | Status::Stopped
            ) => {}
            // All rounds but the last one have ended.
            Kind::Loop => {
                if let Some(last) = record.cold().rounds.last() {
                    self.waiting_for_signal(*last, found);
                }
            }
            _ => {
                for child in record.children() {
                    self.waiting_for_signal(child, found);
                }
            }
        }
    }
    /// Collects the steps on whose external task a report can still change something.
    pub(crate) fn open_tasks(&self, id: Id, found: &mut Vec<Id>) {
        let record = &self[id];
        match record.kind {
            Kind::Step if record.open_task().is_some() => found.push(id),
            Kind::Step => {}
            _ if !matches!(
                record.status,
                Status::Pending | Status::Running | Status::Waiting | Status::Stopped
            ) => {}
            // All rounds but the last one have ended.
            Kind::Loop => {
                if let Some(last) = record.cold().rounds.last() {
                    self.open_tasks(*last, found);
                }
            }
            _ => {
                for child in record.children() {
                    self.open_tasks(child, found);
                }
            }
        }
    }
}
