//! What the tests of the examples share.

use std::{env, path::PathBuf};

/// The built example, which `cargo test` puts beside the folder that this test runs from.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("tests are built in target/PROFILE/deps");
    let path = folder
        .join("examples")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build --examples`",
        path.display()
    );
    path
}
