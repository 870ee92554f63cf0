//! Keeping the value of a step: in its slot, and in the form in which it is saved.

use super::{
    codec::Codec,
    cx::Cx,
    scope::{Answer, Unkept},
    slot::Slot,
};
use crate::base::{error::StepError, json::Json};

/// Where the value of an attempt is kept, and how.
#[allow(missing_debug_implementations)]
pub struct Keep<'a, T> {
    pub(super) codec: Codec<T>,
    pub(super) slot: &'a (dyn Slot<T> + Sync),
    /// The most bytes of JSON.
    pub(super) most: usize,
    /// The context of the attempt, whose run limits how much all values have.
    pub(super) cx: &'a Cx,
}

impl<T: Send + Sync + 'static> Keep<'_, T> {
    /// Keeps a value. What later lines are given is what a resume would give them.
    pub(super) fn keep(&self, value: T) -> Answer {
        match self.form(value) {
            Ok((value, saved)) => self.put(value, saved),
            Err(unkept) => Answer::Unkept(unkept),
        }
    }

    /// Returns a value as a resume would give it, and its saved form.
    pub(super) fn form(&self, value: T) -> Result<(T, Option<Json>), Unkept> {
        let (why, value) = match self.codec.keep(value) {
            Ok((value, saved)) => match saved.as_ref().map_or(0, |saved| saved.get().len()) {
                bytes if bytes > self.most => {
                    (StepError::too_large("output", bytes, self.most), value)
                }
                bytes => match self.cx.take_room(bytes) {
                    Ok(()) => return Ok((value, saved)),
                    Err(why) => (why, value),
                },
            },
            Err((error, value)) => {
                let why = format!("its output can't be saved as JSON: {error}");
                (StepError::fatal(why), value)
            }
        };
        let output = Box::new(value);
        Err(Unkept { why, output })
    }

    /// Keeps a value that has a saved form.
    pub(super) fn put(&self, value: T, saved: Option<Json>) -> Answer {
        self.slot.put(value);
        Answer::Done(saved)
    }
}
