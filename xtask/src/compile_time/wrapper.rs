//! This program as a wrapper of rustc (cargo's `RUSTC_WRAPPER`), for two things that stable cargo
//! does not offer: the time of each rustc in a build, and rustc's expanded output without
//! `RUSTC_BOOTSTRAP` in cargo's own environment, where it would rebuild all dependencies.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    io::Write as _,
    path::Path,
    process::{Command, ExitCode},
    time::Instant,
};

use crate::Result;

const LOG: &str = "XTASK_RUSTC_LOG";
const UNSTABLE: &str = "XTASK_RUSTC_UNSTABLE";

/// Makes every rustc that `cargo` starts append its package and seconds to `log`.
pub(super) fn log_times(cargo: &mut Command, log: &Path) -> Result {
    cargo
        .env("RUSTC_WRAPPER", env::current_exe()?)
        .env(LOG, log);
    Ok(())
}

/// Lets the rustc that `cargo` starts for its own package accept `-Z` options.
pub(super) fn unstable(cargo: &mut Command) -> Result {
    cargo
        .env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?)
        .env(UNSTABLE, "1");
    Ok(())
}

/// Parses a line of the log.
pub(super) fn parse(line: &str) -> Option<(&str, f64)> {
    let (package, seconds) = line.split_once('\t')?;
    Some((package, seconds.parse().ok()?))
}

/// Runs rustc and returns its exit code, if cargo started this program as its wrapper.
pub(crate) fn as_rustc_wrapper() -> Option<ExitCode> {
    let log = env::var_os(LOG);
    let unstable = env::var_os(UNSTABLE).is_some();
    if log.is_none() && !unstable {
        return None;
    }
    let code = rustc(log.as_deref(), unstable).unwrap_or_else(|error| {
        eprintln!("error: in place of rustc: {error}");
        ExitCode::FAILURE
    });
    Some(code)
}

fn rustc(log: Option<&OsStr>, unstable: bool) -> Result<ExitCode> {
    let mut words = env::args_os().skip(1);
    let mut rustc = Command::new(words.next().ok_or("no rustc to run")?);
    let args: Vec<OsString> = words.collect();
    if unstable {
        rustc.env("RUSTC_BOOTSTRAP", "1");
    }
    let start = Instant::now();
    let status = rustc.args(&args).status()?;
    if let Some(log) = log
        && compiles(&args)
    {
        let package = env::var("CARGO_PKG_NAME")?;
        let line = format!("{package}\t{:.4}\n", start.elapsed().as_secs_f64());
        // Use one write, so that lines of several rustc processes don't mix.
        let mut log = File::options().create(true).append(true).open(log)?;
        log.write_all(line.as_bytes())?;
    }
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Returns whether rustc compiles a crate. Cargo also queries rustc, without a crate name or with
/// `___`.
fn compiles(args: &[OsString]) -> bool {
    let names = args.windows(2).filter(|pair| pair[0] == "--crate-name");
    names.into_iter().any(|pair| pair[1] != "___")
}
