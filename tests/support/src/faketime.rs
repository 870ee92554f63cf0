//! Processes whose wall clock can be set, alone and while they run, by `libfaketime`, which is installed where it is
//! missing and can be.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// The file in a folder that says how far the wall clock is off, in seconds.
const OFFSET: &str = "offset";

/// Sets the wall clock of all processes of a folder: so many seconds off.
pub fn set(folder: &Path, seconds: i64) {
    // A reader never sees half of it.
    let part = folder.join("offset.part");
    fs::write(&part, format!("{seconds:+}\n")).expect("the offset is written");
    fs::rename(&part, folder.join(OFFSET)).expect("the offset is in its place");
}

/// A command whose process has the wall clock of this folder.
pub fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("LD_PRELOAD", library())
        .env("FAKETIME_TIMESTAMP_FILE", folder.join(OFFSET))
        .env("FAKETIME_NO_CACHE", "1")
        .env("NO_FAKE_STAT", "1")
        // Two versions of the library have two names for this.
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

/// The library, which is installed where it is missing, once.
///
/// # Panics
///
/// Where it can't be installed.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        find().unwrap_or_else(|| {
            let install = Command::new("apt-get")
                .args(["install", "--yes", "--quiet", "faketime"])
                // Another test program may be at it, too.
                .args(["-o", "DPkg::Lock::Timeout=120"])
                .stdout(Stdio::null())
                .status();
            drop(install);
            find().expect(
                "this test needs libfaketime, to set the wall clock of its processes: install it with \
                 the system's packages (`apt-get install faketime`)",
            )
        })
    })
}

fn find() -> Option<PathBuf> {
    let below = |folder: &str| fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = below("/usr/lib").chain(below("/usr/lib64"));
    let folders = folders.map(|entry| entry.path());
    let named = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    named
        .into_iter()
        .chain(folders)
        .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.is_file())
}
