//! Whether a run may go on from the state it was given.

use super::Options;
use crate::{
    base::{error::caught, json::Json},
    language::flow::Flow,
    model::{
        compat::{Misfit, compare},
        state::State,
    },
};

/// Whether `state` is the flow's, with this input. Gives the input to record, where that changes.
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
    // A field may have been added since, or taken away: as it is read now, it may be the same.
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

/// Whether two JSON texts say the same, whatever their spaces and the order of their fields.
pub(crate) fn same_json(a: &Json, b: &Json) -> bool {
    let value = |json: &Json| json.decode::<serde_json::Value>().ok();
    a == b || value(a) == value(b)
}
