//! What the service notes of an execution beside its tree: attributes and a status message. Anybody may
//! change them at any time, whoever holds the execution and whatever its status.

use serde::Serialize;

use super::execution::Handle;
use crate::{
    engine::error::EngineError,
    interpreter::RunLimits,
    model::{
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
