//! The example `deploy`, run as a process: real files, links, servers and HTTP.

#![cfg(unix)]

mod database;
mod killed;
mod site;

use std::{fs, path::Path, process::Command};

use steps_test_support::cargo;

use site::{Site, assert_code, assert_done, stderr, stdout};

const STEPS: [&str; 8] = [
    "pack",
    "unpack",
    "out_of_service",
    "stop_old",
    "switch_link",
    "start_new",
    "healthy",
    "in_service",
];

#[test]
fn a_fresh_deployment_serves() {
    let site = Site::new();
    let output = site.deploy(&[]);
    assert_done(&output);
    site.assert_serves(1);
    for step in STEPS {
        assert!(stdout(&output).contains(step), "{step} is not shown");
    }
}

#[test]
fn a_second_deployment_replaces_the_first() {
    let site = Site::with_releases(1);
    let first = site.pid();
    assert_done(&site.deploy(&["--version", "7"]));
    site.assert_serves(7);
    assert_ne!(site.pid(), first);
    assert!(site.path("releases/1/server").is_file());

    let again = site.deploy(&["--version", "7"]);
    assert_code(&again, 1);
    assert!(stderr(&again).contains("release 7 is the current one"));
    site.assert_serves(7);
}

#[test]
fn an_older_release_can_be_deployed_again() {
    let site = Site::with_releases(2);
    assert_code(&site.deploy(&["--version", "1", "--fail-at", "healthy"]), 1);
    site.assert_serves(2);
    assert!(site.path("releases/1/server").is_file());
    assert!(site.path("tarballs/1.tar.gz").is_file());
    assert_done(&site.deploy(&["--version", "1"]));
    site.assert_serves(1);
}

#[test]
fn whichever_step_fails_the_old_release_is_back() {
    let site = Site::with_releases(2);
    for (index, step) in STEPS.into_iter().enumerate() {
        let before = site.pid();
        let output = site.deploy(&["--fail-at", step]);
        assert_code(&output, 1);
        let message = format!("made to fail after its effect, by --fail-at {step}");
        assert!(stderr(&output).contains(&message), "{}", stderr(&output));
        site.assert_serves(2);
        site.assert_no_trace_of(3);
        // From `stop_old` on there was another process in between.
        assert_eq!(site.pid() != before, index >= 3, "{step}");
    }
}

#[test]
fn whichever_step_of_the_first_deployment_fails_nothing_is_left() {
    let site = Site::new();
    for step in STEPS {
        assert_code(&site.deploy(&["--fail-at", step]), 1);
        site.assert_no_trace_of(1);
        assert!(!site.path("current").exists(), "{step}");
        assert!(!site.path("traffic.json").exists(), "{step}");
        assert_eq!(site.get("/"), None, "{step}");
    }
}

#[test]
fn a_release_that_is_never_healthy_is_taken_back() {
    let site = Site::with_releases(1);
    let output = site.deploy(&["--broken"]);
    assert_code(&output, 1);
    assert!(stdout(&output).contains("not yet"), "{}", stdout(&output));
    site.assert_serves(1);
    site.assert_no_trace_of(2);
}

#[test]
fn a_tarball_can_be_carried_to_another_site() {
    let from = Site::with_releases(1);
    let tarball = from.path("tarballs/1.tar.gz");
    let tarball = tarball.to_str().expect("a path of plain text");
    let to = Site::new();
    let other = to.deploy(&["--tarball", tarball, "--version", "2"]);
    assert_code(&other, 2);
    assert!(stderr(&other).contains("it holds version 1"));
    assert_code(
        &to.deploy(&["--tarball", tarball, "--fail-at", "in_service"]),
        1,
    );
    assert!(Path::new(tarball).is_file());
    assert_done(&to.deploy(&["--tarball", tarball]));
    to.assert_serves(1);
    from.assert_serves(1);
}

#[test]
fn a_stopped_site_can_be_deployed_to_again() {
    let site = Site::with_releases(1);
    assert_done(&site.deploy(&["--stop"]));
    assert_eq!(site.get("/"), None);
    assert_done(&site.deploy(&["--version", "1"]));
    site.assert_serves(1);
}

/// What the file holds is the pid of this test: as if the system had given it away again.
#[test]
fn a_pid_that_belongs_to_somebody_else_is_left_alone() {
    let site = Site::with_releases(1);
    assert_done(&site.deploy(&["--stop"]));
    let pid = std::process::id();
    let file = format!(r#"{{"pid":{pid},"version":1,"started":0}}"#);
    fs::write(site.path("run/1.pid"), file).expect("a pid file");
    assert_done(&site.deploy(&[]));
    site.assert_serves(2);
}

#[test]
fn without_a_root_it_shows_two_deployments_and_a_rollback() {
    for (args, reason) in [
        (&[][..], "not ready after 20 polls"),
        (&["--fail-at", "switch_link"], "by --fail-at switch_link"),
    ] {
        let output = Command::new(cargo::example("deploy"))
            .args(args)
            .output()
            .expect("the example runs");
        assert_done(&output);
        let out = stdout(&output);
        let answers: Vec<_> = out
            .lines()
            .filter_map(|line| line.split_once(" gives "))
            .map(|(_, answer)| answer)
            .collect();
        let greeting = |version| format!("200, hello from release {version}");
        assert_eq!(answers, [greeting(1), greeting(2), greeting(2)], "{out}");
        assert!(out.contains(reason), "{out}");
        let folder = out.lines().find_map(|line| line.split_once("removed "));
        let (_, folder) = folder.expect("it names its folder");
        assert!(!Path::new(folder).exists());
    }
}

#[test]
fn help_names_every_option() {
    let output = Command::new(cargo::example("deploy"))
        .arg("--help")
        .output()
        .expect("the example runs");
    assert_done(&output);
    for option in [
        "--root",
        "--version",
        "--tarball",
        "--fail-at",
        "--db",
        "--kill-at",
        "--skip-undo",
        "Exit status",
    ] {
        assert!(stdout(&output).contains(option), "{option}");
    }
}

#[test]
fn bad_input_is_refused_before_anything_happens() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let file = file.path().to_str().expect("a path of plain text");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let garbage = folder.path().join("garbage");
    fs::write(
        &garbage,
        "no database, but longer than one's header\n".repeat(9),
    )
    .expect("a file");
    let garbage = garbage.to_str().expect("a path of plain text");
    let root = folder.path().join("site");
    let root = root.to_str().expect("a path of plain text");
    for (args, message) in [
        (
            &["--fail-at", "nothing"][..],
            "possible values: pack, unpack",
        ),
        (&["--version", "2"], "--root <DIR>"),
        (&["--kill-at", "pack"], "--root <DIR>"),
        (&["--root", root, "--version", "0"], "0 is not in 1.."),
        (&["--root", root, "--version", "two"], "invalid digit"),
        (
            &["--root", root, "--stop", "--broken"],
            "cannot be used with",
        ),
        (&["--root", root, "--tarball", "nowhere"], "tarball nowhere"),
        (&["--root", root, "--tarball", file], "is not a release"),
        (&["--root", root, "--db", garbage], "can't use the database"),
        (
            &["--root", root, "--db", "no/such/folder/deploy.db"],
            "can't use the database",
        ),
        (&["--root", file], "can't use the folder"),
        (&["--rot", root], "unexpected argument '--rot'"),
    ] {
        let output = Command::new(cargo::example("deploy"))
            .args(args)
            .output()
            .expect("the example runs");
        assert_code(&output, 2);
        let err = stderr(&output);
        assert!(err.contains(message), "{args:?}: {err}");
        assert!(!Path::new(root).exists(), "{args:?} created the folder");
    }
}
