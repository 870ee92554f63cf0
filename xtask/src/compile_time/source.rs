//! The generated workspace in `target/compile-time`: for each size a package with a flow and one
//! without, and packages that only depend on `steps`.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, cargo};

/// Packages that depend on `steps` without default features, and the features that they enable.
pub(super) const USERS: [(&str, &str); 2] = [("bare_user", ""), ("macro_user", "\"macros\"")];

pub(super) struct Project {
    pub(super) folder: PathBuf,
}

impl Project {
    pub(super) fn generate(sizes: &[usize]) -> Result<Self> {
        let root = cargo::root();
        let project = Self {
            folder: root.join("target/compile-time"),
        };
        let mut members = Vec::new();
        for &steps in sizes {
            let functions = functions(steps);
            let flow = flow(steps);
            members.push(project.package(&without_flow(steps), "\"macros\"", &functions)?);
            members.push(project.package(&with_flow(steps), "\"macros\"", &(functions + &flow))?);
        }
        for (name, features) in USERS {
            members.push(project.package(name, features, "pub use steps;\n")?);
        }
        fs::write(
            project.folder.join("Cargo.toml"),
            format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n"),
        )?;
        // Use the versions of the project's own build; cargo ignores unused ones.
        fs::copy(root.join("Cargo.lock"), project.folder.join("Cargo.lock"))?;
        Ok(project)
    }

    /// Returns a cargo command on one of the packages. It disables incremental compilation, which
    /// would make the second check of a file almost free.
    pub(super) fn cargo(&self, subcommand: &str, package: &str) -> Command {
        let mut cargo = cargo::cargo([subcommand, "--quiet", "--lib", "--package", package]);
        cargo
            .arg("--manifest-path")
            .arg(self.folder.join("Cargo.toml"))
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", self.folder.join("target"));
        cargo
    }

    pub(super) fn source(&self, package: &str) -> PathBuf {
        self.folder.join(package).join("src/lib.rs")
    }

    fn package(&self, name: &str, features: &str, source: &str) -> Result<String> {
        let path = self.source(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
        fs::write(path, source)?;
        fs::write(
            self.folder.join(name).join("Cargo.toml"),
            manifest(name, features, &cargo::root()),
        )?;
        Ok(name.to_owned())
    }
}

pub(super) fn with_flow(steps: usize) -> String {
    format!("flow_{steps}")
}

pub(super) fn without_flow(steps: usize) -> String {
    format!("functions_{steps}")
}

fn manifest(name: &str, features: &str, root: &Path) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\
         \n[dependencies.steps]\npath = '{}'\ndefault-features = false\n\
         features = [{features}]\n",
        root.display()
    )
}

/// Returns the earlier step whose output a step takes, if any.
fn earlier(step: usize) -> Option<usize> {
    (step % 2 == 1).then_some(step / 2)
}

/// The functions are public so that rustc generates code for their bodies in both files.
fn functions(steps: usize) -> String {
    let mut source = String::from(
        "#![allow(unused)]\n\
         use std::io::Error;\n\
         use steps::prelude::*;\n\
         pub struct Res;\n",
    );
    for step in 0..steps {
        let (parameter, output) = match earlier(step) {
            Some(_) => (", x: &u64", "*x"),
            None => ("", "0"),
        };
        let _ = writeln!(
            source,
            "#[step]\npub async fn s{step}(r: &Res{parameter}) -> Result<u64, Error> {{ \
             Ok({output}) }}"
        );
    }
    source
}

fn flow(steps: usize) -> String {
    let mut source =
        String::from("#[flow]\npub async fn big(r: &Res) -> Result<u64, Error> {\n    steps! {\n");
    for step in 0..steps {
        let argument = earlier(step).map_or(String::new(), |step| format!(", &a{step}"));
        let _ = writeln!(source, "        a{step} = s{step}(r{argument});");
    }
    let last = steps.saturating_sub(1);
    let _ = writeln!(source, "    }}\n    Ok(a0 + a{last})\n}}");
    // Without a caller, rustc would generate no code for the generic parts of the flow.
    source.push_str("pub async fn drive(r: &Res) { let _ = big(r).await; }\n");
    source
}

#[cfg(test)]
mod tests {
    use super::{flow, functions};

    #[test]
    fn steps_take_outputs_of_earlier_ones() {
        assert!(functions(4).contains("fn s3(r: &Res, x: &u64)"));
        assert!(flow(4).contains("a3 = s3(r, &a1);"));
        assert!(flow(4).contains("Ok(a0 + a3)"));
    }
}
