//! Where the programs of PostgreSQL are on this machine, and which user they run as.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{User, geteuid};

/// Debian's packages put them there, each version in a folder of its own.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with `initdb` and `postgres`, installed where it is missing and can be.
pub(crate) fn programs() -> PathBuf {
    if let Some(found) = found() {
        return found;
    }
    eprintln!("initdb and postgres are missing: installing the package `postgresql`");
    for args in [
        &["update"][..],
        &["install", "--yes", "--no-install-recommends", "postgresql"],
    ] {
        let mut apt = Command::new("apt-get");
        let done = apt.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        if !done.status().is_ok_and(|status| status.success()) {
            break;
        }
    }
    found().unwrap_or_else(|| {
        panic!(
            "this test starts a PostgreSQL server of its own, and `initdb` and `postgres` are neither in PATH nor \
             in {DEBIAN}/*/bin: install it (Debian's package `postgresql`, as root)"
        )
    })
}

/// The newest of Debian's, or that in `PATH`.
fn found() -> Option<PathBuf> {
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = debian
        .map(|version| version.path().join("bin"))
        .filter(|folder| is_complete(folder))
        .max_by_key(|folder| version(folder));
    newest.or_else(|| {
        let path = env::var_os("PATH")?;
        env::split_paths(&path).find(|folder| is_complete(folder))
    })
}

fn is_complete(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

fn version(folder: &Path) -> Option<u32> {
    folder.parent()?.file_name()?.to_str()?.parse().ok()
}

/// PostgreSQL refuses to run as root. `None` is the user who runs the tests.
pub(crate) fn user() -> Option<User> {
    if !geteuid().is_root() {
        return None;
    }
    let names = ["postgres", "nobody"].into_iter();
    let mut users = names.filter_map(|name| User::from_name(name).ok().flatten());
    let user = users.next();
    assert!(
        user.is_some(),
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`"
    );
    user
}
