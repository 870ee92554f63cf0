//! What the terminal shows: the step at work, what went wrong and was undone, and the tree at the
//! end.

use std::{
    fmt,
    io::{IsTerminal as _, Write as _, stdout},
};

use steps::{Event, State, Status, state::Kind};

/// Called whenever a step changes its status.
pub(crate) fn on_event(event: &Event) {
    if event.kind != Kind::Step {
        return;
    }
    let path = &event.path;
    match (event.status, &event.error) {
        (Status::Failed, Some(error)) => line(format_args!("  ✗ {path}: {error}")),
        (Status::UndoFailed, Some(error)) => {
            line(format_args!("  ! {path} can't be undone: {error}"));
        }
        (Status::Undone, _) => line(format_args!("  ↺ {path} is undone")),
        (Status::Waiting, _) if event.attempt == 1 => {
            line(format_args!("  ◷ {path}: not yet, asking again"));
        }
        (Status::Running | Status::Undoing, _) => at_work(path),
        _ => {}
    }
}

/// Shows the steps, each with the time that it took.
pub(crate) fn show_tree(state: &State) {
    line(format_args!("{}", state.tree()));
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
