//! Drawing a state as a tree for people, with a mark for each status, durations and errors.

use std::fmt;

use super::{Kind, State, Until};
use crate::{
    base::{clock::between, took::Took},
    model::status::Status,
};

impl State {
    /// Returns the tree in printable form. The first line is this node; each node takes one line,
    /// and there is no newline at the end.
    ///
    /// | mark | status |
    /// |---|---|
    /// | `·` | pending |
    /// | `▸` | running |
    /// | `◷` | waiting |
    /// | `✓` | done |
    /// | `✗` | failed |
    /// | `-` | skipped |
    /// | `↶` | undoing |
    /// | `↺` | undone; a node whose rollback had nothing to undo keeps the mark from before |
    /// | `!` | undo failed, stuck |
    /// | `■` | stopped |
    ///
    /// `d ← b, c` is a line of a `parallel` that uses the values of the lines `b` and `c` beside it.
    ///
    /// ```
    /// # use steps::state::State;
    /// let state = State::from_json(
    ///     r#"{"name":"deploy","err":"no disk","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:02.5Z",
    ///         "states":[
    ///         {"name":"unpack","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:00.012Z"},
    ///         {"name":"start","err":"no disk","attempts":3,
    ///          "startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02.5Z"}]}"#,
    /// )?;
    /// assert_eq!(state.tree().to_string(), "\
    /// ✗ deploy  2.5 s
    /// ├─ ✓ unpack  12 ms
    /// └─ ✗ start  1.5 s, 3 attempts: no disk");
    /// # Ok::<_, steps::state::StateError>(())
    /// ```
    pub fn tree(&self) -> Tree<'_> {
        Tree(self)
    }
}

/// A printable state, from [`State::tree`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Tree<'a>(&'a State);

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        node(self.0, f)?;
        below(self.0, &mut String::new(), f)
    }
}

fn below(state: &State, indent: &mut String, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let length = indent.len();
    let count = state.states.len();
    for (i, child) in state.states.iter().enumerate() {
        let last = i + 1 == count;
        write!(f, "\n{indent}{}", if last { "└─ " } else { "├─ " })?;
        node(child, f)?;
        indent.push_str(if last { "   " } else { "│  " });
        below(child, indent, f)?;
        indent.truncate(length);
    }
    Ok(())
}

fn node(state: &State, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{} ", mark(state))?;
    if state.kind == Kind::Round {
        f.write_str("round ")?;
    }
    line(&state.name, f)?;
    arrows(state, f)?;
    let mut notes = Notes { f, first: true };
    let empty = nothing_below(state);
    if let (None, Some(from), Some(to)) = (empty, state.started_at, state.done_at) {
        notes.add(format_args!("{}", Took(between(from, to))))?;
    }
    if state.attempts > 1 {
        notes.add(format_args!("{} attempts", state.attempts))?;
    }
    match state.deaths {
        0 => {}
        1 => notes.add(format_args!("its process died"))?,
        deaths => notes.add(format_args!("its process died {deaths} times"))?,
    }
    if let Some(progress) = state.progress.filter(|_| state.status != Status::Done) {
        match progress.total {
            0 => notes.add(format_args!("{} so far", progress.done))?,
            total => notes.add(format_args!("{} of {total}", progress.done))?,
        }
    }
    if state.kind == Kind::Loop && state.rounds_missing() > 0 {
        notes.add(format_args!("{} rounds let go", state.rounds_missing()))?;
    }
    if let Some(empty) = empty {
        notes.add(format_args!("{empty}"))?;
    } else if (state.kind, state.decision) == (Kind::If, Some(false)) {
        notes.add(format_args!("else"))?;
    }
    if state.status == Status::Waiting {
        match state.until {
            Some(Until::Time(time)) => notes.add(format_args!("until {time}"))?,
            Some(Until::Signal) => notes.add(format_args!("for a signal"))?,
            Some(Until::Child) => match state.child_execution() {
                Some(child) => notes.add(format_args!("for `{child}`"))?,
                None => notes.add(format_args!("for a child"))?,
            },
            Some(Until::Report) => reported(state, &mut notes)?,
            None => {}
        }
    }
    if let Some(deadline) = state.deadline
        && matches!(state.status, Status::Running | Status::Waiting)
    {
        notes.add(format_args!("until {deadline} at the latest"))?;
    }
    if state.status == Status::UndoFailed {
        notes.add(format_args!("undo failed"))?;
    }
    if let (Status::Undoing, Some(time)) = (
        state.status,
        state.undo.as_ref().and_then(|undo| undo.until),
    ) {
        notes.add(format_args!("undo again at {time}"))?;
    }
    if !told_below(state) {
        errors(state, f)?;
    }
    if let Some(error) = &state.after_err {
        f.write_str("; look after: ")?;
        line(error, f)?;
    }
    match &state.undo {
        Some(undo) if !undo.err.is_empty() => {
            f.write_str("; undo: ")?;
            line(&undo.err, f)
        }
        _ => Ok(()),
    }
}

/// Writes what a step waits for whose task somebody else runs, and what was reported of it.
fn reported(state: &State, notes: &mut Notes<'_, '_>) -> fmt::Result {
    notes.add(format_args!("for a report"))?;
    let Some(task) = state.task.as_ref().filter(|task| task.revision > 0) else {
        return Ok(());
    };
    notes.add(format_args!("its task is {}", task.status))?;
    if task.revision > 1 {
        notes.add(format_args!("run {}", task.revision))?;
    }
    if let Some(check_in) = &task.check_in {
        let plain = |char: char| if char.is_control() { ' ' } else { char };
        let text: String = check_in.get().chars().map(plain).take(80).collect();
        notes.add(format_args!("told {text}"))?;
    }
    Ok(())
}

/// Writes the lines of the same `parallel` after which this one begins: at most three.
fn arrows(state: &State, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const MOST: usize = 3;
    for (i, need) in state.needs.iter().take(MOST).enumerate() {
        f.write_str(if i == 0 { " ← " } else { ", " })?;
        line(need, f)?;
    }
    match state.needs.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => write!(f, ", {more} more"),
    }
}

/// Returns what a line that had nothing to do says instead of how long it took.
fn nothing_below(state: &State) -> Option<&'static str> {
    let is_empty = state.status != Status::Pending && state.states.is_empty();
    match state.kind {
        Kind::If if is_empty && state.decision == Some(false) => Some("not taken"),
        Kind::For if is_empty && state.status == Status::Done => Some("no items"),
        _ => None,
    }
}

/// Writes the first error and the newest: attempts mostly fail for the same reason.
fn errors(state: &State, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let count = state.error_count();
    let (Some(first), Some(last)) = (state.errors.first(), state.errors.last()) else {
        return Ok(());
    };
    if state.errors.iter().all(String::is_empty) {
        return Ok(());
    }
    f.write_str(": ")?;
    if first != last {
        line(first, f)?;
        match count - 2 {
            0 => f.write_str("; ")?,
            between => write!(f, "; {between} more; ")?,
        }
    }
    line(last, f)
}

/// Returns whether every error of the node was only passed up from a child, which shows it too.
pub(crate) fn told_below(state: &State) -> bool {
    state.errors.iter().all(|error| {
        state
            .states
            .iter()
            .flat_map(|below| &below.errors)
            .any(|told| !told.is_empty() && error.ends_with(told.as_str()))
    })
}

/// The mark of a node, by its status.
pub(crate) fn mark(state: &State) -> char {
    match state.status {
        Status::Pending => '·',
        Status::Running => '▸',
        Status::Waiting => '◷',
        Status::Done => '✓',
        Status::Failed => '✗',
        Status::Undoing => '↶',
        Status::Undone if state.is_taken_back() => '↺',
        // Its rollback had nothing to undo.
        Status::Undone if !state.errors.is_empty() => '✗',
        Status::Undone if state.done_at.is_some() => '✓',
        Status::Skipped | Status::Undone => '-',
        Status::UndoFailed | Status::Stuck => '!',
        Status::Stopped => '■',
    }
}

/// Writes the notes after a node's name.
struct Notes<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    first: bool,
}

impl Notes<'_, '_> {
    fn add(&mut self, note: fmt::Arguments<'_>) -> fmt::Result {
        self.f.write_str(if self.first { "  " } else { ", " })?;
        self.first = false;
        self.f.write_fmt(note)
    }
}

/// The maximum number of characters that are shown of a text.
const SHOWN: usize = 500;

/// Writes text, cut to [`SHOWN`], without line breaks and without control characters, which could
/// affect the terminal.
pub(crate) fn line(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let end = text.char_indices().nth(SHOWN).map(|(end, _)| end);
    let shown = &text[..end.unwrap_or(text.len())];
    parts(shown, f)?;
    match end {
        Some(_) => f.write_str("…"),
        None => Ok(()),
    }
}

fn parts(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, part) in text.split(char::is_control).enumerate() {
        if i > 0 {
            f.write_str(" ")?;
        }
        f.write_str(part)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::model::state::{NodeData, State, arbitrary};

    #[test]
    fn the_failed_go_file_tells_each_error_once() {
        let text = include_str!("../../../../tests/data/go-move-to-vpc-failed.json");
        let tree = State::from_json(text).unwrap().tree().to_string();
        assert_eq!(
            tree,
            "\
✗ MoveToVPC  2.2 µs
├─ ✓ initialize  861 ns
│  ├─ ✓ initialize CVM  110 ns
│  └─ ✓ initialize ENIs  80 ns
└─ ✗ preFlight  711 ns
   ├─ ✓ chkAccount  80 ns
   └─ ✗ chkNetwork  271 ns: Can't check network"
        );
    }

    #[test]
    fn every_note_has_its_place() {
        let text = r#"{"name":"f","status":"stuck","startedAt":"2026-01-01T00:00:00Z","states":[
            {"name":"a","status":"waiting","startedAt":"2026-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z",
             "attempts":2,"progress":{"done":3,"total":10},"err":"two\nlines"},
            {"name":"b","status":"waiting","until":"signal"},
            {"name":"c","status":"undo_failed","undo":{"err":"gone"}},
            {"name":"d","kind":"if","status":"skipped","decision":false},
            {"name":"e","kind":"loop","states":[{"name":"1","kind":"round","progress":{"done":3,"total":0}}]}]}"#;
        assert_eq!(
            State::from_json(text).unwrap().tree().to_string(),
            "\
! f
├─ ◷ a  2 attempts, 3 of 10, until 2026-01-02T00:00:00Z: two lines
├─ ◷ b  for a signal
├─ ! c  undo failed; undo: gone
├─ - d  not taken
└─ · e
   └─ · round 1  3 so far"
        );
    }

    #[test]
    fn what_had_nothing_to_do_does_not_say_how_long_that_took() {
        let times = r#""startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:00Z""#;
        let text = format!(
            r#"{{"name":"f","status":"running","startedAt":"2026-01-01T00:00:00Z","states":[
            {{"name":"a","kind":"if","decision":false,{times}}},
            {{"name":"b","kind":"if","decision":false,{times},"states":[{{"name":"x",{times}}}]}},
            {{"name":"c","kind":"if","decision":true,{times},"states":[{{"name":"x",{times}}}]}},
            {{"name":"d","kind":"for",{times}}},
            {{"name":"e","kind":"if"}},
            {{"name":"g","kind":"for","startedAt":"2026-01-01T00:00:00Z"}}]}}"#
        );
        assert_eq!(
            State::from_json(&text).unwrap().tree().to_string(),
            "\
▸ f
├─ ✓ a  not taken
├─ ✓ b  0 ns, else
│  └─ ✓ x  0 ns
├─ ✓ c  0 ns
│  └─ ✓ x  0 ns
├─ ✓ d  no items
├─ · e
└─ ▸ g"
        );
    }

    #[test]
    fn of_many_errors_the_first_and_the_newest_are_told() {
        let tree = |texts: &[&str]| {
            let mut state = State::from(NodeData {
                name: "a".into(),
                ..NodeData::default()
            });
            for text in texts {
                state.add_error((*text).to_owned());
            }
            state.tree().to_string()
        };
        assert_eq!(tree(&["no"]), "· a: no");
        assert_eq!(tree(&["no"; 7]), "· a: no");
        assert_eq!(tree(&["no", "gone"]), "· a: no; gone");
        assert_eq!(tree(&["no", "x", "x", "gone"]), "· a: no; 2 more; gone");
        let mut many = vec!["no"; 1000];
        many.push("gone");
        assert_eq!(tree(&many), "· a: no; 999 more; gone");
        let long = "é".repeat(3000);
        assert_eq!(
            tree(&[&long]),
            format!("· a: {}…", "é".repeat(super::SHOWN))
        );
    }

    #[test]
    fn an_undo_that_waits_says_until_when() {
        let text = r#"{"name":"a","status":"undoing","doneAt":"2026-01-01T00:00:00Z","startedAt":"2026-01-01T00:00:00Z",
            "undo":{"err":"busy","attempts":2,"until":"2026-01-02T00:00:00Z"}}"#;
        assert_eq!(
            State::from_json(text).unwrap().tree().to_string(),
            "↶ a  0 ns, undo again at 2026-01-02T00:00:00Z; undo: busy"
        );
    }

    proptest! {
        #[test]
        fn one_line_for_each_node(state in arbitrary::state()) {
            prop_assert_eq!(state.tree().to_string().lines().count(), state.walk().count());
        }
    }
}
