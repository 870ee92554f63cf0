//! A folder for databases, on a disk that really syncs.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::Result;

/// A folder of this run, deleted at its end.
pub(crate) struct Disk {
    folder: TempDir,
    system: String,
}

impl Disk {
    /// Creates a folder in `target/tmp`.
    pub(crate) fn new() -> Result<Self> {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(place)?;
        let folder = tempfile::Builder::new()
            .prefix("durable-")
            .tempdir_in(place)?;
        let system = file_system(folder.path())?;
        if system.starts_with("tmpfs") || system.starts_with("ramfs") {
            let place = place.display();
            return Err(
                format!("{place} is in memory ({system}): a sync costs nothing there").into(),
            );
        }
        Ok(Self { folder, system })
    }

    /// Returns a path for a new database.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.folder.path().parent().unwrap_or(Path::new("/"));
        write!(f, "`{}`, file system {}", place.display(), self.system)
    }
}

/// Returns the type and the device of the file system of a path.
fn file_system(path: &Path) -> Result<String> {
    let path = path.canonicalize()?;
    let mounts = fs::read_to_string("/proc/self/mounts")
        .map_err(|error| format!("this benchmark needs Linux's /proc: {error}"))?;
    let mount = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (device, point, kind) = (words.next()?, words.next()?, words.next()?);
            path.starts_with(point)
                .then(|| (point.len(), format!("{kind} on {device}")))
        })
        .max();
    Ok(mount.ok_or("no file system has this path")?.1)
}
