//! What the terminal shows: the step at work, what went wrong and was undone, and the tree at the
//! end.

use std::{
    collections::HashMap,
    fmt,
    io::{IsTerminal as _, Write as _, stdout},
};

use steps::{State, Status, state::Kind};

/// What was shown already.
#[derive(Default)]
pub(crate) struct Progress(HashMap<String, Status>);

impl Progress {
    /// Of a deployment that was cut off: what is in this state was shown before.
    pub(crate) fn since(state: &State) -> Self {
        let steps = state.walk().map(|(path, node)| (path, node.status));
        Self(steps.collect())
    }

    /// Shows what has changed, and of that what was undone in the order in which it was: last first.
    pub(crate) fn show(&mut self, state: &State) {
        let mut nodes: Vec<_> = state.walk().collect();
        nodes.sort_by_key(|(_, node)| {
            let undo = node.undo.as_ref().filter(|_| node.kind == Kind::Step);
            undo.and_then(|undo| undo.done_at)
        });
        for (path, node) in nodes {
            if node.kind != Kind::Step || self.0.get(&path) == Some(&node.status) {
                continue;
            }
            let error = node.errors.last().map_or("", String::as_str);
            match node.status {
                Status::Failed => line(format_args!("  ✗ {path}: {error}")),
                Status::UndoFailed => {
                    let error = node.undo.as_ref().map_or("", |undo| &undo.err);
                    line(format_args!("  ! {path} can't be undone: {error}"));
                }
                Status::Undone => line(format_args!("  ↺ {path} is undone")),
                Status::Waiting if !self.0.contains_key(&path) || node.attempts == 1 => {
                    line(format_args!("  ◷ {path}: not yet, asking again"));
                }
                Status::Running | Status::Undoing => at_work(&path),
                _ => {}
            }
            self.0.insert(path, node.status);
        }
    }

    /// Shows what is left to be shown, and the steps, each with the time that it took.
    pub(crate) fn show_end(&mut self, state: &State) {
        self.show(state);
        line(format_args!("{}", state.tree()));
    }
}

/// Shows what is at work, until something else is shown.
fn at_work(path: &str) {
    let mut out = stdout().lock();
    if out.is_terminal() {
        let _ = write!(out, "\r\x1b[K  ▸ {path} …").and_then(|()| out.flush());
    }
}

/// Shows lines that stay. Should nobody read them, the deployment goes on nevertheless.
fn line(text: fmt::Arguments<'_>) {
    let mut out = stdout().lock();
    let _ = if out.is_terminal() {
        writeln!(out, "\r\x1b[K{}", coloured(&text.to_string()))
    } else {
        writeln!(out, "{text}")
    };
}

fn coloured(text: &str) -> String {
    text.replace('✓', "\x1b[32m✓\x1b[0m")
        .replace('✗', "\x1b[31m✗\x1b[0m")
        .replace('↺', "\x1b[33m↺\x1b[0m")
}
