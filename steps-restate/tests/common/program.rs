//! The program of the server, from the npm package that its makers publish, in a folder of `target`.
//!
//! It is not ours, is not linked and not shipped: its licence is the Business Source License 1.1, under which it may be used
//! for tests. The environment variable `RESTATE_SERVER` names another program.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use steps_test_support::cargo;

/// The version that is tested with.
const VERSION: &str = "1.7.12";

/// The path of the program, which is fetched if it is not there.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(find)
}

fn find() -> PathBuf {
    if let Some(path) = env::var_os("RESTATE_SERVER") {
        return path.into();
    }
    let folder = cargo::target().join("restate-server").join(VERSION);
    let program = folder.join("package/bin/restate-server");
    if !program.exists() {
        fetch(&folder);
        assert!(program.exists(), "the package has no {}", program.display());
    }
    program
}

fn fetch(folder: &Path) {
    let system = match env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let package = format!("@restatedev/restate-server-{system}-{machine}@{VERSION}");
    fs::create_dir_all(folder.parent().expect("a folder above")).expect("a folder");
    // Made beside its place and moved there, so that two programs may fetch it at once.
    let fetched = tempfile::tempdir_in(folder.parent().expect("a folder above")).expect("a folder");
    let npm = Command::new("npm")
        .args(["pack", "--silent", &package])
        .current_dir(&fetched)
        .output();
    let npm = npm.unwrap_or_else(|error| {
        panic!(
            "these tests need a Restate server, and fetch it by `npm pack {package}`, but npm can't be \
             started: {error}. Install npm, or set RESTATE_SERVER to the path of a `restate-server`"
        )
    });
    assert!(
        npm.status.success(),
        "`npm pack {package}` failed: {}",
        String::from_utf8_lossy(&npm.stderr)
    );
    let name = String::from_utf8_lossy(&npm.stdout).trim().to_owned();
    let tar = Command::new("tar")
        .arg("xzf")
        .arg(&name)
        .current_dir(&fetched)
        .status();
    assert!(
        tar.expect("tar can be started").success(),
        "{name} can't be unpacked"
    );
    fs::remove_file(fetched.path().join(&name)).expect("the archive is there");
    if fs::rename(fetched.path(), folder).is_ok() {
        // It is at its place, and stays.
        let _ = fetched.keep();
    }
}
