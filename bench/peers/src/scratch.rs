//! The folder that all databases of a run are in, removed at its end, however it ends. It must be on
//! a disk: in memory, a sync costs nothing, and the comparison would be worth as much.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;

use crate::Result;

pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new(parent: &Path) -> Result<Self> {
        let kind = statfs(parent)
            .map_err(|error| format!("{}: {error}", parent.display()))?
            .filesystem_type();
        if kind == TMPFS_MAGIC {
            let parent = parent.display();
            return Err(format!("{parent} is in memory: name one on a disk with --dir").into());
        }
        let folder = tempfile::Builder::new()
            .prefix("peers-")
            .tempdir_in(parent)
            .map_err(|error| format!("no folder can be made in {}: {error}", parent.display()))?;
        // Postgres may run as another user, and has to pass through to its own folder.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}
