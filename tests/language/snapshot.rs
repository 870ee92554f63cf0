//! `assert_compatible!`: a change of a flow that would strand running executions fails a test, which
//! says what to do.
//!
//! What is written depends on the environment, so each assertion is made in a process of its own:
//! this program, told to run nothing but [`child`].

mod arms;
mod files;
mod states;
mod told;
mod types;
mod versions;

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::Command,
};

use steps::testing::assert_compatible;
use types::{
    plain_required, plain_same, typed, typed_alias, typed_filled, typed_less, typed_narrow,
    typed_renamed, typed_required, typed_wider,
};
use versions::{
    added, first, fits, kinds, long, no_alias, other, renamed, short, told as told_first,
    told_fits, told_other, torn, way_first, way_fits, way_gone, way_other,
};

/// Where the message stands in what the child prints.
const MARK: &str = "--8<--";

#[test]
#[ignore = "run by the tests beside it, in a process of its own"]
fn child() {
    let version = env::var("TEST_VERSION").unwrap();
    let path = env::var_os("TEST_SNAPSHOT").map(PathBuf::from);
    macro_rules! assert_one {
        ($($name:ident)*) => {
            match (version.as_str(), path) {
                $((stringify!($name), Some(path)) => assert_compatible!($name::flow, path),)*
                // As without a path, in another folder than this crate's.
                $((stringify!($name), None) => {
                    let folder = env::var("TEST_FOLDER").unwrap();
                    steps::testing::__assert_compatible::<$name::flow>(&folder, None);
                })*
                (other, _) => panic!("no version `{other}`"),
            }
        };
    }
    let asserted = catch_unwind(AssertUnwindSafe(|| {
        assert_one!(first fits renamed no_alias torn added kinds other short long told_first told_other told_fits
            typed typed_wider typed_required typed_renamed typed_alias typed_narrow typed_filled typed_less
            plain_same plain_required way_first way_fits way_gone way_other);
    }));
    let message = match asserted {
        Ok(()) => String::new(),
        Err(panic) => panic.downcast_ref::<String>().unwrap().clone(),
    };
    println!("{MARK}{message}{MARK}");
}

struct Snapshot {
    folder: tempfile::TempDir,
}

impl Snapshot {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("deep/snap.json")
    }

    fn text(&self) -> Option<String> {
        fs::read_to_string(self.file()).ok()
    }

    /// Asserts of a version, with a `STEPS_SNAPSHOT`. Returns the message, with `FILE` for the file.
    fn assert(&self, version: &str, mode: &str) -> Result<(), String> {
        let message = run(version, mode, "TEST_SNAPSHOT", &self.file());
        if message.is_empty() {
            return Ok(());
        }
        Err(message.replace(&format!("`{}`", self.file().display()), "FILE"))
    }

    /// Has the snapshot of this version.
    fn of(version: &str) -> Self {
        let snapshot = Self::new();
        snapshot.assert(version, "update").unwrap();
        snapshot
    }
}

fn run(version: &str, mode: &str, place: &str, path: &Path) -> String {
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", "snapshot::child", "--ignored", "--nocapture"])
        .env("STEPS_SNAPSHOT", mode)
        .env("TEST_VERSION", version)
        .env_remove("TEST_SNAPSHOT")
        .env(place, path);
    let output = child.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let parts: Vec<&str> = text.split(MARK).collect();
    assert_eq!(parts.len(), 3, "{text}");
    parts[1].to_owned()
}

#[test]
fn without_a_file_it_says_how_to_write_one() {
    let snapshot = Snapshot::new();
    assert_eq!(
        snapshot.assert("first", "").unwrap_err(),
        "the flow `snap` has no snapshot yet: there is no file FILE, and nothing was written. Write \
         it, and commit it:\n\n    STEPS_SNAPSHOT=update cargo test\n"
    );
    assert_eq!(snapshot.text(), None);
    snapshot.assert("first", "update").unwrap();
    snapshot.assert("first", "").unwrap();
}

#[test]
fn the_file_shows_the_tree() {
    let snapshot = Snapshot::of("first");
    let text = snapshot.text().unwrap();
    assert_eq!(text, include_str!("snapshot/first.json"));
    // However it is laid out.
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    fs::write(snapshot.file(), value.to_string()).unwrap();
    snapshot.assert("first", "").unwrap();
}

#[test]
fn what_fits_every_execution_is_only_to_be_written() {
    let snapshot = Snapshot::of("first");
    assert_eq!(
        snapshot.assert("fits", "").unwrap_err(),
        "the flow `snap` fits all executions of the version in FILE, and has changed since. Write \
         the file anew, and commit it with the change, as the next change has to fit the executions \
         of this version:\n\n    STEPS_SNAPSHOT=update cargo test\n"
    );
    snapshot.assert("fits", "update").unwrap();
    snapshot.assert("fits", "").unwrap();
    // What was new in it may have begun, and its executions know the step by its new name.
    let message = snapshot.assert("first", "update").unwrap_err();
    assert_eq!(
        findings(&message),
        listed(&[
            (
                "`a` is not known as `first` any more",
                "write `#[step(alias = \"first\")]` on that line",
            ),
            (
                "`new` is gone",
                "keep it; if it was renamed, write `#[step(alias = \"new\")]` there",
            ),
            (
                "`last` is gone",
                "keep it; if it was renamed, write `#[step(alias = \"last\")]` there",
            ),
            (
                "the input of `f` had a field `more`, which no parameter takes",
                "if a parameter was renamed, write `#[alias = \"more\"]` before it; otherwise keep it",
            ),
            (
                "`f.new` is gone",
                "keep it; if it was renamed, write `#[step(alias = \"new\")]` there",
            ),
        ])
    );
}

/// What was found, each with what to do.
fn listed(findings: &[(&str, &str)]) -> String {
    findings
        .iter()
        .map(|(what, advice)| format!("  * {what}\n    → {advice}\n"))
        .collect()
}

/// What is between the introduction and the end.
fn findings(message: &str) -> &str {
    let start = "the flow `snap` would strand executions of the version in FILE:\n\n";
    let end = "\n\
        If that can't be: leave that flow as it was, and serve it until its executions have ended; \
        give this one a name of its own, and start new executions with it.\n\
        If no execution of that version is left, or its values can be read all the same (such as \
        `u32` as `u64`), write the file anew:\n\n    STEPS_SNAPSHOT=overwrite cargo test\n";
    let findings = message
        .strip_prefix(start)
        .and_then(|m| m.strip_suffix(end));
    findings.unwrap_or_else(|| panic!("{message}"))
}

/// What changing from one version to another strands. It is not written unless told twice.
fn strands(from: &str, to: &str) -> String {
    let snapshot = Snapshot::of(from);
    let before = snapshot.text();
    let message = snapshot.assert(to, "").unwrap_err();
    assert_eq!(snapshot.assert(to, "update").unwrap_err(), message);
    assert_eq!(snapshot.text(), before);
    snapshot.assert(to, "overwrite").unwrap();
    snapshot.assert(to, "").unwrap();
    findings(&message).to_owned()
}

#[test]
fn a_step_of_another_name_wants_an_alias() {
    assert_eq!(
        strands("first", "renamed"),
        listed(&[(
            "`a` is gone",
            "if `first` is its new name, write `#[step(alias = \"a\")]` on that line; otherwise keep it",
        ),])
    );
}

#[test]
fn an_alias_has_to_stay() {
    assert_eq!(
        strands("fits", "no_alias"),
        listed(&[(
            "`first` is not known as `a` any more",
            "write `#[step(alias = \"a\")]` on that line",
        ),])
    );
}

#[test]
fn each_step_that_is_gone_moved_or_retyped_is_named() {
    assert_eq!(
        strands("first", "torn"),
        listed(&[
            (
                "`a` is gone, and `later.a` is new",
                "move it back: what was saved of it is looked for where it stood",
            ),
            (
                "`p` was moved before `g`, which may have begun without it",
                "keep the order",
            ),
            (
                "`g.b` is gone",
                "keep it; if it was renamed, write `#[step(alias = \"b\")]` there",
            ),
            (
                "`g.each.c` does not fit: it gave `u32`, and gives `String` now",
                "keep it as it was; what is new can be a line of another name, behind the flow's last step",
            ),
            (
                "`p.x` is gone",
                "keep it; if it was renamed, write `#[step(alias = \"x\")]` there",
            ),
            (
                "`p.z` is new in a group that may be done, and would have no value",
                "put it behind the flow's last step",
            ),
            (
                "`i.e` is new in a group that may be done, and would have no value",
                "put it behind the flow's last step",
            ),
            (
                "`seen` is not `volatile` any more, and its output was not saved",
                "keep the mark",
            ),
            (
                "`o` is neither `#[optional]` nor `#[caught]` any more, and may have failed",
                "keep the mark",
            ),
            (
                "the input of `f` had `n: u32`, and has `n: u64` now",
                "keep its type; what is new can be a parameter of another name, an `Option`",
            ),
            (
                "`f` does not fit: it gave `u32`, and gives `u64` now",
                "keep it as it was; what is new can be a line of another name, behind the flow's last step",
            ),
        ])
    );
}

#[test]
fn what_is_new_before_the_end_is_named() {
    assert_eq!(
        strands("first", "added"),
        listed(&[
            (
                "`new` is new, and stands before `g`, which may have begun",
                "put it behind the flow's last step",
            ),
            (
                "`g.end` is new in a group that may be done, and would have no value",
                "put it behind the flow's last step",
            ),
            (
                "`g.each.late` is new in a group that may be done, and would have no value",
                "put it behind the flow's last step",
            ),
            (
                "`p.z` is new in a group that may be done, and would have no value",
                "put it behind the flow's last step",
            ),
        ])
    );
}

#[test]
fn what_is_of_another_kind_is_named() {
    assert_eq!(
        strands("first", "kinds"),
        listed(&[
            (
                "`a` does not fit: its kind was `step`, and is `group` now",
                "keep it as it was; what is new can be a line of another name, behind the flow's last step",
            ),
            (
                "`g` does not fit: its kind was `group`, and is `step` now",
                "keep it as it was; what is new can be a line of another name, behind the flow's last step",
            ),
            (
                "`i` does not fit: its kind was `if`, and is `loop` now",
                "keep it as it was; what is new can be a line of another name, behind the flow's last step",
            ),
        ])
    );
}

#[test]
fn a_flow_of_another_name_and_input_is_named() {
    let message = Snapshot::of("first").assert("other", "").unwrap_err();
    let found = findings(&message.replace("`other` would", "`snap` would")).to_owned();
    let expected = listed(&[
        (
            "the flow is not known as `snap` any more",
            "write `#[flow(alias = \"snap\")]`",
        ),
        (
            "the input had `n: u32`, and has `n: u64` now",
            "keep its type; what is new can be a parameter of another name, an `Option`",
        ),
        (
            "the input has a new field, `size: u32`, which was not saved",
            "make it an `Option<u32>`",
        ),
    ]);
    assert!(found.starts_with(&expected), "{found}");
}

#[test]
fn a_renamed_flow_takes_its_file_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = |version, mode| run(version, mode, "TEST_FOLDER", folder.path());
    let has = |name: &str| folder.path().join("snapshots").join(name).exists();
    let missing = run("short", "");
    assert!(
        missing.contains("no file `snapshots/short.json`"),
        "{missing}"
    );
    assert_eq!(run("short", "update"), "");
    assert!(has("short.json"));
    assert_eq!(run("short", ""), "");
    let stale = run("long", "");
    assert!(stale.contains("fits all executions"), "{stale}");
    assert_eq!(run("long", "update"), "");
    assert!(has("long.json") && !has("short.json"));
    assert_eq!(run("long", ""), "");
}
