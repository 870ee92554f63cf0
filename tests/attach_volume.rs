//! The example `attach_volume`, run as a program.

use std::process::{Command, Output};

use steps_test_support::cargo;

/// Runs the example and gives its exit status and what it printed.
fn attach_volume(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, .. } = Command::new(cargo::example("attach_volume"))
        .args(args)
        .output()
        .expect("the example starts");
    (
        status.code(),
        String::from_utf8(stdout).expect("it prints text"),
    )
}

/// The lines about requests: `METHOD path status BEGAN-ENDED ms`.
fn request_lines(printed: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = printed.lines().filter(|line| line.starts_with("  "));
    let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.filter(|words| words.len() == 5 && words[4] == "ms")
}

/// The requests it made, each as `METHOD path status`, in order.
fn requests(printed: &str) -> Vec<String> {
    request_lines(printed)
        .map(|words| words[..3].join(" "))
        .collect()
}

/// When the first such request began and ended, in milliseconds.
fn span(printed: &str, method: &str, path: &str) -> (u64, u64) {
    let times = request_lines(printed)
        .find(|words| words[0] == method && words[1].starts_with(path))
        .and_then(|words| words[3].split_once('-'))
        .unwrap_or_else(|| panic!("no {method} {path} in {printed}"));
    let number = |text: &str| text.parse().expect("a number of milliseconds");
    (number(times.0), number(times.1))
}

/// Whether two requests were under way at one time.
fn overlap(a: (u64, u64), b: (u64, u64)) -> bool {
    a.0 < b.1 && b.0 < a.1
}

/// How often a request was answered with this status.
fn count(requests: &[String], method: &str, path: &str, status: u16) -> usize {
    let hit = |request: &&String| {
        request.starts_with(&format!("{method} {path}")) && request.ends_with(&format!(" {status}"))
    };
    requests.iter().filter(hit).count()
}

/// Where the first such request stands.
fn position(requests: &[String], start: &str) -> usize {
    let at = requests
        .iter()
        .position(|request| request.starts_with(start));
    at.unwrap_or_else(|| panic!("no request {start:?} in {requests:#?}"))
}

#[test]
fn creates_both_and_attaches() {
    let (status, printed) = attach_volume(&["--vm", "web", "--volume", "data", "--size", "7"]);
    assert_eq!(status, Some(0), "{printed}");

    let requests = requests(&printed);
    assert_eq!(count(&requests, "POST", "/vms", 200), 1, "{requests:#?}");
    assert_eq!(
        count(&requests, "POST", "/attachments", 200),
        1,
        "{requests:#?}"
    );
    assert_eq!(count(&requests, "DELETE", "/", 204), 0, "{requests:#?}");

    let (_, holds) = printed
        .split_once("the cloud holds:")
        .expect("it lists the cloud");
    assert!(holds.contains("web (Ready)"), "{holds}");
    assert!(holds.contains("data, 7 GB (Ready)"), "{holds}");
    assert!(holds.contains("as /dev/vdb"), "{holds}");
}

#[test]
fn a_busy_cloud_is_asked_again() {
    let (_, printed) = attach_volume(&[]);
    let requests = requests(&printed);
    assert_eq!(
        count(&requests, "POST", "/volumes", 503),
        1,
        "{requests:#?}"
    );
    assert_eq!(
        count(&requests, "POST", "/volumes", 200),
        1,
        "{requests:#?}"
    );
}

#[test]
fn both_are_polled_until_ready_before_the_volume_is_attached() {
    let (_, printed) = attach_volume(&[]);
    let requests = requests(&printed);
    assert_eq!(count(&requests, "GET", "/vms/", 200), 3, "{requests:#?}");
    assert_eq!(
        count(&requests, "GET", "/volumes/", 200),
        3,
        "{requests:#?}"
    );
    let last_poll = requests.iter().rposition(|request| {
        request.starts_with("GET /vms/") || request.starts_with("GET /volumes/")
    });
    assert!(
        last_poll < Some(position(&requests, "POST /attachments")),
        "{requests:#?}"
    );
}

#[test]
fn machine_and_volume_are_created_at_once() {
    let (_, printed) = attach_volume(&[]);
    let (vm, volume) = (
        span(&printed, "POST", "/vms"),
        span(&printed, "POST", "/volumes"),
    );
    assert!(overlap(vm, volume), "{printed}");
}

#[test]
fn machine_and_volume_are_deleted_at_once() {
    let (_, printed) = attach_volume(&["--fail"]);
    let (vm, volume) = (
        span(&printed, "DELETE", "/vms"),
        span(&printed, "DELETE", "/volumes"),
    );
    assert!(overlap(vm, volume), "{printed}");
}

#[test]
fn the_end_is_reported_once() {
    let (_, printed) = attach_volume(&[]);
    assert_eq!(
        printed.matches("done: my-vol is /dev/vdb of my-vm").count(),
        1,
        "{printed}"
    );
    assert_eq!(
        printed.matches("its operators read:").count(),
        1,
        "{printed}"
    );
    assert!(!printed.contains("alarm"), "{printed}");
}

#[test]
fn a_refused_attachment_leaves_nothing_behind() {
    let (status, printed) = attach_volume(&["--fail"]);
    assert_eq!(status, Some(1), "{printed}");

    let requests = requests(&printed);
    assert_eq!(
        count(&requests, "POST", "/attachments", 409),
        1,
        "{requests:#?}"
    );
    assert_eq!(count(&requests, "DELETE", "/vms/", 204), 1, "{requests:#?}");
    assert_eq!(
        count(&requests, "DELETE", "/volumes/", 204),
        1,
        "{requests:#?}"
    );
    assert_eq!(
        count(&requests, "DELETE", "/attachments/", 204),
        0,
        "{requests:#?}"
    );
    let refused = position(&requests, "POST /attachments");
    assert!(
        refused < position(&requests, "DELETE /vms/"),
        "{requests:#?}"
    );
    assert!(
        refused < position(&requests, "DELETE /volumes/"),
        "{requests:#?}"
    );
    assert!(printed.contains("the cloud holds: nothing"), "{printed}");
}

#[test]
fn an_undo_is_retried_by_its_own_policy() {
    let (_, printed) = attach_volume(&["--fail"]);
    let requests = requests(&printed);
    assert_eq!(
        count(&requests, "DELETE", "/volumes/", 503),
        1,
        "{requests:#?}"
    );
    assert_eq!(
        count(&requests, "DELETE", "/volumes/", 204),
        1,
        "{requests:#?}"
    );
}

#[test]
fn the_alarm_is_raised_once_when_the_rollback_has_ended() {
    let (_, printed) = attach_volume(&["--fail"]);
    assert_eq!(printed.matches("failed: ").count(), 1, "{printed}");
    assert!(printed.contains("no slot is free"), "{printed}");
    assert_eq!(
        printed.matches("its operators read: alarm").count(),
        1,
        "{printed}"
    );
    let undone = printed.rfind("  DELETE").expect("it deletes");
    assert!(printed.find("failed: ") > Some(undone), "{printed}");
}

#[test]
fn the_tree_shows_what_was_undone() {
    let (_, printed) = attach_volume(&["--fail"]);
    for line in ["↺ attach_volume", "↺ create", "✗ attachment"] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
}

#[test]
fn help_and_bad_usage() {
    let (status, printed) = attach_volume(&["--help"]);
    assert_eq!(status, Some(0));
    assert!(printed.contains("--fail"), "{printed}");
    for args in [
        ["--size", "big"],
        ["--size", "0"],
        ["--vm", ""],
        ["--volume", ""],
    ] {
        assert_eq!(attach_volume(&args).0, Some(2), "{args:?}");
    }
}
