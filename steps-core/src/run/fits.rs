//! Checks whether a run may go on from a saved state.

use super::Options;
use crate::{
    base::{error::caught, json::Json},
    language::flow::Flow,
    model::{
        compat::{Misfit, compare},
        state::State,
    },
};

/// Checks that `state` fits the flow and has the given input. Returns the input to record, if it
/// changes.
pub(super) fn check<F: Flow>(
    state: &State,
    given: &F::Input,
    options: &Options,
) -> Result<Option<Json>, Misfit> {
    let table = F::TABLE;
    if !table.answers_to(&state.name) {
        return Err(Misfit::OtherFlow {
            flow: table.name,
            saved: state.name.to_string(),
        });
    }
    let comparison = compare(state, table);
    if !comparison.is_compatible() {
        return Err(Misfit::Tree(comparison));
    }
    let Some(saved) = &state.input else {
        return Ok(None);
    };
    let given = caught(|| F::save_input(given)).map_err(|e| Misfit::Input(e.to_string()))?;
    if options.replace_input {
        return Ok(Some(given));
    }
    let read = caught(|| F::load_input(saved)).map_err(|e| Misfit::Input(e.to_string()))?;
    // A field may have been added or removed since. Read and saved anew, the saved input may be
    // equal.
    if !same_json(saved, &given)
        && !caught(|| F::save_input(&read)).is_ok_and(|read| same_json(&read, &given))
    {
        return Err(Misfit::OtherInput {
            saved: saved.to_string(),
            given: given.to_string(),
        });
    }
    Ok(None)
}

/// Returns whether two JSON texts have the same value, whatever their spaces and the order of their
/// fields.
pub(crate) fn same_json(a: &Json, b: &Json) -> bool {
    let value = |json: &Json| json.decode::<serde_json::Value>().ok();
    a == b || value(a) == value(b)
}
