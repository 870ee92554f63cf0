//! `cargo xtask kube`: the tests of `examples/kube_reconciler` against a real API server and etcd, on loopback.
//!
//! No package has a kube-apiserver, so it is built, once, from Debian's source of Kubernetes. What that needs is
//! fetched from Debian, too, and unpacked below `target/kube`: nothing is installed, and no rights are needed.
//!
//! | module | does |
//! |---|---|
//! | `packages` | fetches Debian's packages and unpacks them |
//! | `build` | makes the programs from them |
//! | `servers` | runs the two servers, and ends them |

mod build;
mod packages;
mod servers;

use std::{
    env, fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use crate::{Result, cargo};

use servers::Servers;

/// Where all of it is.
struct Folder(PathBuf);

/// What runs: in `target/kube/bin`. Another kube-apiserver and etcd may be put there.
const PROGRAMS: [&str; 3] = ["kube-apiserver", "etcd", "certificate"];

impl Folder {
    fn path(&self, of: &str) -> PathBuf {
        self.0.join(of)
    }

    fn bin(&self, program: &str) -> PathBuf {
        self.0.join("bin").join(program)
    }
}

/// `[--build] [TEST]…`
pub(crate) fn run(args: &[String]) -> Result {
    let (options, tests): (Vec<_>, Vec<_>) = args.iter().partition(|arg| arg.starts_with('-'));
    if let Some(unknown) = options.iter().find(|option| **option != "--build") {
        return Err(format!("no option `{unknown}`: see `cargo xtask --help`").into());
    }
    let folder = Folder(cargo::root().join("target/kube"));
    fs::create_dir_all(folder.path("bin"))?;
    let missing: Vec<_> = PROGRAMS
        .into_iter()
        .filter(|program| !folder.bin(program).is_file())
        .collect();
    if !missing.is_empty() {
        eprintln!(
            "── {} not in {} yet",
            missing.join(", "),
            folder.path("bin").display()
        );
        make(&folder)?;
    }
    if !options.is_empty() {
        return Ok(());
    }
    let servers = Servers::start(&folder)?;
    let ran = test(&servers, &tests);
    match ran {
        Ok(()) => servers.end(),
        Err(error) => Err(format!("{error}; the servers' logs: {}", servers.logs()).into()),
    }
}

/// Fetches and builds.
fn make(folder: &Folder) -> Result {
    eprintln!(
        "── fetching 150 MB from Debian and building a kube-apiserver, once: 5 to 60 minutes; 2 GB of disk while it is \
         built and 0.1 GB from then on"
    );
    let start = Instant::now();
    timed("fetching", || packages::fetch(folder))?;
    timed("unpacking", || packages::unpack(folder))?;
    build::all(folder)?;
    // What went into it is not needed any more.
    for of in ["apt", "cache", "go", "root"] {
        fs::remove_dir_all(folder.path(of))?;
    }
    eprintln!("── all of it took {}", shown(start.elapsed()));
    Ok(())
}

fn timed(what: &str, run: impl FnOnce() -> Result) -> Result {
    eprintln!("── {what}");
    let start = Instant::now();
    run()?;
    eprintln!("── {what} took {}", shown(start.elapsed()));
    Ok(())
}

fn shown(took: Duration) -> String {
    let seconds = took.as_secs();
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

/// The tests of every day, and those that only a real server can answer.
fn test(servers: &Servers, tests: &[&String]) -> Result {
    cargo::run(
        // With the features of the other tasks, so that nothing is built anew.
        cargo::cargo(["test", "--workspace", "--all-features", "--locked"])
            .args(["--test", "reconciler", "--", "--include-ignored"])
            .args(tests)
            .env("STEPS_KUBECONFIG", servers.config()),
    )
}

/// A command of the system, which may be missing.
fn tool(program: &str) -> Result<Command> {
    let paths = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&paths).any(|path| path.join(program).is_file()) {
        return Ok(cargo::command(program));
    }
    Err(format!("`{program}` is missing; {}", packages::OTHERWISE).into())
}
