//! `cargo xtask crash`: only the crash tests of `tests/kill` and, unless scenarios of those are chosen,
//! `tests/upgrade`, the workers on a PostgreSQL server, and `tests/crash`, with a chosen number of kills and seed. If
//! the number is given, `tests/crash` explores faults on that server, too.

use crate::{Result, cargo};

/// `[--kills N] [--seed N] [SCENARIO]…`
pub(crate) fn run(args: &[String]) -> Result {
    let mut command = cargo::cargo([
        "test",
        "--locked",
        "--package",
        "steps-tests",
        "--test",
        "kill",
    ]);
    let mut scenarios = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let name = match &**arg {
            "--kills" => "STEPS_KILLS",
            "--seed" => "STEPS_SEED",
            scenario => {
                scenarios.push(scenario);
                continue;
            }
        };
        let value = args
            .next()
            .ok_or_else(|| format!("{arg}: a number is missing"))?;
        command.env(name, value);
    }
    if scenarios.is_empty() {
        command.args(["--test", "upgrade", "--test", "crash"]);
        command.args(["--package", "steps-postgres-tests", "--test", "workers"]);
    }
    command.arg("--").args(scenarios);
    cargo::run(&mut command)
}
