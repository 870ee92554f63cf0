//! The example `telemetry`, run as a program.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::Command,
};

use steps_test_support::cargo;

/// An address on which nobody listens.
fn free() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it has one").to_string()
}

#[test]
fn the_example_prints_its_metrics_and_traces() {
    let mut command = Command::new(cargo::example("telemetry"));
    let output = command
        .args(["--metrics", &free()])
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, log) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{log}");
    for line in [
        r#"steps_executions_ended_total{flow="order",status="done"} 1"#,
        r#"steps_executions_ended_total{flow="order",status="undone"} 1"#,
        r#"steps_step_retries_total{flow="order",step="charge"} 2"#,
    ] {
        assert!(out.lines().any(|found| found == line), "{line}:\n{out}");
    }
    // Two requests, each with its trace; the first order has a turn in each engine.
    assert_eq!(
        out.matches("\n  POST /orders\n    start flow=order")
            .count(),
        2,
        "{out}"
    );
    assert_eq!(out.matches("trace ").count(), 2, "{out}");
    let turns = |id: &str| {
        let turn = format!("\n      execution flow=order execution={id} status=");
        out.matches(&turn).count()
    };
    assert!(turns("ann-lamp") >= 2, "{out}");
    assert!(turns("nobody-chair") >= 1, "{out}");
    assert!(
        out.contains("undo path=shelf attempt=1 outcome=done"),
        "{out}"
    );
    assert!(log.contains("the card was declined"), "{log}");
}

#[test]
fn the_example_says_what_it_takes() {
    let mut command = Command::new(cargo::example("telemetry"));
    let output = command.arg("--help").output().expect("it runs");
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(
        help.contains("--metrics") && help.contains("--stay"),
        "{help}"
    );
}
