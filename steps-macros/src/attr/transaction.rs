//! What a step or an undo in a transaction can't be as well.

use super::options::Options;
use crate::errors::Errors;

impl Options {
    /// Reports what a function that is called in a transaction can't be as well.
    pub(super) fn check_transaction(&self, errors: &mut Errors) {
        let Some(span) = self.transaction else { return };
        let others = [
            (
                self.polls,
                "a `transaction` is made once, and a step that polls is asked again and again: take \
                 `poll(…)` away, or `transaction`",
            ),
            (
                self.volatile,
                "the output of a `transaction` is kept with it, so it is saved: take `volatile` away",
            ),
            (
                self.external.is_some(),
                "an `external` step submits a task to somebody else, and a `transaction` changes this \
                 database: take one of the two away",
            ),
            (
                self.readonly,
                "a `transaction` is there for what it changes, and `readonly` says that there is \
                 nothing: take one of the two away",
            ),
            (
                self.blocking.is_some(),
                "a `transaction` is called where its connection is: take `blocking` away. A function \
                 that is not `async` is for a database like SQLite, whose calls return at once",
            ),
        ];
        for (_, why) in others.into_iter().filter(|(is, _)| *is) {
            errors.at(span, why);
        }
    }
}
