//! The program `steps`.

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;

/// Builds the program, once, and returns where it is. It is built as for its own tests: after `cargo test --workspace
/// --all-features`, there is nothing to do.
fn program() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--quiet", "--workspace", "--all-features"]);
        // What cargo has told this program of its own package, build scripts would take for theirs, and run again.
        for (name, _) in std::env::vars_os() {
            let told = ["CARGO_PKG_", "CARGO_MANIFEST_"];
            if told
                .iter()
                .any(|told| name.to_string_lossy().starts_with(told))
            {
                cargo.env_remove(name);
            }
        }
        let built = cargo.args(["--no-run", "--test", "cli"]).status();
        assert!(built.expect("cargo can be started").success());
        let own = std::env::current_exe().expect("its own path");
        // TARGET/PROFILE/deps/TEST
        let folder = own.ancestors().nth(2).expect("the profile's folder");
        folder.join("steps")
    })
}

/// Runs it on a store.
pub fn steps(url: &str, args: &[&str]) -> Output {
    let mut steps = Command::new(program());
    steps.args(args).env("STEPS_DB", url);
    steps.output().expect("it can be started")
}

/// What it writes as JSON, one value a line.
pub fn json(url: &str, args: &[&str]) -> Vec<Value> {
    let ran = steps(url, &[args, &["--json"]].concat());
    let (out, err) = (text(&ran.stdout), text(&ran.stderr));
    assert!(ran.status.success(), "{args:?}: {out}{err}");
    let lines = out.lines();
    lines
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[track_caller]
pub fn refused(ran: &Output, code: i32, says: &str) {
    let err = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(code), "{err}");
    assert!(err.contains(says), "{err}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
