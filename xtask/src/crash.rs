//! `cargo xtask crash`: only the crash tests of `tests/kill`, with a chosen number of kills
//! and seed.

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
        "--",
    ]);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let name = match &**arg {
            "--kills" => "STEPS_KILLS",
            "--seed" => "STEPS_SEED",
            scenario => {
                command.arg(scenario);
                continue;
            }
        };
        let value = args
            .next()
            .ok_or_else(|| format!("{arg}: a number is missing"))?;
        command.env(name, value);
    }
    cargo::run(&mut command)
}
