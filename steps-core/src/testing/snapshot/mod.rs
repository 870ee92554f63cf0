//! Comparing a flow with a snapshot of it that lies in the repository.
//!
//! `tree` is what a snapshot holds, with `examples` of what types save, `write` and `read` its JSON, `possible_states` and `one_line` the comparison,
//! and `report` the messages.

mod examples;
mod one_line;
mod possible_states;
mod read;
mod report;
#[cfg(test)]
mod tests;
mod tree;
mod write;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::{language::flow::Flow, model::table::Table};
use read::IsOlder;
use report::{Finding, Problem, message};
use tree::{Examples, FlowSnapshot};

/// Asserts that the flow, as it is compiled now, can continue every execution of it that may be
/// running, at whatever step.
///
/// The flow is compared with a *snapshot*: a JSON file, committed with the sources, that shows the
/// flow's tree as it was when it was last written. A change that would strand an execution fails
/// the test, before it is deployed, with the name of each step and what to do: give it an `alias`,
/// keep it, or leave the flow as it was and start new executions with another.
///
/// ```no_run
/// # use steps::prelude::*;
/// # #[step]
/// # async fn create_vm() -> Result<u32, String> { Ok(7) }
/// # #[flow]
/// # async fn attach_volume() -> Result<u32, String> { steps! { vm = create_vm(); } Ok(vm) }
/// // In a `#[test]`: compares with `snapshots/attach_volume.json`.
/// steps::testing::assert_compatible!(attach_volume);
/// // With another file.
/// steps::testing::assert_compatible!(attach_volume, "snapshots/volumes.json");
/// ```
///
/// The macro is behind the feature `testing`, to be switched on in `[dev-dependencies]`.
///
/// The path is relative to the folder with the `Cargo.toml` of the crate that the test is in. By
/// default it is `snapshots/`, the name of the flow in the saved tree, and `.json`; after a flow was
/// renamed, the file of its alias is read and, on writing, takes the new name.
///
/// # When it fails
///
/// | the flow | the test | `STEPS_SNAPSHOT=update cargo test` | `=overwrite` |
/// |---|---|---|---|
/// | is the one in the file | passes | passes | passes |
/// | has no file yet | fails | writes | writes |
/// | has changed, and fits | fails | writes | writes |
/// | has changed, and would strand executions | fails | fails | writes |
///
/// So `update` can do no harm. A change that fits has to be written, too: once it is deployed there
/// are executions with what is new in it, and the next change has to fit these. If each version that
/// was deployed is in the file at its time, it is enough to compare with the last one. `overwrite`
/// is for when no execution of the version in the file is left, or when you know better: a type is
/// compared by its text, so `u32` and `u64`, or a type that has moved to another module, differ.
///
/// # What it compares
///
/// By the rules of [`compat`](crate::model::compat), which a resume goes by: names, aliases, kinds, order
/// and nesting, whether a failure is passed over (`#[optional]`, `#[caught]`), `volatile`, the bound of a `loop`; and the names of types: of outputs, of
/// inputs, of signals, of the items of a `for` and of the value of an `if let`.
///
/// With the feature `schemars`, it also sees a change *within* a type that is a `schemars::JsonSchema`:
/// of an output, an input, a signal or a `let` line. The file then has examples of such a type, which
/// were made from its schema: with each value that a field may have, and without what may be missing. The
/// flow must read each of them, as it would read what executions have saved; so a new field without
/// `#[serde(default)]` is found, and `u32` may become `u64`. A field that is read no more is told of, as
/// it may have got another name. A file that has no examples is read as before, and gets them with
/// `STEPS_SNAPSHOT=update`; one that has some is compared with them also without the feature.
///
/// For a type without a schema, keep a state that an execution saved as a file beside the test, and resume
/// it, or give it to [`Compatibility::of`](crate::model::compat::Compatibility::of).
///
/// # Panics
///
/// Where the test is to fail: see the table.
#[macro_export]
macro_rules! assert_compatible {
    ($flow:ty $(,)?) => {
        $crate::testing::__assert_compatible::<$flow>(
            ::core::env!("CARGO_MANIFEST_DIR"),
            ::core::option::Option::None,
        )
    };
    ($flow:ty, $path:expr $(,)?) => {
        $crate::testing::__assert_compatible::<$flow>(
            ::core::env!("CARGO_MANIFEST_DIR"),
            ::core::option::Option::Some(::core::convert::AsRef::as_ref(&$path)),
        )
    };
}

/// What [`assert_compatible!`](crate::testing::assert_compatible) calls.
///
/// # Panics
///
/// As it says.
#[track_caller]
pub fn assert<F: Flow>(folder: &str, path: Option<&Path>) {
    let files = Files::of(folder, path, F::TABLE);
    if let Err(message) = check(F::TABLE, &files) {
        panic!("{message}");
    }
}

/// What is to be written.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Nothing,
    Compatible,
    Anything,
}

impl Mode {
    fn from_env() -> Result<Self, Problem<'static>> {
        let mode = env::var_os("STEPS_SNAPSHOT").unwrap_or_default();
        match mode.to_str() {
            Some("") => Ok(Self::Nothing),
            Some("update") => Ok(Self::Compatible),
            Some("overwrite") => Ok(Self::Anything),
            _ => Err(Problem::Mode(mode.to_string_lossy().into_owned())),
        }
    }
}

/// Where the snapshot is.
struct Files {
    /// As the user knows it.
    shown: String,
    /// Where it is written.
    file: PathBuf,
    /// Where it may be from before the flow was renamed.
    before: Vec<PathBuf>,
}

impl Files {
    fn of(folder: &str, path: Option<&Path>, table: &Table) -> Self {
        // The folder at compile time; if the test was moved elsewhere, cargo says where it is now.
        let mut folder = PathBuf::from(folder);
        if !folder.is_dir() {
            folder = env::var_os("CARGO_MANIFEST_DIR").map_or(folder, PathBuf::from);
        }
        let default = |name: &str| {
            let plain = |c: char| {
                if c.is_alphanumeric() || c == '-' {
                    c
                } else {
                    '_'
                }
            };
            PathBuf::from("snapshots").join(name.chars().map(plain).collect::<String>() + ".json")
        };
        let (path, before) = match path {
            Some(path) => (path.to_owned(), Vec::new()),
            None => (
                default(table.name),
                table
                    .aliases
                    .iter()
                    .map(|name| folder.join(default(name)))
                    .collect(),
            ),
        };
        Self {
            shown: format!("`{}`", path.display()),
            file: folder.join(path),
            before,
        }
    }

    /// The text of the snapshot, and the file that it was found in.
    fn read(&self) -> io::Result<Option<(String, &Path)>> {
        for file in std::iter::once(&self.file).chain(&self.before) {
            match fs::read_to_string(file) {
                Ok(text) => return Ok(Some((text, file))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.file, text)
    }
}

/// Whether the file shows the flow as it is. One in an older form says less: it is written anew where
/// that is asked for.
fn is_same(old: &FlowSnapshot, is_older: IsOlder, now: &FlowSnapshot, mode: Mode) -> bool {
    let (old, old_examples) = old.clone().without_examples();
    let (now, examples) = now.clone().without_examples();
    let has_any = |all: &[Examples]| all.iter().any(|examples| !examples.is_empty());
    let same_examples = match (has_any(&old_examples), has_any(&examples)) {
        // One of the two was made without the feature `schemars`.
        (true, false) => true,
        (false, true) => mode == Mode::Nothing,
        _ => old_examples == examples,
    };
    match is_older {
        IsOlder(true) => mode == Mode::Nothing && old == now.in_first_form(),
        IsOlder(false) => same_examples && old == now,
    }
}

fn check(table: &'static Table, files: &Files) -> Result<(), String> {
    let fail = |problem: &Problem<'_>| message(table.name, &files.shown, problem);
    let mode = Mode::from_env().map_err(|problem| fail(&problem))?;
    let now = FlowSnapshot::of(table);
    let found = files
        .read()
        .map_err(|error| fail(&Problem::Unreadable(error.to_string())))?;
    match &found {
        None if mode == Mode::Nothing => return Err(fail(&Problem::Missing)),
        None => {}
        Some((text, file)) => match read::read(text) {
            Ok((old, is_older)) => {
                let findings = possible_states::compare(&old, table);
                // A type may have changed where only its name is known of the present one.
                let is_same = is_same(&old, is_older, &now, mode) && *file == files.file;
                if is_same && findings.iter().all(Finding::is_note) {
                    return Ok(());
                }
                if !findings.iter().all(Finding::is_note) && mode != Mode::Anything {
                    return Err(fail(&Problem::Strands(&findings)));
                }
                if mode == Mode::Nothing {
                    return Err(fail(&Problem::Stale(&findings)));
                }
            }
            Err(why) if mode != Mode::Anything => return Err(fail(&Problem::Unreadable(why))),
            Err(_) => {}
        },
    }
    let text = write::write(&now).map_err(io::Error::other);
    let written = text
        .and_then(|text| files.write(&text))
        .and_then(|()| match found {
            Some((_, file)) if file != files.file => fs::remove_file(file),
            _ => Ok(()),
        });
    written.map_err(|error| fail(&Problem::Unwritable(error.to_string())))
}
