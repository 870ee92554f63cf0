//! The example `restate_service`, run as a program.

mod common;

use std::{
    net::TcpStream,
    process::{Child, Command},
};

use common::server::{Server, free_port, kill_9, until};
use steps_test_support::cargo;

/// Runs the program. Returns whether it has succeeded, and what it has printed.
fn asked(server: &Server, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(cargo::example("restate_service"));
    command.args(words).env("RESTATE", server.url());
    let output = command.output().expect("it runs");
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8(text).expect("it prints text");
    (output.status.success(), text)
}

fn run(server: &Server, words: &[&str]) -> String {
    let (succeeds, text) = asked(server, words);
    assert!(succeeds, "{words:?}: {text}");
    text
}

struct Service(Child);

impl Service {
    fn start(port: u16) -> Self {
        let mut command = Command::new(cargo::example("restate_service"));
        command.args(["serve", &format!("127.0.0.1:{port}")]);
        let service = Self(command.spawn().expect("it runs"));
        until("the service listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        kill_9(&mut self.0);
    }
}

#[test]
fn orders_are_approved_taken_back_and_declined() {
    let server = Server::start();
    let port = free_port();
    let service = Service::start(port);
    server.register(port);
    assert!(run(&server, &["--help"]).contains("npx @restatedev/restate-server"));
    assert_eq!(
        run(&server, &["start", "o-1", "100"]),
        "order o-1 has begun\n"
    );
    assert_eq!(
        run(&server, &["start", "o-1", "100"]),
        "order o-1 is there already\n"
    );
    run(&server, &["start", "o-2", "100"]);
    run(&server, &["start", "o-3", "5000"]);
    // At first it has not begun.
    until("o-2 waits", || {
        let (succeeds, text) = asked(&server, &["show", "o-2"]);
        succeeds && text.contains("approved_by")
    });
    // While all wait, and nobody runs them.
    drop(service);
    let _service = Service::start(port);
    run(&server, &["approve", "o-1", "Bob"]);
    run(&server, &["undo", "o-2"]);
    run(&server, &["approve", "o-3", "Bob"]);
    let done = run(&server, &["outcome", "o-1"]);
    assert_eq!(done, "Ada has paid 100 for 3, approved by Bob\n");
    assert!(run(&server, &["outcome", "o-2"]).contains("undone"));
    let declined = run(&server, &["outcome", "o-3"]);
    assert!(
        declined.contains("failed at `receipt`: Ada is not good for 5000"),
        "{declined}"
    );
    assert!(run(&server, &["show", "o-3"]).contains("receipt"));
}
