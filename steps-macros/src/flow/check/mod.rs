//! The rules across lines, once all is parsed: which lines may stand together (`lines`), and which
//! names a line may use (`visibility`; `uses` finds the names in an expression).

mod lines;
mod uses;
mod visibility;

use super::model::Flow;
use crate::errors::Errors;

/// Checks the whole flow. Lines that can't stand are taken out.
pub(super) fn check(flow: &mut Flow, errors: &mut Errors) {
    lines::check(flow, errors);
    visibility::check(flow, errors);
}
