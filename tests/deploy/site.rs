//! A folder to deploy to, and what can be seen of it from outside.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use steps_test_support::cargo;

/// A folder to deploy to; its server is stopped at the end.
pub(crate) struct Site(tempfile::TempDir);

impl Site {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn with_releases(last: u32) -> Self {
        let site = Self::new();
        for version in 1..=last {
            assert_done(&site.deploy(&[]));
            site.assert_serves(version);
        }
        site
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn deploy(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the example runs")
    }

    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example runs")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo::example("deploy"));
        command
            .arg("--root")
            .arg(self.0.path())
            .args(["--max-life", "120"])
            .args(args);
        command
    }

    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        let port = fs::read_to_string(self.path("port")).ok()?.parse().ok()?;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    pub(crate) fn health(&self) -> serde_json::Value {
        let (status, body) = self.get("/health").expect("the server answers");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// The pid that the server answers with, which is also the one in its file.
    pub(crate) fn pid(&self) -> u64 {
        let health = self.health();
        let file = fs::read(self.path(format!("run/{}.pid", health["version"]))).expect("pid file");
        let file: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
        assert_eq!(file["pid"], health["pid"]);
        health["pid"].as_u64().expect("a pid")
    }

    #[track_caller]
    pub(crate) fn assert_serves(&self, version: u32) {
        let greeting = format!("hello from release {version}\n");
        assert_eq!(self.get("/"), Some((200, greeting)));
        assert_eq!(self.health()["version"], version);
        let link = fs::read_link(self.path("current")).expect("the link");
        assert_eq!(link, Path::new(&format!("releases/{version}")));
        assert!(self.path("current/server").is_file());
    }

    #[track_caller]
    pub(crate) fn assert_no_trace_of(&self, version: u32) {
        for path in [
            format!("releases/{version}"),
            format!("tarballs/{version}.tar.gz"),
            format!("run/{version}.pid"),
        ] {
            assert!(!self.path(&path).exists(), "{path} is still there");
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = Command::new(cargo::example("deploy"))
            .arg("--root")
            .arg(self.0.path())
            .arg("--stop")
            .output();
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
pub(crate) fn assert_code(output: &Output, code: i32) {
    let (out, err) = (stdout(output), stderr(output));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
}

#[track_caller]
pub(crate) fn assert_done(output: &Output) {
    assert_code(output, 0);
}
