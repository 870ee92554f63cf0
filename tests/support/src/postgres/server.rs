//! A PostgreSQL server of a test program's own, on a socket in a temporary folder, and databases on it.
//!
//! A shell keeps it: it does what it is told on its standard input, and stops the server, by its own process id, and
//! removes the folder when that ends, which is when this program ends, however it does.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    programs::{programs, user},
    small_disk::{NEEDED, SmallDisk},
};

/// Makes the server, starts it, and ends it at once when it is told to: then it recovers at the next start, as after a
/// crash.
const KEEP: &str = r#"
folder=$1; program=$2; data=$folder/$3; log=${4:+$folder/$4}; shift 4
ulimit -c 0
if "$program/initdb" -D "$data" ${log:+--waldir="$log" --wal-segsize=1} -U steps --auth=trust --encoding=UTF8 \
    --locale=C --no-sync >"$folder/log" 2>&1
then echo made; else cat "$folder/log" >&2; exit 1; fi
start() {
    "$program/postgres" -D "$data" -k "$folder" -h '' "$@" >>"$folder/log" 2>&1 &
    pid=$!
}
stop() { kill -QUIT "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
start "$@"
while read -r line; do
    case "$line" in
        crash) stop; echo crashed ;;
        start) start "$@"; echo started ;;
        room) rm "$folder/small/ballast" && echo room ;;
    esac
done
stop
rm -rf "$folder" 2>/dev/null
"#;

/// Whether what was committed outlasts a crash of the machine: slower, and needed only where that is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// It does.
    On,
    /// It may not.
    Off,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    programs: PathBuf,
    keeper: Mutex<Keeper>,
}

#[derive(Debug)]
struct Keeper {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    _shell: Child,
}

impl Server {
    /// The one that the tests of this program share.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(Sync::Off))
    }

    /// Starts one, and waits until it is ready.
    pub fn start(sync: Sync) -> Self {
        Self::make(sync, None)
    }

    /// Starts one whose tables or whose log are on a [small file system](SmallDisk) of their own, with nothing in it yet
    /// but what [`make_room`](Self::make_room) removes. What is written is in memory only, so it does not outlast the
    /// machine.
    pub fn on_small_disk(disk: SmallDisk) -> Self {
        Self::make(Sync::Off, Some(disk))
    }

    fn make(sync: Sync, disk: Option<SmallDisk>) -> Self {
        let programs = programs();
        let user = user();
        let folder = tempfile::tempdir().expect("a folder").keep();
        if disk.is_some() {
            std::fs::create_dir(folder.join("small")).expect("a folder in it");
        }
        if let Some(user) = &user {
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            chown(&folder, Some(uid), Some(gid)).expect("a folder of that user");
        }
        let mut command = match disk {
            Some(disk) => {
                let mut command = disk.command(&folder, user.as_ref());
                command.arg("/bin/sh");
                command
            }
            None => {
                let mut command = Command::new("/bin/sh");
                if let Some(user) = &user {
                    command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
                }
                command
            }
        };
        let [data, log] = disk.map_or(["data", ""], SmallDisk::places);
        let fsync = match sync {
            Sync::On => "fsync=on",
            Sync::Off => "fsync=off",
        };
        command
            .current_dir(&folder)
            .args(["-c", KEEP, "keep"])
            .args([&folder, &programs])
            .args([data, log])
            .args(["-c", fsync, "-c", "max_connections=300"])
            .args(["-c", "shared_buffers=64MB"]);
        if disk == Some(SmallDisk::Log) {
            // Nothing of it is given back before it is full.
            command.args(["-c", "max_wal_size=1GB", "-c", "checkpoint_timeout=1h"]);
        }
        let mut shell = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| match disk {
                Some(_) => panic!("{error}: {NEEDED}"),
                None => panic!("a shell can't be started: {error}"),
            });
        let stdin = shell.stdin.take().expect("its input");
        let mut stdout = BufReader::new(shell.stdout.take().expect("its output"));
        let mut made = String::new();
        stdout.read_line(&mut made).expect("the shell says");
        assert_eq!(
            made.trim(),
            "made",
            "{}",
            disk.map_or("initdb failed, as is said above", |_| NEEDED)
        );
        let server = Self {
            folder,
            programs,
            keeper: Mutex::new(Keeper {
                stdin,
                stdout,
                _shell: shell,
            }),
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) {
        let begun = Instant::now();
        let is_ready = || {
            let mut command = Command::new(self.programs.join("pg_isready"));
            let asked = command.arg("-q").arg("-h").arg(&self.folder).status();
            asked.is_ok_and(|status| status.success())
        };
        while !is_ready() {
            let waits = begun.elapsed() < Duration::from_mins(1);
            assert!(waits, "the server does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn tell(&self, what: &str) {
        let mut keeper = self.keeper.lock().expect("one at a time");
        writeln!(keeper.stdin, "{what}").expect("the shell listens");
        let mut line = String::new();
        keeper.stdout.read_line(&mut line).expect("the shell says");
        assert!(!line.is_empty(), "the shell has ended");
    }

    /// Ends the server as `pg_ctl stop -m immediate` does, in the middle of whatever it does.
    pub fn crash(&self) {
        self.tell("crash");
    }

    /// Starts it again, and waits until it has recovered.
    pub fn restart(&self) {
        self.tell("start");
        self.wait_until_ready();
    }

    /// Makes room on the [small file system](SmallDisk) that it is on.
    pub fn make_room(&self) {
        self.tell("room");
    }

    /// What it has written into its log for people.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The folder with the socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL of the server's one database.
    pub fn url(&self) -> String {
        format!(
            "postgres://steps@localhost/postgres?host={}",
            self.folder.display()
        )
    }
}

/// The name of a schema that nobody else uses.
pub fn schema() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
