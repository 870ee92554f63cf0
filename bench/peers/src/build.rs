//! Builds the measured programs, and says which versions of the engines they hold. Building is part
//! of the run, so that what is measured is what is locked.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::{Result, engines::Entrant};

/// A measured program.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The version of the crate that is measured, from the lock file.
    pub(crate) version: String,
}

/// By the engine's name.
pub(crate) type Programs = BTreeMap<&'static str, Program>;

pub(crate) async fn workers(entrants: &[Entrant]) -> Result<Programs> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target");
    let mut programs = Programs::new();
    for Entrant {
        engine, library, ..
    } in entrants
    {
        if programs.contains_key(engine) {
            continue;
        }
        let package = root.join("engines").join(engine);
        let done = cargo()
            .args(["build", "--release", "--locked", "--target-dir"])
            .arg(&target)
            .arg("--manifest-path")
            .arg(package.join("Cargo.toml"))
            .status()
            .await
            .map_err(|error| format!("cargo can't be started: {error}"))?;
        if !done.success() {
            return Err(format!("the program for {engine} was not built").into());
        }
        let own_lock = package.join("Cargo.lock");
        let lock = if own_lock.exists() {
            own_lock
        } else {
            root.join("Cargo.lock")
        };
        let program = Program {
            path: target.join("release").join(format!("peers-{engine}")),
            version: locked_version(&fs::read_to_string(lock)?, library)
                .ok_or_else(|| format!("{library} is not in the lock file of {engine}"))?,
        };
        programs.insert(engine, program);
    }
    Ok(programs)
}

/// Without what `cargo run` tells this program of its own package: some build scripts run anew when
/// it changes, and with them minutes of building.
fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo.kill_on_drop(true);
    cargo
}

/// The lock file is written by cargo, one key on each line, `version` after `name`.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn a_version_is_found_by_the_whole_name() {
        let lock = "[[package]]\nname = \"dbos-macros\"\nversion = \"0.4.0\"\n\n\
                    [[package]]\nname = \"dbos\"\nversion = \"0.5.0\"\n";
        assert_eq!(locked_version(lock, "dbos").as_deref(), Some("0.5.0"));
        assert_eq!(locked_version(lock, "db"), None);
    }
}
