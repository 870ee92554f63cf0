//! What comes out of the store: decoded, and if a value can't be, without a loss.

use super::{
    Codec,
    passage::{Fault, Passage, Way},
};
use crate::{
    model::state::path,
    store::{
        Duty, ExecutionInfo, Existing, HeldExecution, Message, NewExecution, NodeRow, Notes,
        Refuser, StoreError, StoredExecution,
    },
};

/// Decodes what a store answers with.
pub(super) struct Outward<'a> {
    pub(super) codec: &'a dyn Codec,
    /// What the builds of refusers are told apart by: see [`Codec::identity`].
    pub(super) mark: u64,
}

impl Outward<'_> {
    fn passage<'a>(&'a self, id: &'a str, key: i64) -> Passage<'a> {
        Passage {
            codec: self.codec,
            way: Way::Out { id, key },
        }
    }

    pub(super) fn stored(&self, mut saved: StoredExecution) -> Result<StoredExecution, StoreError> {
        let (id, key) = (saved.info.id.clone(), saved.info.key);
        let passage = self.passage(&id, key);
        self.unmark_info(&mut saved.info);
        let passed = passage
            .info(&mut saved.info)
            .and_then(|()| passage.input(&mut saved.input))
            .and_then(|()| passage.nodes(&mut saved.nodes))
            .and_then(|()| messages(passage, &mut saved.messages));
        passed.map_err(|fault| of_execution(fault, &id, &saved.nodes))?;
        Ok(saved)
    }

    /// Decodes what was to be made, and was not.
    pub(super) fn given_back(&self, new: &mut NewExecution) -> Result<(), StoreError> {
        let id = new.id.clone();
        let passage = self.passage(&id, 0);
        let passed = passage
            .input(&mut new.input)
            .and_then(|()| passage.notes(&mut new.notes));
        passed.map_err(|fault| fault.told(&format!("execution `{id}`"), None))
    }

    /// Decodes what a worker was given. On an error, the values that can't be decoded are as they were.
    pub(super) fn held(&self, taken: &mut HeldExecution) -> Result<(), StoreError> {
        let (id, key) = (taken.info.id.clone(), taken.lease.key);
        let passage = self.passage(&id, key);
        self.unmark_info(&mut taken.info);
        for refuser in &mut taken.refused_by {
            self.mark(refuser);
        }
        if let Some(past) = &mut taken.past {
            self.mark(&mut past.by);
        }
        let mut first = Ok(());
        let mut note = |passed: Result<(), Fault>| {
            if first.is_ok() {
                first = passed;
            }
        };
        note(passage.info(&mut taken.info));
        note(passage.input(&mut taken.input));
        for row in &mut taken.nodes {
            note(passage.nodes(std::slice::from_mut(row)));
        }
        note(messages(passage, &mut taken.messages));
        first.map_err(|fault| of_execution(fault, &id, &taken.nodes))
    }

    /// Decodes what a list has. What can't be decoded stays as the store has it, and the execution says so.
    pub(super) fn listed(&self, info: &mut ExecutionInfo) {
        let id = info.id.clone();
        self.unmark_info(info);
        if let Err(fault) = self.passage(&id, info.key).info(info) {
            info.unreadable = Some(fault.error.to_string());
        }
    }

    pub(super) fn existing(&self, existing: &mut Existing) -> Result<(), StoreError> {
        let id = existing.info.id.clone();
        let passage = self.passage(&id, existing.info.key);
        self.unmark_info(&mut existing.info);
        let passed = passage
            .info(&mut existing.info)
            .and_then(|()| passage.input(&mut existing.input));
        passed.map_err(|fault| of_execution(fault, &id, &[]))
    }

    /// Decodes what is noted. What can't be decoded stays as the store has it.
    pub(super) fn notes(&self, id: &str, key: i64, notes: &mut Notes) {
        let _ = self.passage(id, key).notes(notes);
    }

    /// Decodes why a change was told in vain.
    pub(super) fn failure(
        &self,
        subscription: &str,
        number: i64,
        failure: &mut String,
    ) -> Result<(), StoreError> {
        let passage = Passage {
            codec: self.codec,
            way: Way::OutOfDuty { name: subscription },
        };
        let passed = passage.failure(number, failure);
        passed.map_err(|fault| fault.told(&format!("subscription `{subscription}`"), None))
    }

    pub(super) fn duty(&self, duty: &mut Duty) -> Result<(), StoreError> {
        let passage = Passage {
            codec: self.codec,
            way: Way::OutOfDuty { name: &duty.name },
        };
        let passed = passage.duty(&mut duty.value);
        passed.map_err(|fault| fault.told(&format!("duty `{}`", duty.name), None))
    }

    /// Decodes the messages before the first that can't be, and leaves out the others: they come again when
    /// the lease has been given back, and then the execution is left to a process that can read them.
    pub(super) fn arrived(&self, id: &str, key: i64, arrived: &mut Vec<(i64, Message)>) {
        let passage = self.passage(id, key);
        let mut all = arrived.iter_mut();
        let first = all.position(|(_, message)| passage.message(message).is_err());
        if let Some(first) = first {
            arrived.truncate(first);
        }
    }

    fn unmark_info(&self, info: &mut ExecutionInfo) {
        for refuser in info.refused.iter_mut().flat_map(|refused| &mut refused.by) {
            self.mark(refuser);
        }
    }

    /// Marks a refuser, or takes the mark away.
    pub(super) fn mark(&self, refuser: &mut Refuser) {
        refuser.build ^= self.mark;
    }
}

fn messages(passage: Passage<'_>, all: &mut [(i64, Message)]) -> Result<(), Fault> {
    all.iter_mut()
        .try_for_each(|(_, message)| passage.message(message))
}

/// Returns the error of an execution's value, which names the step.
fn of_execution(fault: Fault, id: &str, nodes: &[NodeRow]) -> StoreError {
    let step = fault.row.map(|row| path_of(nodes, row));
    fault.told(&format!("execution `{id}`"), step.as_deref())
}

/// Returns the path of a node, as far as the rows above it are there.
pub(super) fn path_of(nodes: &[NodeRow], row: u32) -> String {
    let mut names = Vec::new();
    let mut at = row;
    while at != 0 && names.len() < nodes.len() {
        let Some(found) = nodes.iter().find(|row| row.id == at) else {
            break;
        };
        names.push(&*found.node.name);
        at = found.parent;
    }
    path::join(names.into_iter().rev())
}
