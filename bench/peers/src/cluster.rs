//! A private Postgres cluster, made for the run in its folder, with all settings at their defaults.
//! It is reached only through a socket in that folder.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};

use nix::unistd::User;
use tokio::process::Command;

use crate::{Result, postgres};

pub(crate) struct Cluster {
    programs: PathBuf,
    user: Option<User>,
    /// Ours, 0700: holds all that follows.
    folder: PathBuf,
}

impl Cluster {
    /// Makes it in `parent`; nothing runs yet.
    pub(crate) async fn make(parent: &Path) -> Result<Self> {
        let cluster = Self {
            programs: postgres::programs().await?,
            user: postgres::user()?,
            folder: parent.join("postgres"),
        };
        fs::create_dir(&cluster.folder)?;
        fs::set_permissions(&cluster.folder, Permissions::from_mode(0o700))?;
        if let Some(user) = &cluster.user {
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            chown(&cluster.folder, Some(uid), Some(gid))?;
        }
        let made = cluster
            .command("initdb")
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
            ])
            .arg("--pgdata")
            .arg(cluster.data())
            .output()
            .await
            .map_err(|error| format!("initdb can't be started: {error}"))?;
        if made.status.success() {
            Ok(cluster)
        } else {
            let said = String::from_utf8_lossy(&made.stderr);
            Err(format!("initdb failed: {}", said.trim()).into())
        }
    }

    /// One of Postgres' programs, as a user that it accepts.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.folder).kill_on_drop(true);
        // The machine's own Postgres is nothing to ours.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder of the socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.folder
    }

    /// Creates a database. The server has to run.
    pub(crate) async fn create(&self, database: &str) -> Result {
        let made = self
            .command("createdb")
            .arg("--host")
            .arg(self.socket())
            .args(["--username=postgres", database])
            .output()
            .await
            .map_err(|error| format!("createdb can't be started: {error}"))?;
        if made.status.success() {
            Ok(())
        } else {
            let said = String::from_utf8_lossy(&made.stderr);
            Err(format!("createdb failed: {}", said.trim()).into())
        }
    }

    /// How clients reach a database of that name, which need not exist.
    pub(crate) fn url(&self, database: &str) -> String {
        let host = percent_encoded(&self.socket().to_string_lossy());
        format!("postgres://postgres@localhost/{database}?host={host}")
    }
}

fn percent_encoded(path: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_path_fits_into_a_url() {
        assert_eq!(percent_encoded("/var/a b&c"), "%2Fvar%2Fa%20b%26c");
    }
}
