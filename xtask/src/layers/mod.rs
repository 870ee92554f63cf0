//! `cargo xtask layers`: in `steps-core`, the stores, `steps-cli` and `steps-web`, a file may import only
//! from its own floor and lower floors, and at most three files may import each other in a circle.
//!
//! `source` reads the declarations and paths of a file, `modules` finds the files that the paths
//! lead to, and `rules` compares the result with the tables in this file. Tests are exempt:
//! `#[cfg(test)]` items, files named `tests.rs`, folders named `tests`.

mod modules;
mod rules;
mod source;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{Result, cargo};
use modules::Modules;

/// The floors of one crate.
struct Crate {
    /// The folder with its `lib.rs` or `main.rs`, relative to the workspace's root.
    folder: &'static str,
    /// The modules of the root, lowest floor first. The modules of one row are on one floor.
    floors: &'static [&'static [&'static str]],
    /// Modules that may import anything, like `lib.rs`.
    free: &'static [&'static str],
}

const CRATES: &[Crate] = &[
    Crate {
        folder: "steps-core/src",
        floors: &[
            &["base"],
            &["model"],
            &["language"],
            &["journal", "store"],
            &["interpreter"],
            &["run"],
            &["engine"],
            &["testing"],
        ],
        // What `lib.rs` names by other paths, too.
        free: &["codegen", "log", "plan"],
    },
    Crate {
        folder: "steps-sqlite/src",
        floors: &[
            &["error"],
            &["row"],
            &["file"],
            &["ops"],
            &["threads"],
            &["store"],
        ],
        free: &[],
    },
    Crate {
        folder: "steps-postgres/src",
        floors: &[
            &["error"],
            &["row"],
            &["server"],
            &["ops"],
            &["writer"],
            &["listener", "transaction", "within"],
            &["store"],
        ],
        free: &[],
    },
    Crate {
        folder: "steps-cli/src",
        floors: &[
            &["args", "codec", "error", "text"],
            &["line"],
            &["out"],
            &["confirm", "store"],
            &["context"],
            &["commands"],
        ],
        free: &[],
    },
    Crate {
        folder: "steps-web/src",
        floors: &[
            &[
                "assets", "error", "form", "headers", "text", "visit", "webhook",
            ],
            &["encoded", "payload", "secrets"],
            &["access"],
            &["app"],
            &["acts", "flows", "log", "look"],
            &["bulk"],
            &["api", "pages"],
            &["guard"],
            &["web"],
        ],
        free: &[],
    },
];

/// The largest allowed circle of files that import each other.
const CIRCLE: usize = 3;

/// Checks all crates of the table.
pub(crate) fn run() -> Result {
    let mut problems = Vec::new();
    for krate in CRATES {
        problems.extend(krate.check(&sources(krate.folder)?)?);
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err("1 import breaks the rules of the floors".into()),
        n => Err(format!("{n} imports break the rules of the floors").into()),
    }
}

impl Crate {
    /// Returns the problems in these sources.
    fn check(&self, sources: &BTreeMap<PathBuf, String>) -> Result<Vec<String>> {
        let modules = Modules::read(self.folder.as_ref(), sources)?;
        Ok(rules::check(self, &modules))
    }
}

/// Returns the texts of all Rust files in a folder of the workspace, by their paths relative to its
/// root.
fn sources(folder: &str) -> Result<BTreeMap<PathBuf, String>> {
    fn collect(root: &Path, folder: &Path, into: &mut BTreeMap<PathBuf, String>) -> Result {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                collect(root, &path, into)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(root.join(&path))?;
                into.insert(path, text);
            }
        }
        Ok(())
    }
    let mut sources = BTreeMap::new();
    collect(&cargo::root(), folder.as_ref(), &mut sources)?;
    Ok(sources)
}
