//! Checks what must hold for trees with concurrent branches.

use proptest::prelude::*;

use super::{Fate, KINDS, RandomLine, What, reference::firsts};
use crate::{
    model::{
        state::{FailureCause, Kind, State, path},
        status::Status,
    },
    testing::Effect,
};

/// Returns whether `a` must come before `b`; `false` if their order is open.
pub(super) fn comes_before(a: &str, b: &str) -> bool {
    let (a, b): (Vec<_>, Vec<_>) = (path::split(a).collect(), path::split(b).collect());
    let Some(differs) = a.iter().zip(&b).position(|(a, b)| a != b) else {
        return false;
    };
    if differs > 0 && a[differs - 1].starts_with('r') {
        return false;
    }
    let at_once = differs > 0 && a[differs - 1].starts_with('p');
    let number = |name: &str| {
        let name = name.trim_start_matches(KINDS);
        // A key or the number of a round uses nothing.
        let (number, uses) = name.split_once('u').unwrap_or((name, "0"));
        Some((number.parse::<u32>().ok()?, uses.parse::<u32>().ok()?))
    };
    match (number(&a[differs]), number(&b[differs])) {
        (Some((a, _)), Some((b, uses))) => a < b && (!at_once || uses >> a & 1 == 1),
        _ => false,
    }
}

/// Checks that each atomic line of a `parallel` has begun that has begun itself, whatever failed beside it,
/// unless it uses others.
pub(super) fn check_atomic(lines: &[RandomLine], state: &State) -> Result<(), TestCaseError> {
    for (index, line) in lines.iter().enumerate() {
        let name = super::name(index, line);
        let Some(node) = state.states.iter().find(|node| node.name == name) else {
            continue;
        };
        let below = line.what.lines();
        match line.what {
            What::For(..) | What::Loop(..) => {
                for item in &node.states {
                    check_atomic(below, item)?;
                }
            }
            _ => check_atomic(below, node)?,
        }
        if !matches!(line.what, What::Parallel(_)) || node.started_at.is_none() {
            continue;
        }
        for (index, line) in below
            .iter()
            .enumerate()
            .filter(|(_, line)| line.marks.atomic)
        {
            let name = super::name(index, line);
            let begun = node.states.iter().find(|node| node.name == name);
            let begun = begun.is_some_and(|node| node.started_at.is_some());
            prop_assert!(begun || !name.ends_with("u0"), "{name}: {}", state.tree());
        }
    }
    Ok(())
}

/// Checks that of a race that is done one line is, the one whose name is recorded; or that one is passed over.
pub(super) fn check_races(lines: &[RandomLine], state: &State) -> Result<(), TestCaseError> {
    let races = state.walk().filter(|(_, node)| node.kind == Kind::Race);
    for (path, race) in races.filter(|(_, node)| node.status == Status::Done) {
        let done = race.states.iter();
        let done = done.filter(|node| node.status == Status::Done);
        let done: Vec<&str> = done.map(|node| &*node.name).collect();
        let chosen = race.chosen.as_deref();
        let winner = race.states.iter().find(|node| Some(&*node.name) == chosen);
        let line = chosen.and_then(|name| line_at(lines, &format!("{path}.{name}")));
        let passed_over = winner.is_some_and(|node| node.status != Status::Done)
            && line.is_some_and(|line| line.marks.optional);
        let expected: Vec<&str> = chosen.into_iter().filter(|_| !passed_over).collect();
        prop_assert_eq!(done, expected, "{}: {}", path, state.tree());
        prop_assert!(winner.is_some(), "{}: {}", path, state.tree());
    }
    Ok(())
}

/// Returns the line at a path.
fn line_at<'l>(lines: &'l [RandomLine], path: &str) -> Option<&'l RandomLine> {
    let mut lines = lines;
    let mut found = None;
    for part in path::split(path) {
        let Some(part) = part.strip_prefix(KINDS) else {
            // The key of an item, or the number of a round.
            continue;
        };
        let index: usize = part.split('u').next()?.parse().ok()?;
        let line = lines.get(index)?;
        found = Some(line);
        lines = line.what.lines();
    }
    found
}

fn is_verified(lines: &[RandomLine], path: &str) -> bool {
    let line = line_at(lines, path);
    matches!(line, Some(line) if matches!(line.what, What::Step { fate: Fate::Verified, .. }))
}

pub(super) fn check_laws(
    lines: &[RandomLine],
    state: &State,
    log: &[Effect],
) -> Result<(), TestCaseError> {
    let may_stick = lines.iter().any(|line| line.what.has_bad_undo());
    prop_assert!(
        matches!(state.status, Status::Done | Status::Undone)
            || may_stick && state.status == Status::Stuck,
        "{}",
        state.tree()
    );
    let read = State::from_json(&state.to_json());
    prop_assert_eq!(state.diff(&read.unwrap()), []);
    let place = |effect: &Effect| log.iter().position(|other| other == effect);
    let (did, undid) = firsts(log);
    for a in &did {
        for b in &did {
            if !comes_before(a, b) {
                continue;
            }
            let did = |name: &str| place(&Effect::Did(name.to_owned()));
            let undid = |name: &str| place(&Effect::Undid(name.to_owned()));
            prop_assert!(did(a) < did(b), "{a} and {b}: {log:?}");
            if let (Some(undid_a), Some(undid_b)) = (undid(a), undid(b)) {
                // An undo inside an optional line that failed happened long before.
                let later = did(b).is_some_and(|did_b| did_b < undid_a);
                prop_assert!(!later || undid_b < undid_a, "undo of {a} and {b}: {log:?}");
            }
        }
    }
    for name in &undid {
        prop_assert!(did.contains(name), "{name} was not done: {log:?}");
    }
    // The effects of done steps are there, all others are not.
    let there = |path: &str| {
        let last = log.iter().rev().find(|effect| match effect {
            Effect::Did(name) | Effect::Undid(name) => name == path,
        });
        matches!(last, Some(Effect::Did(_)))
    };
    for (path, node) in state.walk().filter(|(_, node)| node.kind == Kind::Step) {
        // What was cut off may have had its effect, and only a verify can tell.
        let cut_off = node.cause == Some(FailureCause::OutOfTime);
        if cut_off && !is_verified(lines, &path) {
            prop_assert_eq!(node.status, Status::Failed);
            continue;
        }
        match node.status {
            Status::Done | Status::UndoFailed => prop_assert!(there(&path), "{path}: {log:?}"),
            Status::Undone | Status::Skipped | Status::Pending | Status::Failed => {
                prop_assert!(!there(&path), "{path}: {log:?}\n{}", state.tree());
            }
            other => prop_assert!(false, "{path} is {other}"),
        }
        if state.status == Status::Undone {
            prop_assert!(!there(&path), "{path} was left: {log:?}\n{}", state.tree());
        }
    }
    Ok(())
}
