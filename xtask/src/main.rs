//! The project's own tasks, run as `cargo xtask <task>`: the checks that CI runs, the benchmarks,
//! the long crash tests, the compile time of `steps`, what an editor shows, and tests against a real
//! API server of Kubernetes. Each task is a module; this file only selects one.

mod against;
mod cargo;
mod compile_time;
mod crash;
mod editor;
mod kube;
mod layers;
mod stages;
mod table;

use std::{env, process::ExitCode};

/// Any error, shown to the user of the task.
type Error = Box<dyn std::error::Error>;
type Result<T = (), E = Error> = std::result::Result<T, E>;

const USAGE: &str = "\
cargo xtask <task>

  test [STAGE]…    every check, or only the named ones (`test --help` lists them)
  layers           whether each file imports only from its own floor and those below it
  bench [NAME] [--quick] [TOPIC]…
                   all benchmarks, or the one of this name: measured, durable, commits
  bench against REV
                   a durable step now and at another revision, in turns (`--help`: more of it)
  crash [--kills N] [--seed N] [SCENARIO]…
                   the crash tests, with more kills than the 200 of every day
  compile-time     what a flow and a dependency on `steps` cost to compile
  editor [--ask] [--all]
                   what a user sees in an editor: what it reads compiles, and a rust-analyzer answers
                   rightly; only the latter, and with all answers
  kube [--build] [TEST]…
                   the tests of examples/kube_reconciler against a real API server and etcd, which are
                   fetched from Debian and built the first time; only that
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
        "--help" | "-h" | "help" => {
            print!("{USAGE}");
            Ok(())
        }
        // These tasks have no other help. A named benchmark has its own.
        "bench" if asks_for_help(&rest[..rest.len().min(1)]) => {
            print!("{USAGE}");
            Ok(())
        }
        "crash" | "compile-time" | "editor" | "kube" | "layers" if asks_for_help(rest) => {
            print!("{USAGE}");
            Ok(())
        }
        "test" => stages::run(rest),
        "bench" => bench(rest),
        "crash" => crash::run(rest),
        "compile-time" => compile_time::run(),
        "editor" => editor::run(rest),
        "kube" => kube::run(rest),
        "layers" => layers::run(),
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

/// Returns whether the arguments of a task ask for help.
fn asks_for_help(args: &[String]) -> bool {
    let ask = ["--help", "-h", "help"];
    args.iter().any(|arg| ask.contains(&arg.as_str()))
}

/// The benchmarks, each a folder or a file of `benches`.
const BENCHES: [&str; 3] = ["measured", "durable", "commits"];

/// `--bench '*'` excludes the libraries' own test harnesses, which don't know a benchmark's
/// options.
fn bench(args: &[String]) -> Result {
    if let Some((name, rest)) = args.split_first()
        && name == "against"
    {
        if asks_for_help(rest) {
            print!("{}", against::HELP);
            return Ok(());
        }
        return against::run(rest);
    }
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
