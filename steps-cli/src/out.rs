//! Writing: text for people, with colours where they are wanted and as wide as the terminal; JSON for
//! programs.
#![expect(
    clippy::unused_self,
    reason = "a command writes in one way, whether or not that depends on the options"
)]

use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
};

use clap::ValueEnum;
use comfy_table::{Cell, Color as Ink, ContentArrangement, Table};
use serde::Serialize;
use steps::Status;

use crate::{
    args::{Color, Global},
    error::Error,
};

/// Makes a file for the output. One that is there is not written over.
pub(crate) fn new_file(path: &str) -> Result<File, Error> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.map_err(|error| Error::of_file(path, &error))
}

/// Where the output goes, and in which form.
pub(crate) struct Out {
    pub(crate) json: bool,
    colours: bool,
}

impl Out {
    pub(crate) fn new(global: &Global) -> Self {
        let choice = match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let colours = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
            }
        };
        Self {
            json: global.json,
            colours,
        }
    }

    /// Whether a person looks at the output.
    pub(crate) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes a line for people.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<(), Error> {
        Ok(writeln!(io::stdout().lock(), "{}", text.as_ref())?)
    }

    /// Writes a value for programs, on one line.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<(), Error> {
        let mut stdout = io::stdout().lock();
        serde_json::to_writer(&mut stdout, value)?;
        Ok(writeln!(stdout)?)
    }

    /// Writes what is beside the output: on a terminal it is seen, in a pipe it is not in the way.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        // Who does not read it, does not need it.
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }

    /// Tells why a command was not done.
    pub(crate) fn error(&self, error: &Error) {
        if error.is_told() {
            return;
        }
        let mut stderr = io::stderr().lock();
        let _ = if self.json {
            let value = serde_json::json!({"error": error.to_string(), "kind": error.code.name()});
            writeln!(stderr, "{value}")
        } else {
            writeln!(stderr, "steps: {error}")
        };
    }

    /// A table without borders. It wraps where it is wider than the terminal, and nowhere in a pipe.
    pub(crate) fn table(&self, head: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(head.iter().map(|name| self.dim(name)));
        if self.colours {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        match self.width() {
            Some(width) => table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table
    }

    /// The width of the terminal, if that is where the output goes.
    fn width(&self) -> Option<u16> {
        if !self.is_terminal() {
            // As other programs take it, for a pipe.
            return env::var("COLUMNS").ok()?.parse().ok();
        }
        let (_, columns) = console::Term::stdout().size_checked()?;
        Some(columns)
    }

    /// A cell of what is less important.
    pub(crate) fn dim(&self, text: &str) -> Cell {
        Cell::new(text).fg(Ink::DarkGrey)
    }

    /// A cell with a status in its colour.
    pub(crate) fn status(&self, status: Status) -> Cell {
        let cell = Cell::new(status.as_str());
        match colour(status) {
            Some(Paint { ink, .. }) => cell.fg(ink),
            None => cell,
        }
    }

    /// A status in its colour.
    pub(crate) fn status_text(&self, status: Status) -> String {
        self.painted(status.as_str(), colour(status))
    }

    /// A drawn tree with its marks in colours.
    pub(crate) fn tree(&self, tree: &str) -> String {
        let lines = tree.lines().map(|line| {
            let at = line.find(|letter| !"│├└─ ".contains(letter));
            let Some((at, mark)) = at.and_then(|at| Some((at, line[at..].chars().next()?))) else {
                return line.to_owned();
            };
            let (before, rest) = line.split_at(at);
            let rest = &rest[mark.len_utf8()..];
            let paint = MARKS.iter().find(|(of, _)| *of == mark);
            let paint = paint.and_then(|(_, status)| colour(*status));
            let mark = self.painted(mark.encode_utf8(&mut [0; 4]), paint);
            format!("{before}{mark}{rest}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn painted(&self, text: &str, paint: Option<Paint>) -> String {
        match paint {
            Some(Paint { code, .. }) if self.colours => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// A colour, for a table and for text.
#[derive(Clone, Copy)]
struct Paint {
    ink: Ink,
    code: u8,
}

fn colour(status: Status) -> Option<Paint> {
    let (ink, code) = match status {
        Status::Done => (Ink::DarkGreen, 32),
        Status::Failed | Status::Stuck | Status::UndoFailed => (Ink::DarkRed, 31),
        Status::Running | Status::Undoing => (Ink::DarkCyan, 36),
        Status::Waiting => (Ink::DarkYellow, 33),
        Status::Stopped => (Ink::DarkMagenta, 35),
        _ => return None,
    };
    Some(Paint { ink, code })
}

/// The marks of a drawn tree.
const MARKS: [(char, Status); 7] = [
    ('▸', Status::Running),
    ('◷', Status::Waiting),
    ('✓', Status::Done),
    ('✗', Status::Failed),
    ('↶', Status::Undoing),
    ('!', Status::Stuck),
    ('■', Status::Stopped),
];

impl std::fmt::Display for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.to_possible_value() {
            Some(value) => f.write_str(value.get_name()),
            None => Ok(()),
        }
    }
}
