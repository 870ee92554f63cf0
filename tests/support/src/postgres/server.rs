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

use super::programs::{programs, user};

/// Starts the server, and ends it at once when it is told to: then it recovers at the next start, as after a crash.
const KEEP: &str = r#"
folder=$1; program=$2; shift 2
start() {
    "$program/postgres" -D "$folder/data" -k "$folder" -h '' "$@" >>"$folder/log" 2>&1 &
    pid=$!
}
stop() { kill -QUIT "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
start "$@"
while read -r line; do
    case "$line" in
        crash) stop; echo crashed ;;
        start) start "$@"; echo started ;;
    esac
done
stop
rm -rf "$folder"
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
        let programs = programs();
        let folder = tempfile::tempdir().expect("a folder").keep();
        let as_user = |program: PathBuf| {
            let mut command = Command::new(program);
            if let Some(user) = user() {
                command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
            }
            command.current_dir(&folder);
            command
        };
        if let Some(user) = user() {
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            chown(&folder, Some(uid), Some(gid)).expect("a folder of that user");
        }
        let mut initdb = as_user(programs.join("initdb"));
        let made = initdb
            .args(["-D", "data", "-U", "steps", "--auth=trust"])
            .args(["--encoding=UTF8", "--locale=C", "--no-sync"])
            .output();
        let made = made.expect("initdb can be started");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let fsync = match sync {
            Sync::On => "fsync=on",
            Sync::Off => "fsync=off",
        };
        let mut shell = as_user("/bin/sh".into())
            .args(["-c", KEEP, "keep"])
            .args([&folder, &programs])
            .args(["-c", fsync, "-c", "max_connections=300"])
            .args(["-c", "shared_buffers=64MB"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let stdin = shell.stdin.take().expect("its input");
        let stdout = BufReader::new(shell.stdout.take().expect("its output"));
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
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let waits = begun.elapsed() < Duration::from_mins(1);
            assert!(waits, "the server does not start: {}", log());
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
