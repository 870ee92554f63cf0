//! Programs of this workspace, which tests start: built as `cargo test --workspace --all-features` builds them, so that
//! after that there is nothing to do. Any other selection of packages or features would build most of what they depend
//! on once more.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Returns the program of an example.
pub fn example(name: &str) -> PathBuf {
    built(&["--example", name]).join("examples").join(name)
}

/// Returns the program `steps`.
pub fn steps() -> PathBuf {
    // Its own tests need it.
    built(&["--test", "cli"]).join("steps")
}

/// Returns the folder of the build, such as `target`.
pub fn target() -> PathBuf {
    let profile = profile();
    profile.parent().expect("the target folder").to_owned()
}

/// Builds what is selected, once, and returns the folder with the programs.
fn built(select: &[&str]) -> PathBuf {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let profile = profile();
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if built.contains(&select.join(" ")) {
        return profile;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "test",
            "--quiet",
            "--locked",
            "--workspace",
            "--all-features",
            "--no-run",
        ])
        .args(select)
        .arg("--target-dir")
        .arg(target())
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    // What cargo has told this program of its own package, build scripts would take for theirs, and run again.
    for (name, _) in env::vars_os() {
        let own = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        let is_own = |own: &&str| name.to_string_lossy().starts_with(*own);
        if own.iter().any(is_own) {
            cargo.env_remove(name);
        }
    }
    let status = cargo.status().expect("cargo can be started");
    assert!(status.success(), "cargo could not build {select:?}");
    built.insert(select.join(" "));
    profile
}

/// `TARGET/PROFILE` of this program, `TARGET/PROFILE/deps/TEST`.
fn profile() -> PathBuf {
    let test = env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2);
    profile.expect("the profile's folder").to_owned()
}
