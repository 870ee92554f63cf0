//! What a user sees after a mistake: each `tests/ui/<topic>/<case>.rs` is one, and the `.stderr`
//! beside it is what rustc says, to the byte. `TRYBUILD=overwrite cargo test --test ui` writes
//! these files anew.
//!
//! What must compile is an ordinary test instead: trybuild would have to build, not only check.

use std::{
    fs, io,
    ops::RangeFrom,
    path::{Path, PathBuf},
};

/// How many fixtures there are; with fewer, some were lost.
const FIXTURES: RangeFrom<usize> = 150..;

/// One test, because `TRYBUILD=overwrite` writes what the later checks read.
#[test]
fn mistakes_are_reported() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
    drop(cases); // runs them

    let fixtures = files("rs");
    assert!(
        FIXTURES.contains(&fixtures.len()),
        "{} fixtures in tests/ui/*/, expected {FIXTURES:?}",
        fixtures.len()
    );
    for stderr in files("stderr") {
        let fixture = stderr.with_extension("rs");
        assert!(fixture.exists(), "{} has no fixture", stderr.display());
    }
    for fixture in fixtures {
        one_error_per_mistake(&fixture);
    }
}

/// A fixture with more than one mistake says so in its first line: `// mistakes: 2`.
fn one_error_per_mistake(fixture: &Path) {
    let stderr = fixture.with_extension("stderr");
    let message =
        fs::read_to_string(&stderr).unwrap_or_else(|error| panic!("{}: {error}", stderr.display()));
    let source = fs::read_to_string(fixture).unwrap();
    let mistakes = source
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("// mistakes: "))
        .map_or(1, |count| count.parse().unwrap());
    let errors = message
        .lines()
        .filter(|line| line.starts_with("error:") || line.starts_with("error["))
        .count();
    assert_eq!(errors, mistakes, "errors in {}", stderr.display());
}

/// The files `tests/ui/*/*.<extension>`, sorted.
fn files(extension: &str) -> Vec<PathBuf> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let mut files: Vec<PathBuf> = entries(&ui)
        .unwrap_or_default() // no folder, no fixture
        .iter()
        .filter(|topic| topic.is_dir())
        .flat_map(|topic| entries(topic).unwrap())
        .filter(|file| file.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect()
}
