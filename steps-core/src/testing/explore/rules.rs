//! The user's settings of a comparison.

use std::collections::BTreeSet;

use crate::{model::state::State, testing::Lab};

/// By which rules the ends of two runs are compared.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) once: BTreeSet<String>,
    pub(super) concurrent: bool,
    pub(super) checks: Vec<Box<dyn Fn(&Lab, &State) -> Result<(), String>>>,
}
