//! What the terminal shows: a line for each thing that happens, and the tree at the end.

use std::{io::IsTerminal as _, time::Duration};

/// Called whenever a step changes its status.
pub(crate) fn on_event(path: &str, status: &str, attempt: u32, error: Option<&str>) {
    let sign = sign(status);
    match (status, error) {
        (_, Some(error)) => println!("  {sign} {path}: {error}"),
        ("waiting", None) if attempt == 1 => println!("  {sign} {path}: not yet, asking again"),
        ("done" | "undone", None) => println!("  {sign} {path}"),
        _ => {}
    }
}

/// One line of the tree.
pub(crate) struct Row<'a> {
    pub(crate) depth: usize,
    pub(crate) name: &'a str,
    pub(crate) status: &'a str,
    pub(crate) took: Option<Duration>,
}

/// Shows the steps with the time that each took.
pub(crate) fn print_tree<'a>(rows: impl IntoIterator<Item = Row<'a>>) {
    for row in rows {
        let indent = 2 * row.depth;
        let sign = sign(row.status);
        let width = 30 - indent.min(20);
        let took = row.took.map_or(String::new(), |took| {
            format!("{:8.1} ms", took.as_secs_f64() * 1000.0)
        });
        println!(
            "{:indent$}{sign} {:width$} {:10} {took}",
            "", row.name, row.status
        );
    }
}

fn sign(status: &str) -> &'static str {
    let (plain, coloured) = match status {
        "done" => ("+", "\x1b[32m✓\x1b[0m"),
        "failed" | "undo_failed" | "stuck" => ("x", "\x1b[31m✗\x1b[0m"),
        "undone" => ("<", "\x1b[33m↶\x1b[0m"),
        "waiting" | "running" | "undoing" => (".", "…"),
        _ => (" ", " "),
    };
    if std::io::stdout().is_terminal() {
        coloured
    } else {
        plain
    }
}
