//! The service as a process, and the few lines that it takes to ask it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use steps_test_support::cargo;

const PATIENCE: Duration = Duration::from_mins(1);

/// The folder of the service's databases.
pub(crate) struct Folder(tempfile::TempDir);

/// The service, which is killed at the end.
pub(crate) struct Service {
    child: Child,
    address: String,
    /// Kept, as it could not write to a pipe that nobody holds.
    _out: BufReader<ChildStdout>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    /// Null if it is no JSON.
    pub(crate) body: Value,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Whether there is a file of this name in it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }

    /// Starts the service; options given here come after, and win over, those of all tests.
    pub(crate) fn start(&self, args: &[&str]) -> Service {
        let mut command = Command::new(cargo::example("axum_service"));
        command
            .arg("--dir")
            .arg(self.0.path())
            .args(["--port", "0"]);
        for (option, value) in [("--packing", "20"), ("--lease", "3000")] {
            if !args.contains(&option) {
                command.args([option, value]);
            }
        }
        command.args(args).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the example runs");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        out.read_line(&mut line).expect("its first line");
        let address = line.trim().strip_prefix("listening on http://");
        Service {
            address: address.expect("its address").to_owned(),
            child,
            _out: out,
        }
    }
}

impl Service {
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        let length = body.len();
        let end = format!("Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        request.push_str(&end);
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok());
        Answer {
            status: status.expect("a status"),
            location: lines.find_map(|line| Some(line.strip_prefix("location: ")?.to_owned())),
            body: serde_json::from_str(body).unwrap_or_default(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        self.request("POST", path, &headers, &body.to_string())
    }

    pub(crate) fn order(&self, key: &str, order: &Value) -> Answer {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ];
        self.request("POST", "/orders", &headers, &order.to_string())
    }

    /// The order, as soon as it is in this status.
    #[track_caller]
    pub(crate) fn until(&self, id: &str, status: &str) -> Value {
        self.poll(id, |order| order["status"] == status)
    }

    /// The order, as soon as this step is in this status.
    #[track_caller]
    pub(crate) fn until_step(&self, id: &str, step: &str, status: &str) -> Value {
        self.poll(id, |order| {
            let steps = order["state"]["states"].as_array();
            let step = steps.and_then(|steps| steps.iter().find(|it| it["name"] == step));
            let running = json!("running");
            // It is left out where the times tell it.
            step.is_some_and(|step| {
                let told = step.get("status").unwrap_or(&running);
                told == status && step["doneAt"].is_null()
            })
        })
    }

    #[track_caller]
    fn poll(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(&format!("/orders/{id}"));
            assert_eq!(answer.status, 200, "{}", answer.body);
            if wanted(&answer.body) {
                return answer.body;
            }
            assert!(
                Instant::now() < end,
                "it never came to that: {:#}",
                answer.body
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The ids that a list gives.
    pub(crate) fn list(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/orders{query}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let lines = answer.body.as_array().expect("a list").iter();
        lines
            .map(|line| line["id"].as_str().expect("an id").to_owned())
            .collect()
    }

    pub(crate) fn stock(&self, product: &str) -> u64 {
        let products = self.get("/products").body;
        let products = products.as_array().expect("a list").iter();
        let found = { products }
            .find(|it| it["name"] == product)
            .expect("it is sold");
        found["stock"].as_u64().expect("a number")
    }

    pub(crate) fn ledger(&self) -> Value {
        self.get("/ledger").body
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Asks it to end: its exit code, and how long that took.
    pub(crate) fn terminate(mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        let pid = i32::try_from(self.child.id()).expect("a pid");
        kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it can be told");
        let status = self.child.wait().expect("it ends");
        (status.code(), begun.elapsed())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
