//! The project's own tasks, as `cargo xtask <task>`: the checks that CI runs, the benchmarks, the
//! crash tests at length, and what `steps` costs at compile time. Each task is a module; this file only chooses one.

mod cargo;
mod compile_time;
mod crash;
mod stages;
mod table;

use std::{env, process::ExitCode};

/// Any error, to be shown to the person who ran the task.
type Error = Box<dyn std::error::Error>;
type Result<T = (), E = Error> = std::result::Result<T, E>;

const USAGE: &str = "\
cargo xtask <task>

  test [STAGE]…    every check, or only the named ones (`test --list` lists them)
  bench [NAME] [--quick] [TOPIC]…
                   all benchmarks, or the one of this name: measured, durable, commits
  crash [--kills N] [--seed N] [SCENARIO]…
                   the crash tests, with more kills than the 200 of every day
  compile-time     what a flow and a dependency on `steps` cost to compile
";

fn main() -> ExitCode {
    if let Some(code) = compile_time::as_rustc_wrapper() {
        return code;
    }
    let args: Vec<String> = env::args().skip(1).collect();
    let Some((task, rest)) = args.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match task.as_str() {
        "test" => stages::run(rest),
        "bench" => bench(rest),
        "crash" => crash::run(rest),
        "compile-time" => compile_time::run(),
        "--help" | "-h" | "help" => {
            print!("{USAGE}");
            Ok(())
        }
        other => {
            eprint!("no task `{other}`\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The benchmarks, each a folder or a file of `benches`.
const BENCHES: [&str; 3] = ["measured", "durable", "commits"];

/// `--bench '*'` leaves out the libraries' own test harnesses, which don't know a benchmark's
/// options.
fn bench(args: &[String]) -> Result {
    let (name, args) = match args.split_first() {
        Some((name, rest)) if BENCHES.contains(&name.as_str()) => (name.as_str(), rest),
        _ => ("*", args),
    };
    cargo::run(
        cargo::cargo(["bench", "--workspace", "--all-features", "--locked"])
            .args(["--bench", name, "--"])
            .args(args),
    )
}
