//! `cargo xtask test`: the checks that must pass before a change lands. Each is a stage that can
//! run alone. A failed stage does not stop the next ones, so one run reports all problems.
//!
//! No stage sets `RUSTFLAGS`, so all stages share one build. Clippy turns warnings into errors,
//! including those of rustc.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::{Result, cargo, table::Table};

struct Stage {
    name: &'static str,
    shows: &'static str,
    /// The rustup component that the stage needs.
    component: Option<&'static str>,
    /// The commands, as typed but without quoting: they are split at spaces.
    commands: &'static [&'static str],
}

const STAGES: &[Stage] = &[
    Stage {
        name: "lock",
        shows: "Cargo.lock is committed and up to date",
        component: None,
        commands: &[
            "git ls-files --error-unmatch Cargo.lock",
            "cargo tree --workspace --depth 0 --prefix none --locked",
        ],
    },
    Stage {
        name: "fmt",
        shows: "the sources are formatted",
        component: Some("rustfmt"),
        commands: &["cargo fmt --all --check"],
    },
    Stage {
        name: "layers",
        shows: "a file imports only from its own floor and those below it",
        component: None,
        commands: &["cargo xtask layers"],
    },
    Stage {
        name: "clippy",
        shows: "no warning of rustc or clippy, in any target",
        component: Some("clippy"),
        commands: &[
            "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings",
        ],
    },
    Stage {
        name: "bare",
        shows: "no warning with default features only, nor with none: without `testing`",
        component: Some("clippy"),
        commands: &[
            "cargo clippy --package steps --locked -- -D warnings",
            "cargo clippy --package steps --no-default-features --locked -- -D warnings",
            "cargo clippy --package steps-core --no-default-features --locked -- -D warnings",
        ],
    },
    Stage {
        name: "doc",
        shows: "the documentation builds without a warning",
        component: None,
        commands: &[
            "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --all-features --locked",
        ],
    },
    Stage {
        name: "build",
        shows: "every library, test, example and benchmark builds",
        component: None,
        // Not `cargo build`: it uses another profile than `cargo test` for the workspace's
        // proc-macro crate, so its dependents would be built twice.
        commands: &[
            "cargo test --workspace --all-features --locked --no-run",
            "cargo test --workspace --all-features --locked --no-run --benches",
        ],
    },
    Stage {
        name: "tests",
        shows: "unit, integration and ui tests",
        component: None,
        // The first command builds the examples, which tests start as processes.
        commands: &[
            "cargo test --workspace --all-features --locked --no-run",
            "cargo test --workspace --all-features --locked --no-fail-fast --lib --bins --tests",
        ],
    },
    Stage {
        name: "web",
        shows: "the page of steps-web works in Chromium, which it installs where it may",
        component: None,
        // With the features of the other stages, so that nothing is built anew.
        commands: &["cargo test --workspace --all-features --locked --test browser -- --ignored"],
    },
    Stage {
        name: "doctests",
        shows: "the examples in the documentation run",
        component: None,
        commands: &["cargo test --workspace --all-features --locked --no-fail-fast --doc"],
    },
];

const HELP: &str = "\
cargo xtask test [STAGE]…

Runs the named stages in this order, or all of them. A stage that fails does not stop the others.

  --list    lists the stages
  --help    prints this text

Stages:

";

struct Report {
    stage: &'static Stage,
    took: Duration,
    outcome: Result,
}

/// Runs the named stages, or all of them, and prints the time of each.
pub(crate) fn run(names: &[String]) -> Result {
    if crate::asks_for_help(names) {
        print!("{HELP}{}", list());
        return Ok(());
    }
    if names.iter().any(|name| name == "--list") {
        print!("{}", list());
        return Ok(());
    }
    let reports: Vec<Report> = chosen(names)?.into_iter().map(Stage::run).collect();
    print!("\n{}", summary(&reports));

    let mut failed = Vec::new();
    for report in &reports {
        if let Err(error) = &report.outcome {
            println!("{}: {error}\n", report.stage.name);
            failed.push(report.stage.name);
        }
    }
    println!(
        "stages: {} passed, {} failed",
        reports.len() - failed.len(),
        failed.len()
    );
    if failed.is_empty() {
        return Ok(());
    }
    let failed = failed.join(" ");
    Err(format!("failed: {failed}; again: cargo xtask test {failed}").into())
}

impl Stage {
    fn run(&'static self) -> Report {
        eprintln!("\n── {}: {}", self.name, self.shows);
        let start = Instant::now();
        let outcome = self.check();
        if let Err(error) = &outcome {
            eprintln!("── {} failed: {error}", self.name);
        }
        Report {
            stage: self,
            took: start.elapsed(),
            outcome,
        }
    }

    fn check(&self) -> Result {
        if let Some(component) = self.component {
            has(component)?;
        }
        for line in self.commands {
            eprintln!("$ {line}");
            cargo::check(&mut parse(line))?;
        }
        Ok(())
    }
}

/// `cargo clippy` and `cargo fmt` work only if their component is installed.
fn has(component: &str) -> Result {
    let subcommand = component.trim_start_matches("rust");
    cargo::output(&mut cargo::cargo([subcommand, "--version"])).map_err(|_| {
        format!(
            "{component} is not installed: `rustup component add {component}`, or install the \
             Rust distribution that holds it"
        )
    })?;
    Ok(())
}

fn parse(line: &str) -> Command {
    let mut words = line.split_whitespace().peekable();
    let mut env = Vec::new();
    while let Some(assignment) = words.peek().and_then(|word| word.split_once('=')) {
        env.push(assignment);
        words.next();
    }
    let mut command = cargo::command(words.next().unwrap_or_default());
    command.args(words).envs(env);
    command
}

fn chosen(names: &[String]) -> Result<Vec<&'static Stage>> {
    if names.is_empty() {
        return Ok(STAGES.iter().collect());
    }
    if let Some(unknown) = names
        .iter()
        .find(|name| STAGES.iter().all(|stage| stage.name != name.as_str()))
    {
        return Err(format!("no stage `{unknown}`; there are:\n{}", list()).into());
    }
    let wanted = |stage: &&Stage| names.iter().any(|name| name == stage.name);
    Ok(STAGES.iter().filter(wanted).collect())
}

fn list() -> String {
    let line = |stage: &Stage| format!("  {:<9} {}\n", stage.name, stage.shows);
    STAGES.iter().map(line).collect()
}

fn summary(reports: &[Report]) -> Table {
    let total: Duration = reports.iter().map(|report| report.took).sum();
    let mut table = Table::new(["stage", "seconds", "share", "result"]);
    for report in reports {
        let share = 100.0 * report.took.as_secs_f64() / total.as_secs_f64().max(f64::EPSILON);
        let result = if report.outcome.is_ok() {
            "ok"
        } else {
            "FAILED"
        };
        table.row([
            report.stage.name.into(),
            format!("{:.1}", report.took.as_secs_f64()),
            format!("{share:.0} %"),
            result.into(),
        ]);
    }
    table.row([
        "all".into(),
        format!("{:.1}", total.as_secs_f64()),
        String::new(),
        String::new(),
    ]);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn stages_run_in_their_own_order() {
        let stages = chosen(&names(&["clippy", "fmt"])).unwrap();
        let order: Vec<_> = stages.iter().map(|stage| stage.name).collect();
        assert_eq!(order, ["fmt", "clippy"]);
    }

    #[test]
    fn help_is_no_stage() {
        for word in ["--help", "-h", "help"] {
            assert!(run(&names(&["fmt", word])).is_ok());
        }
    }

    #[test]
    fn an_unknown_stage_is_named_beside_the_known_ones() {
        let error = chosen(&names(&["fmt", "clipy"])).err().unwrap().to_string();
        assert!(
            error.contains("`clipy`") && error.contains("clippy"),
            "{error}"
        );
    }

    #[test]
    fn assignments_go_to_the_environment() {
        let command = parse("A=1 cargo doc --x=y");
        assert_eq!(command.get_program(), "cargo");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["doc", "--x=y"]);
        assert_eq!(command.get_envs().count(), 1);
    }
}
