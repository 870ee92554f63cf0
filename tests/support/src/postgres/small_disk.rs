//! A file system of a server's own, in memory and soon full: mounted where only the server sees it.

use std::{path::Path, process::Command};

use nix::unistd::{User, getgid, getuid};

/// What of a server is on the small file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmallDisk {
    /// Its tables: what has no room fails, and the server goes on.
    Tables,
    /// Its write-ahead log: the server ends when it has no room.
    Log,
}

/// Mounts it, puts something large into it that can be removed, and runs the rest.
const MOUNT: &str = r#"
folder=$1; size=$2; ballast=$3; owner=$4; group=$5; shift 5
mount -t tmpfs -o "size=${size}m,mode=0700,uid=$owner,gid=$group" small "$folder/small" || exit 1
dd if=/dev/zero of="$folder/small/ballast" bs=1M count="$ballast" status=none || exit 1
"$@"
umount "$folder/small"
rm -rf "$folder"
"#;

impl SmallDisk {
    /// How large it is, and how much of that is given back when room is made, in MiB. What is left after `initdb` is
    /// filled within seconds.
    fn sizes(self) -> [&'static str; 2] {
        match self {
            Self::Tables => ["48", "12"],
            Self::Log => ["32", "12"],
        }
    }

    /// Where the tables and the log are, in the folder of a server.
    pub(crate) fn places(self) -> [&'static str; 2] {
        match self {
            Self::Tables => ["small/data", "wal"],
            Self::Log => ["data", "small/wal"],
        }
    }

    /// A command to which a program and its arguments are added: it runs as this user, or as the one who runs the tests,
    /// with the file system mounted.
    pub(crate) fn command(self, folder: &Path, user: Option<&User>) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]);
        if user.is_none() {
            // Whoever is not root is it in a namespace of users, and is himself again in one inside that.
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["/bin/sh", "-c", MOUNT, "mount"]).arg(folder);
        command.args(self.sizes());
        match user {
            Some(user) => {
                let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
                command.args([&uid, &gid]).arg("setpriv");
                command.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
                command.arg("--clear-groups");
            }
            None => {
                command.args(["0", "0", "unshare", "--user"]);
                command.arg(format!("--map-user={}", getuid()));
                command.arg(format!("--map-group={}", getgid()));
            }
        }
        command
    }
}

/// What is said where it can't be mounted.
pub(crate) const NEEDED: &str = "this test puts a PostgreSQL server on a small file system of its own, which it mounts \
    with `unshare --mount` and `mount`; that has failed, as is said above. It needs root with the right to mount, or \
    namespaces of users, and Debian's packages `util-linux` and `mount`";
