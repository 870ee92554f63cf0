//! Where Postgres is on this machine, and which user it runs as.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use nix::unistd::{User, geteuid};
use tokio::process::Command;

use crate::Result;

/// Debian's packages put the servers there, each version in a folder of its own.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with `initdb` and `postgres`, installed where it is missing and can be.
pub(crate) async fn programs() -> Result<PathBuf> {
    if let Some(found) = found() {
        return Ok(found);
    }
    if !geteuid().is_root() {
        return Err(missing("and only root can install it").into());
    }
    eprintln!("initdb and postgres are missing: installing the package `postgresql`");
    for args in [
        &["update"][..],
        &["install", "--yes", "--no-install-recommends", "postgresql"],
    ] {
        let done = Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .kill_on_drop(true)
            .status()
            .await
            .map_err(|error| missing(&format!("and apt-get can't be started: {error}")))?;
        if !done.success() {
            let command = args.join(" ");
            return Err(missing(&format!("and `apt-get {command}` failed")).into());
        }
    }
    found().ok_or_else(|| missing("also after installing `postgresql`").into())
}

fn missing(why: &str) -> String {
    format!(
        "some of the engines need Postgres: initdb and postgres are neither in PATH nor in {DEBIAN}/*/bin, {why}. \
         Install Postgres (Debian's package `postgresql`), or leave them out with --only"
    )
}

/// The newest of Debian's, or that in `PATH`.
fn found() -> Option<PathBuf> {
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = debian
        .map(|version| version.path().join("bin"))
        .filter(|folder| complete(folder))
        .max_by_key(|folder| version(folder));
    newest.or_else(|| {
        let path = env::var_os("PATH")?;
        env::split_paths(&path).find(|folder| complete(folder))
    })
}

fn complete(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

fn version(folder: &Path) -> Option<u32> {
    folder.parent()?.file_name()?.to_str()?.parse().ok()
}

/// Postgres refuses to run as root. `None` is the user who runs the comparison.
pub(crate) fn user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some(user));
        }
    }
    Err("Postgres refuses to run as root, and there is no user `postgres` or `nobody`".into())
}
