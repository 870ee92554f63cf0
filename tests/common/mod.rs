//! What the tests of the examples share: finding an example's program.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The program of the example that this test file is about, built once from what lies here now.
///
/// `cargo test` builds the examples itself, `cargo test --test NAME` does not; a build with
/// nothing to do takes a moment only.
pub(crate) fn example(name: &str) -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build(name))
}

fn build(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    // TARGET/PROFILE/deps/TEST
    let profile = test.ancestors().nth(2).expect("the profile's folder");
    let target = profile.parent().expect("the target folder");
    let features = match name {
        "axum_service" => "postgres",
        _ => "",
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--package", "steps"])
        .args(["--features", features])
        .args(["--example", name, "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
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
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "cargo could not build {name}");
    profile.join("examples").join(name)
}
