//! A Restate server on the loopback interface, which can be killed and started again.

use std::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use super::program::program;

/// A port that nobody uses now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

/// Kills a process, by its id.
pub fn kill_9(child: &mut Child) {
    let pid = Pid::from_raw(child.id().try_into().expect("an id"));
    kill(pid, Signal::SIGKILL).expect("it runs");
    child.wait().expect("its end");
}

/// Waits until something holds, for a minute at most.
pub fn until(what: &str, holds: impl FnMut() -> bool) {
    until_or(what, holds, String::new);
}

fn until_or(what: &str, mut holds: impl FnMut() -> bool, why: impl Fn() -> String) {
    let begun = Instant::now();
    while !holds() {
        let waits = begun.elapsed() < Duration::from_mins(1);
        assert!(waits, "{what}: not within a minute {}", why());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a request to a port of this machine. Returns the status and the body.
pub fn http(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok((status.unwrap_or_default(), body.to_owned()))
}

/// A running server.
pub struct Server {
    folder: TempDir,
    pub ingress: u16,
    pub admin: u16,
    fabric: u16,
    process: Option<Child>,
}

impl Server {
    pub fn start() -> Self {
        let mut server = Self {
            folder: tempfile::tempdir().expect("a folder"),
            ingress: free_port(),
            admin: free_port(),
            fabric: free_port(),
            process: None,
        };
        server.again();
        server
    }

    /// Starts it, with what it has on its disk.
    pub fn again(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"));
        let log = log.expect("a file");
        let folder = self.folder.path();
        let config = folder.join("restate.toml");
        std::fs::write(&config, self.config()).expect("a file");
        let mut command = Command::new(program());
        command
            .arg("--no-logo")
            .arg("--config-file")
            .arg(config)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the file"))
            .stderr(log);
        self.process = Some(command.spawn().expect("the server can be started"));
        let (admin, ingress) = (self.admin, self.ingress);
        let is_up = |port, path| http(port, "GET", path, "").is_ok_and(|(status, _)| status == 200);
        until_or(
            "the server starts",
            || is_up(admin, "/health") && is_up(ingress, "/restate/health"),
            || self.log(),
        );
    }

    fn config(&self) -> String {
        let Self {
            ingress,
            admin,
            fabric,
            ..
        } = self;
        format!(
            r#"
            listen-mode = "tcp"
            bind-ip = "127.0.0.1"
            bind-port = {fabric}
            advertised-host = "127.0.0.1"
            base-dir = "data"
            node-name = "test"
            cluster-name = "test"
            default-num-partitions = 2
            rocksdb-total-memory-size = "256 MiB"
            disable-telemetry = true
            log-disable-ansi-codes = true
            [default-retry-policy]
            initial-interval = "50ms"
            max-interval = "500ms"
            [ingress]
            bind-ip = "127.0.0.1"
            bind-port = {ingress}
            [admin]
            bind-ip = "127.0.0.1"
            bind-port = {admin}
            "#
        )
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        kill_9(self.process.as_mut().expect("it runs"));
        self.process = None;
    }

    /// What it has written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Registers the service at this port. It may be registered again.
    pub fn register(&self, port: u16) {
        let body = format!(r#"{{"uri":"http://127.0.0.1:{port}","force":true}}"#);
        let mut said = String::new();
        until("the service is registered", || {
            match http(self.admin, "POST", "/deployments", &body) {
                Ok((200 | 201, _)) => true,
                other => {
                    said = format!("{other:?}");
                    false
                }
            }
        });
    }

    /// Asks the server's tables. Returns the rows as JSON.
    pub fn sql(&self, query: &str) -> Vec<serde_json::Value> {
        let body = serde_json::json!({ "query": query }).to_string();
        let mut answer = String::new();
        // Of one that has just started, not all parts know each other.
        until("the server answers a query", || {
            match http(self.admin, "POST", "/query", &body) {
                Ok((200, body)) => {
                    answer = body;
                    true
                }
                _ => false,
            }
        });
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        answer["rows"].as_array().expect("rows").clone()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ingress)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(6000);
            eprintln!("the server's log:\n{}", log.get(from..).unwrap_or(&log));
        }
    }
}
