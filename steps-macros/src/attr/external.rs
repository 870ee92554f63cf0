//! What an external step can't be as well.

use super::options::Options;
use crate::errors::Errors;

impl Options {
    /// Reports what an external step can't be as well.
    pub(super) fn check_external(&self, errors: &mut Errors) {
        let Some(span) = self.external else { return };
        if self.polls {
            errors.at(
                span,
                "an `external` step is not asked whether it is done, as that is reported: take \
                 `poll(…)` away, or `external`",
            );
        }
        if self.volatile {
            errors.at(
                span,
                "the output of an `external` step is reported once, so it has to be saved: take \
                 `volatile` away",
            );
        }
    }
}
