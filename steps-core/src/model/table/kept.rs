//! What of the round before a round of a `loop` is needed again later, when that one may be gone.

use super::{Line, Work};

/// Returns whether restoring a round with these lines evaluates code that uses the round before;
/// `prev` are the numbers of the lines that use it.
pub(crate) const fn asks_prev(body: &[Line], prev: &[usize]) -> bool {
    let mut at = 0;
    while at < prev.len() {
        if evaluates(&body[prev[at]]) {
            return true;
        }
        at += 1;
    }
    false
}

/// Returns whether restoring a line may evaluate what the user wrote in it.
const fn evaluates(line: &Line) -> bool {
    match &line.work {
        Work::Step(meta) => meta.is_volatile(),
        // What a plain condition has decided is recorded.
        Work::If {
            then,
            otherwise,
            value: None,
        } => any_evaluates(then) || any_evaluates(otherwise),
        Work::If { value: Some(_), .. } | Work::Match { .. } | Work::For { .. } | Work::Flow(_) => {
            true
        }
        Work::Group(lines)
        | Work::Parallel(lines)
        | Work::Race(lines)
        | Work::Loop { body: lines, .. } => any_evaluates(lines),
    }
}

const fn any_evaluates(lines: &[Line]) -> bool {
    let mut at = 0;
    while at < lines.len() {
        if evaluates(&lines[at]) {
            return true;
        }
        at += 1;
    }
    false
}

/// Returns whether the undo of a line with these arguments uses the round before.
pub(crate) fn undoes_by_prev(body: &[Line], prev: &[usize]) -> bool {
    let mut lines = prev.iter().filter_map(|line| body.get(*line));
    lines.any(has_undo)
}

fn has_undo(line: &Line) -> bool {
    let is_one = matches!(&line.work, Work::Step(meta) if meta.undo);
    is_one || line.work.any(has_undo)
}

/// Returns how many rounds of a `loop keep n` stay recorded.
///
/// # Panics
///
/// Panics at compile time if it is 0, or if a line makes something of `prev` that is not recorded.
pub const fn kept_rounds(keep: u32, body: &[Line], prev: &[usize]) -> u32 {
    assert!(
        keep > 0,
        "`keep 0` would keep nothing, and the next round may use the one before: give 1 or more"
    );
    assert!(
        !asks_prev(body, prev),
        "a line of this loop looks at `prev` in a way that is not recorded (`if let`, `match`, `for`, a \
         nested flow, a volatile step), and older rounds are let go: take what it needs into a `let` line \
         above it, `let last: T = prev.map(…);`"
    );
    keep
}
