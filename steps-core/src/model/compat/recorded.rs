//! What was recorded of one node, compared with its line: its kind, and each value that is read again,
//! forward or by an undo.

use std::collections::BTreeMap;

use serde_json::Error;

use crate::{
    base::json::Json,
    model::{
        state::{Kind, State, StepKind, Until},
        status::Status,
        table::{Line, Recording, StepMeta, Table, Work},
    },
};

/// How to find out whether a saved output can still be read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outputs {
    /// By decoding it.
    Values,
    /// By the text of its type, which is stored instead of the output.
    #[cfg(any(test, feature = "testing"))]
    Types,
}

/// Returns why the saved node does not fit the flow's line, if it does not. In a `foreign` tree,
/// which has no kinds, a node with children may be a group of any kind.
pub(crate) fn misfit(
    node: &Line,
    state: &State,
    foreign: bool,
    outputs: Outputs,
) -> Option<String> {
    let has_lines = match node.work {
        Work::Group(_) | Work::Parallel(_) | Work::Race(_) | Work::If { .. } | Work::Flow(_) => {
            true
        }
        // Its children are items or rounds, or that of a recorded choice, which a foreign tree can't have.
        Work::Step(_) | Work::Match { .. } | Work::For { .. } | Work::Loop { .. } => false,
    };
    let any_group = foreign && state.kind == Kind::Step && state.output.is_none() && has_lines;
    let both_plain = state.kind.is_plain_group() && node.kind().is_plain_group();
    let same = state.kind == node.kind() || both_plain || any_group;
    if !same {
        state.started_at?;
        return Some(format!(
            "its kind was `{}`, and is `{}` now",
            state.kind,
            node.kind()
        ));
    }
    if let Work::Step(meta) = &node.work
        && !foreign
        && let Some(why) = step_kind(meta, state)
    {
        return Some(why);
    }
    match &node.work {
        Work::Step(_) if !state.states.is_empty() => {
            Some("it was a group, and is a step now".to_owned())
        }
        Work::Step(meta) => output(meta, state, outputs)
            .or_else(|| before(meta, state).filter(|_| matches!(outputs, Outputs::Values)))
            .or_else(|| given(meta, state)),
        Work::For { items, .. } => {
            item_count(state).or_else(|| recorded(*items, node, state, "its items"))
        }
        Work::If { value, .. } => value.and_then(|value| recorded(value, node, state, MATCHED)),
        Work::Match { value, .. } => {
            arm_gone(node, state).or_else(|| recorded(*value, node, state, MATCHED))
        }
        Work::Loop { max, .. } => rounds(*max, state),
        Work::Group(_) | Work::Parallel(_) | Work::Race(_) => None,
        Work::Flow(table) => input(table, state).or_else(|| flow_output(table, state, outputs)),
    }
}

/// Returns how a step that has begun differs in kind from the line, if it does.
fn step_kind(meta: &StepMeta, state: &State) -> Option<String> {
    let is_active = matches!(state.status, Status::Running | Status::Waiting);
    if !(is_active || was_done(state)) {
        return None;
    }
    let other = |kind: StepKind| (!kind.is_call()).then_some(kind);
    let is_call = state.attempts > 1
        || !state.errors.is_empty()
        || state.before.is_some()
        || state.after.is_some()
        || state.info.is_some()
        || state.progress.is_some();
    let was = match state.step_kind {
        Some(kind) => other(kind),
        // Each of these lines was saved with its kind.
        None if meta.is_let() || meta.is_child() || meta.is_external() => None,
        // What follows is what can be known of a step that was saved without its kind.
        None if state.until == Some(Until::Signal) && state.status == Status::Waiting => {
            Some(StepKind::Signal)
        }
        None if is_active && state.input.is_some() => Some(StepKind::Signal),
        None if state.status == Status::Running => None,
        None if is_call => None,
        None if state.status == Status::Waiting && !meta.is_signal() => return None,
        None if state.status == Status::Waiting => {
            return Some("it waits for a time, and is a `signal` now".to_owned());
        }
        None => return None,
    };
    let is = meta.kind.and_then(other);
    let external = Some(StepKind::External);
    if was_done(state) && [was, is].contains(&external) && [was, is].contains(&None) {
        // Of either only the output is left.
        return None;
    }
    let text = |kind: Option<StepKind>| match kind {
        Some(StepKind::Let) => "a `let` line".to_owned(),
        Some(StepKind::External) => "an external step".to_owned(),
        Some(kind) => format!("a `{kind}`"),
        None => "the call of a function".to_owned(),
    };
    (was != is).then(|| format!("it was {}, and is {} now", text(was), text(is)))
}

/// Returns why a signal that was given to a step can't be read, if it can't.
fn given(meta: &StepMeta, state: &State) -> Option<String> {
    let is_active = matches!(state.status, Status::Running | Status::Waiting);
    let value = state
        .input
        .as_ref()
        .filter(|_| is_active && meta.is_signal())?;
    let why = meta.check_given(value.get()).err()?;
    Some(unreadable("the signal that it was given", why))
}

/// Returns whether a loop has begun more rounds than it may have.
fn rounds(max: u32, state: &State) -> Option<String> {
    let begun = state.rounds_begun();
    let goes_on = matches!(state.status, Status::Running | Status::Waiting);
    (max != 0 && goes_on && begun > max as usize)
        .then(|| format!("it has begun round {begun}, and may have {max} now"))
}

/// Returns whether what a node recorded when it began is read again, forward or by its undo.
pub(super) fn is_read_again(state: &State) -> bool {
    match state.status {
        Status::Pending | Status::Skipped | Status::Undone => false,
        Status::Running
        | Status::Waiting
        | Status::Done
        | Status::Failed
        | Status::Undoing
        | Status::UndoFailed
        | Status::Stuck
        | Status::Stopped => true,
    }
}

fn unreadable(what: &str, why: impl std::fmt::Display) -> String {
    format!("{what} can't be read: {why}")
}

/// Returns why a nested flow's saved input can't be read, if it can't.
fn input(table: &Table, state: &State) -> Option<String> {
    let saved = state.input.as_ref().filter(|_| is_read_again(state))?;
    let why = match saved.decode::<BTreeMap<String, Json>>() {
        Ok(fields) => table.unread(&fields)?,
        Err(error) => error.to_string(),
    };
    Some(unreadable("its saved input", why))
}

/// Returns why the saved output of a nested flow that is done can't be read, if it can't.
fn flow_output(table: &Table, state: &State, outputs: Outputs) -> Option<String> {
    if state.status != Status::Done || !matches!(outputs, Outputs::Values) {
        return None;
    }
    let output = state.output.as_ref().map_or("null", Json::get);
    let why = (table.check)(output).err()?;
    Some(unreadable("its saved output", why))
}

/// Returns why what a line recorded when it was entered can't be read, if it can't.
fn recorded(of: &dyn Recording, node: &Line, state: &State, what: &str) -> Option<String> {
    let saved = state.input.as_ref().filter(|_| is_read_again(state))?;
    let why = of.check(saved.get(), node.work.way(state)).err()?;
    Some(unreadable(what, why))
}

/// What an `if let` and a `match` record.
const MATCHED: &str = "the value that it matched";

/// Returns which arm a `match` has taken, if there is no such arm, and nothing of it has begun: what has
/// begun and is gone is told at its own node.
fn arm_gone(node: &Line, state: &State) -> Option<String> {
    let chosen = state.chosen.as_deref().filter(|_| is_read_again(state))?;
    let is_gone = node.work.way(state).arm.is_none() && state.states.is_empty();
    is_gone.then(|| format!("it has taken the arm `{chosen}`, which is not there any more"))
}

/// Returns why the undo of a step that is done does not get what was seen before the step, if it
/// takes that and does not get it.
fn before(meta: &StepMeta, state: &State) -> Option<String> {
    let check = meta.before.filter(|_| was_done(state))?;
    let why = match &state.before {
        Some(before) => check(before.get()).err()?.to_string(),
        None => "it was not recorded".to_owned(),
    };
    Some(unreadable(
        "what was seen before it, which its undo takes,",
        why,
    ))
}

/// Returns whether a step is done, or was before its undo began.
fn was_done(state: &State) -> bool {
    match state.status {
        Status::Done => true,
        // One with an error failed, and was taken back at once: no output of it was recorded.
        Status::Undoing | Status::UndoFailed => state.errors.is_empty(),
        _ => false,
    }
}

/// Returns whether the output of a step that is done is the one that was saved, and the step is not
/// called again.
pub(crate) fn is_saved(meta: &StepMeta, output: Option<&Json>, saved_as: Option<StepKind>) -> bool {
    if !meta.is_volatile() || output.is_some() {
        return true;
    }
    // A `null` is not saved. What older versions saved of a volatile step does not say what it is.
    saved_as != Some(StepKind::Volatile) && (meta.check)("null").is_ok()
}

/// Returns why a step's saved output can't be read, if it can't.
fn output(meta: &StepMeta, state: &State, outputs: Outputs) -> Option<String> {
    if !was_done(state) || !is_saved(meta, state.output.as_ref(), state.step_kind) {
        return None;
    }
    if state.step_kind == Some(StepKind::Volatile) && !meta.is_volatile() && meta.output != "()" {
        return Some("it was `volatile`, so its output was not saved".to_owned());
    }
    let parse = |text: &str| (meta.check)(text).map_err(|e: Error| e.to_string());
    let read = match (&state.output, &state.info, outputs) {
        #[cfg(any(test, feature = "testing"))]
        (Some(ty), _, Outputs::Types) => {
            let was = ty.decode::<String>().unwrap_or_default();
            if was == meta.output {
                return None;
            }
            return Some(format!("it gave `{was}`, and gives `{}` now", meta.output));
        }
        (Some(output), _, Outputs::Values) => parse(output.get()),
        (None, Some(info), _) => parse(info.get()).or_else(|_| parse("null")),
        (None, None, _) => parse("null"),
    };
    read.err().map(|why| unreadable("its saved output", why))
}

/// Returns the mismatch, if a `for` does not have a node for each of its items.
fn item_count(state: &State) -> Option<String> {
    let items = state.input.as_ref()?.decode::<Vec<serde::de::IgnoredAny>>();
    match items {
        Ok(items) if items.len() == state.states.len() => None,
        Ok(items) => Some(format!(
            "it has {} items and {} nodes for them",
            items.len(),
            state.states.len()
        )),
        Err(e) => Some(unreadable("its items", e)),
    }
}
