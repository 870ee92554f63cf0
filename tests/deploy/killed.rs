//! `kill -9` at many moments: the same command goes on, to the end or back to the beginning.

use std::{os::unix::process::ExitStatusExt as _, process::Output, thread, time::Duration};

use steps::Status;

use crate::{
    STEPS,
    database::Look,
    site::{Site, assert_code, assert_done, stderr, stdout},
};

/// It was killed, and not by this test but where it was to be.
#[track_caller]
fn assert_killed(output: &Output, option: &str, step: &str) {
    assert_eq!(output.status.signal(), Some(9), "{}", stderr(output));
    let message = format!("by {option} {step}");
    assert!(stderr(output).contains(&message), "{}", stderr(output));
}

/// Each run is killed after the effect of another step, before that was recorded; the last is not.
#[test]
fn killed_in_each_step_it_goes_on_to_its_end() {
    let site = Site::with_releases(1);
    for step in STEPS {
        assert_killed(&site.deploy(&["--kill-at", step]), "--kill-at", step);
        let look = Look::at(&site);
        assert_eq!(look.at_work(), [step], "{}", look.tree());
        assert_eq!(look.ids(), ["deploy-2-1", "deploy-1-1"], "{step}");
    }
    let output = site.deploy(&[]);
    assert_done(&output);
    assert!(
        stdout(&output).contains("cut off in `in_service`"),
        "{}",
        stdout(&output)
    );
    site.assert_serves(2);
    assert_eq!(Look::at(&site).ids(), ["deploy-2-1", "deploy-1-1"]);
}

/// Each run is killed after another step was taken back, before that was recorded.
#[test]
fn killed_in_each_undo_it_goes_on_back() {
    let site = Site::with_releases(1);
    let undone = [
        "start_new",
        "switch_link",
        "stop_old",
        "out_of_service",
        "unpack",
        "pack",
    ];
    for step in undone {
        // The health check is what fails; once it has, the rollback needs no reason any more.
        let output = site.deploy(&["--fail-at", "healthy", "--kill-at-undo", step]);
        assert_killed(&output, "--kill-at-undo", step);
        let look = Look::at(&site);
        assert_eq!(look.at_work(), [step], "{}", look.tree());
        assert_eq!(look.status(), Status::Undoing);
    }
    let output = site.deploy(&[]);
    assert_code(&output, 1);
    assert!(
        stderr(&output).contains("by --fail-at healthy"),
        "{}",
        stderr(&output)
    );
    site.assert_serves(1);
    site.assert_no_trace_of(2);
}

/// What was done before the kill is not done again.
#[test]
fn what_was_done_stays_done() {
    let site = Site::with_releases(1);
    assert_killed(
        &site.deploy(&["--kill-at", "start_new"]),
        "--kill-at",
        "start_new",
    );
    let (before, started) = (Look::at(&site), site.pid());
    assert_done(&site.deploy(&[]));
    site.assert_serves(2);
    assert_eq!(site.pid(), started, "another server was started");
    let after = Look::at(&site);
    for step in &STEPS[..5] {
        assert_eq!(before.step(step), after.step(step), "{step} ran again");
    }
}

/// Killed from outside, by the clock: wherever that strikes, in a step or between two.
#[test]
fn killed_at_any_moment_it_goes_on() {
    let site = Site::with_releases(1);
    let mut struck = Vec::new();
    for pause in [200, 500, 800, 1200, 1800] {
        let serves = site.health()["version"].as_u64().expect("a number");
        let mut child = site.spawn(&["--broken"]);
        thread::sleep(Duration::from_millis(pause));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let look = Look::at(&site);
        if look.ids()[0].starts_with("deploy-2") && !look.status().is_final() {
            struck.push(look.at_work());
            assert_code(&site.deploy(&[]), 1);
        }
        // A killed process left the site as it was, or the second has put it back.
        assert_eq!(site.health()["version"].as_u64(), Some(serves));
        site.assert_no_trace_of(2);
    }
    assert!(struck.len() > 1, "it struck at {struck:?} only");
}

/// Killed while it waits between two polls.
#[test]
fn killed_while_it_waits_it_goes_on_asking() {
    let site = Site::with_releases(1);
    let mut child = site.spawn(&["--broken"]);
    Look::until(&site, |look| {
        look.step_status("healthy") == Some(Status::Waiting)
    });
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let before = Look::at(&site);
    assert_eq!(before.at_work(), ["healthy"]);

    assert_code(&site.deploy(&[]), 1);
    let after = Look::at(&site);
    for step in &STEPS[..7] {
        let begun = |look: &Look| look.step(step).started_at;
        assert_eq!(begun(&before), begun(&after), "{step} began anew");
    }
    site.assert_serves(1);
    site.assert_no_trace_of(2);
}

/// A process that is asked to end lets the step at work end, and nothing has to be waited for.
#[test]
fn a_polite_end_is_no_failure() {
    let site = Site::with_releases(1);
    let child = site.spawn(&["--broken"]);
    Look::until(&site, |look| look.at_work() == ["healthy"]);
    let pid = i32::try_from(child.id()).expect("a pid");
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid),
        nix::sys::signal::Signal::SIGTERM,
    )
    .expect("it can be told");
    let output = child.wait_with_output().expect("it ends");
    assert_code(&output, 4);
    assert!(
        stderr(&output).contains("interrupted"),
        "{}",
        stderr(&output)
    );
    assert!(!Look::at(&site).status().is_final());
    assert_code(&site.deploy(&[]), 1);
    site.assert_serves(1);
    site.assert_no_trace_of(2);
}
