//! The rules that concern several lines, checked once the flow is parsed: which lines a group can
//! have (`lines`), which are never reached (`endless`), which names a line can use (`visibility`, with `uses` and `places`), and what its arguments may
//! call (`plain`, by `names`).

mod endless;
mod lines;
mod names;
mod places;
pub(super) mod plain;
mod uses;
mod visibility;

use super::model::{Flow, Plan};
use crate::errors::Errors;

/// Checks the flow, and removes lines that nothing can be generated for.
pub(super) fn check(flow: &mut Flow, errors: &mut Errors) {
    lines::check(flow, errors);
    endless::check(&flow.lines, errors);
    visibility::check(flow, errors);
}

/// Checks the list of a plan, and removes lines that nothing can be generated for.
pub(super) fn check_plan(plan: &mut Plan, errors: &mut Errors) {
    lines::check(&mut plan.flow, errors);
}
