//! What is noted of an execution beside its tree: attributes and a status message, and what operators have
//! done with it. Anybody may change it at any time, whoever holds the execution and whatever its status.

use serde::Serialize;

use super::execution::Handle;
use crate::{
    engine::error::EngineError,
    interpreter::RunLimits,
    model::{
        act::Operator,
        attrs::{Attrs, InvalidAttrs},
        notes::message,
    },
    store::{NoteChange, Notes},
};

impl Handle {
    /// Sets the execution's attributes in place of those it has: any object that serde can save.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidValue`] where the value is no object, or larger than
    /// [a payload may be](crate::RunLimits::payload); [`EngineError::Unknown`] where there is no such
    /// execution.
    pub async fn set_attrs<T: Serialize + ?Sized>(&self, attrs: &T) -> Result<(), EngineError> {
        let attrs = self.attrs(Attrs::encode(attrs))?;
        self.note(NoteChange::Attrs(attrs)).await.map(drop)
    }

    /// Patches the execution's attributes, and returns what they are then: each field of the patch
    /// takes the place of the one of its name, an object is merged into an object, and `null` removes:
    /// see [`Attrs::patched`]. Patches that come at the same time are all made, one after the other.
    ///
    /// # Errors
    ///
    /// As of [`set_attrs`](Self::set_attrs).
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use steps::{engine::{EngineError, Handle}};
    /// # async fn note(run: &Handle) -> Result<(), EngineError> {
    /// let attrs = run.patch_attrs(&BTreeMap::from([("checked_by", Some("ann")), ("open", None)])).await?;
    /// println!("{attrs}");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn patch_attrs<T: Serialize + ?Sized>(
        &self,
        patch: &T,
    ) -> Result<Attrs, EngineError> {
        let patch = self.attrs(Attrs::encode(patch))?;
        Ok(self.note(NoteChange::Patch(patch)).await?.attrs)
    }

    /// Sets the execution's status message: how it is going, in the service's own words, such as "waits
    /// for the customer". It stays until it is set again; an empty one is none. Of more than 16 KiB,
    /// the beginning is kept. The execution's own status is not changed.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`] where there is no such execution.
    pub async fn set_status_message(&self, text: impl AsRef<str>) -> Result<(), EngineError> {
        let text = message(text.as_ref());
        self.note(NoteChange::StatusMessage(text)).await.map(drop)
    }

    /// Returns a handle that records who does what is done by it, and why: a stop, an undo, a signal, a
    /// recovery, a decision about a failed undo. It stands in [`acts`](crate::store::ExecutionInfo::acts),
    /// the newest 100 of an execution. A change of its tree is recorded in the same write; a request or a
    /// signal right after it. What is refused is not recorded, and of what is deleted nothing is left.
    ///
    /// ```
    /// use steps::engine::{EngineError, Handle, Operator};
    ///
    /// # async fn mend(run: &Handle) -> Result<(), EngineError> {
    /// let ann = Operator::new("ann").reason("ticket 71: the bank works again");
    /// run.acting_as(ann).recover().await?;
    /// for act in run.info().await?.acts {
    ///     println!("{} {} by {}", act.at, act.act, act.by);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn acting_as(&self, operator: Operator) -> Self {
        let mut handle = self.clone();
        handle.operator = Some(operator);
        handle
    }

    /// Returns the note of what the operator does, if one was named.
    pub(super) fn act(&self, act: &str, step: Option<&str>) -> Option<NoteChange> {
        let now = self.engine.core.clock.now();
        let operator = self.operator.as_ref()?;
        Some(NoteChange::Act(operator.does(now, act, step)))
    }

    /// Records what the operator has done, if one was named.
    pub(super) async fn acted(&self, act: &str, step: Option<&str>) -> Result<(), EngineError> {
        match self.act(act, step) {
            Some(note) => self.note(note).await.map(drop),
            None => Ok(()),
        }
    }

    fn attrs(&self, attrs: Result<Attrs, InvalidAttrs>) -> Result<Attrs, EngineError> {
        let attrs = attrs.map_err(|error| self.invalid(error.to_string()))?;
        let limits = &self.engine.core.limits;
        limits
            .check_attrs(&attrs)
            .map_err(|why| self.invalid(why))?;
        Ok(attrs)
    }

    fn invalid(&self, why: String) -> EngineError {
        let id = self.id.to_string();
        EngineError::InvalidValue { id, why }
    }

    async fn note(&self, change: NoteChange) -> Result<Notes, EngineError> {
        let core = &self.engine.core;
        core.check_runtime()?;
        let noted = core.store.annotate(self.id.to_string(), vec![change]);
        noted.await?.ok_or_else(|| self.unknown())
    }
}

/// Checks what is noted of a new execution.
pub(in crate::engine) fn check_notes(notes: &Notes, limits: &RunLimits) -> Result<(), String> {
    limits.check_attrs(&notes.attrs)?;
    let trigger = &notes.trigger;
    trigger
        .check()
        .map_err(|why| format!("`{trigger}` can't be what started it: {why}"))
}
