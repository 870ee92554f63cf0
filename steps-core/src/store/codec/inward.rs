//! What goes into the store: encoded, or nothing is written.

use super::{
    Codec, Owner,
    passage::{Fault, Passage, Way},
};
use crate::store::{
    Child, LeaseAfter, NoteChange, Refused, SendMessage, SetDuty, Settled, StoreError, Target,
    Write,
};

/// Encodes what a store is asked for.
pub(super) struct Inward<'a> {
    pub(super) codec: &'a dyn Codec,
    /// See [`Codec::identity`].
    pub(super) mark: u64,
}

impl Inward<'_> {
    fn passage<'a>(&'a self, owner: Owner<'a>) -> Passage<'a> {
        let is_raw = false;
        Passage {
            codec: self.codec,
            way: Way::In { owner, is_raw },
        }
    }

    /// Encodes a write. With `is_raw`, values that are encoded already stay as they are.
    pub(super) fn write(&self, write: &mut Write, is_raw: bool) -> Result<(), StoreError> {
        let (whose, passed) = match &mut write.target {
            Target::New(new) => {
                let passage = self.passage(Owner::Id(&new.id));
                let passed = passage
                    .input(&mut new.input)
                    .and_then(|()| passage.notes(&mut new.notes))
                    .and_then(|()| passage.nodes(&mut write.nodes))
                    .and_then(|()| passage.note_changes(&mut write.notes));
                (format!("execution `{}`", new.id), passed)
            }
            Target::Held(lease) => {
                let owner = Owner::Key(lease.key);
                let passage = Passage {
                    codec: self.codec,
                    way: Way::In { owner, is_raw },
                };
                let passed = passage
                    .nodes(&mut write.nodes)
                    .and_then(|()| passage.note_changes(&mut write.notes))
                    .and_then(|()| match &mut write.then {
                        LeaseAfter::Refuse(refused) => passage.refusal(&mut refused.why),
                        LeaseAfter::Keep | LeaseAfter::Release { .. } => Ok(()),
                    });
                (String::new(), passed)
            }
        };
        passed.map_err(|fault| {
            let whose = if whose.is_empty() {
                "an execution"
            } else {
                &whose
            };
            fault.not_written(whose)
        })?;
        if let LeaseAfter::Refuse(refused) = &mut write.then {
            self.refused(refused);
        }
        if let Some(past) = &mut write.past {
            past.by.build ^= self.mark;
        }
        for child in &mut write.children {
            self.child(child)?;
        }
        write.tells.iter_mut().try_for_each(|tell| self.send(tell))
    }

    /// Marks those who refuse an execution.
    pub(super) fn refused(&self, refused: &mut Refused) {
        for refuser in &mut refused.by {
            refuser.build ^= self.mark;
        }
    }

    fn child(&self, child: &mut Child) -> Result<(), StoreError> {
        let passage = self.passage(Owner::Id(&child.new.id));
        let passed = passage
            .input(&mut child.new.input)
            .and_then(|()| passage.notes(&mut child.new.notes))
            .and_then(|()| passage.nodes(&mut child.nodes));
        of_execution(passed, &child.new.id)
    }

    pub(super) fn send(&self, send: &mut SendMessage) -> Result<(), StoreError> {
        let passage = self.passage(Owner::Id(&send.id));
        of_execution(passage.message(&mut send.message), &send.id)
    }

    pub(super) fn notes(&self, id: &str, changes: &mut [NoteChange]) -> Result<(), StoreError> {
        of_execution(self.passage(Owner::Id(id)).note_changes(changes), id)
    }

    /// Encodes why changes were told in vain.
    pub(super) fn settled(&self, settled: &mut Settled) -> Result<(), StoreError> {
        let name = &settled.subscription;
        for failed in &mut settled.failed {
            let passage = self.passage(Owner::Duty(name));
            let passed = passage.failure(failed.number, &mut failed.failure);
            passed.map_err(|fault| fault.not_written(&format!("subscription `{name}`")))?;
        }
        Ok(())
    }

    pub(super) fn duty(&self, set: &mut SetDuty) -> Result<(), StoreError> {
        if let Some(to) = &mut set.to {
            let passed = self.passage(Owner::Duty(&set.name)).duty(&mut to.value);
            passed.map_err(|fault| fault.not_written(&format!("duty `{}`", set.name)))?;
        }
        set.start.iter_mut().try_for_each(|child| self.child(child))
    }
}

fn of_execution(passed: Result<(), Fault>, id: &str) -> Result<(), StoreError> {
    passed.map_err(|fault| fault.not_written(&format!("execution `{id}`")))
}
