//! Checks whether a run may go on from a saved state.

use std::collections::BTreeMap;

use super::Options;
use crate::{
    base::{
        error::caught,
        json::{Json, compare::same},
    },
    interpreter::RunLimits,
    language::{flow::Flow, input::keep_input},
    model::{
        compat::{Misfit, compare},
        state::State,
        table::Table,
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
    if !options.replace_input && options.read_from.as_ref() == Some(saved) {
        return Ok(None);
    }
    let given = caught(|| F::save_input(given)).map_err(|e| Misfit::BadInput(e.to_string()))?;
    if options.replace_input {
        check_size(&given, &options.limits)?;
        return Ok(Some(given));
    }
    let read = caught(|| F::load_input(saved)).map_err(|e| Misfit::Input(e.to_string()))?;
    if is_same_input::<F>(saved, || Ok(read), &given) {
        return Ok(None);
    }
    Err(Misfit::OtherInput {
        saved: saved.to_string(),
        given: given.to_string(),
    })
}

/// Returns the input to run with where none is recorded yet: as it is read back from its saved form, which
/// may be what it was read from.
pub(super) fn given<F: Flow>(
    input: F::Input,
    is_recorded: bool,
    read_from: Option<Json>,
    limits: &RunLimits,
) -> Result<Option<(F::Input, Json)>, Misfit> {
    let (input, saved) = match read_from {
        _ if is_recorded => return Ok(None),
        Some(saved) => (input, saved),
        None => keep_input::<F>(&input).map_err(|error| Misfit::BadInput(error.to_string()))?,
    };
    check_size(&saved, limits)?;
    Ok(Some((input, saved)))
}

fn check_size(input: &Json, limits: &RunLimits) -> Result<(), Misfit> {
    let checked = limits.check("input", Some(input));
    checked.map_err(|error| Misfit::LargeInput(error.text()))
}

/// Returns whether a saved input is the one that is given now. A field may have been added since, or taken
/// away: as it is `read` now, it may be the same.
fn is_same_input<F: Flow>(
    saved: &Json,
    read: impl FnOnce() -> Result<F::Input, serde_json::Error>,
    given: &Json,
) -> bool {
    let again = || caught(|| F::save_input(&read()?));
    same(saved.get(), given.get()) || again().is_ok_and(|again| same(again.get(), given.get()))
}

/// Returns whether a saved input is the one that is given now. A newer form of the flow may have saved it,
/// with a parameter that this one does not have: where that was given nothing, it is the same.
pub(crate) fn is_input<F: Flow>(saved: &Json, given: &Json) -> bool {
    let known = without_unknown_nulls(saved, F::TABLE);
    let saved = known.as_ref().unwrap_or(saved);
    is_same_input::<F>(saved, || F::load_input(saved), given)
}

/// Returns an input without the fields that no parameter takes and that are `null`, if there are any.
fn without_unknown_nulls(saved: &Json, table: &Table) -> Option<Json> {
    let mut fields: BTreeMap<String, Json> = saved.decode().ok()?;
    let all = fields.len();
    fields.retain(|name, value| value.get() != "null" || table.untaken(name).is_none());
    (fields.len() < all).then(|| Json::encode(&fields).ok())?
}
